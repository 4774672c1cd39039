import { describe, expect, it } from 'vitest';
import { cachesIn, processOf, start, texts } from '../../test/batch-process.ts';
import type { SeenBatch } from '../../test/batch-server.ts';
import type { ModelServer } from '../../test/model-server.ts';
import { temporaryFolder } from '../../test/temporary.ts';

/** Resolves when the server has so many batches. */
async function made(server: ModelServer, count: number): Promise<readonly SeenBatch[]> {
  while (server.batches.batches.length < count) await new Promise((resolve) => setImmediate(resolve));
  return server.batches.batches;
}

const one = { batch: { poll: 0.03, max_requests: 1 } };

describe('a batch whose name did not come back', () => {
  it('is told from another of the same size by its results', async () => {
    const server = await start({ batch: { refuse: () => 500, ended: () => true } });
    const folder = temporaryFolder();
    const asking = processOf(server, 'anthropic', cachesIn(folder), one).all(2);
    const [first, second] = await made(server, 2);
    // Each seems to be the other.
    [first!.created, second!.created] = [second!.created + 1, first!.created];
    expect(texts(await asking)).toEqual(['answer to number 0', 'answer to number 1']);
    expect(server.batches.batches).toHaveLength(2);
  });

  it('is not one of somebody else, who asked for as many at that time', async () => {
    const server = await start({ batch: { refuse: (count) => (count === 2 ? 500 : null) } });
    const theirs = processOf(server, 'anthropic', cachesIn(temporaryFolder()));
    expect(texts([await theirs.ask('theirs')])).toEqual(['answer to theirs']);
    const caches = cachesIn(temporaryFolder());
    const ours = processOf(server, 'anthropic', caches).ask('ours');
    await made(server, 2);
    // It was never made after all.
    server.batches.batches.pop();
    expect(texts([await ours])).toEqual(['answer to ours']);
    expect(server.batches.batches).toHaveLength(2);
    expect([server.asked.get('theirs'), server.asked.get('ours')]).toEqual([1, 1]);
  });

  it.each(['openai', 'anthropic'] as const)('is found behind many later ones of %s', async (way) => {
    const server = await start({ batch: { refuse: () => 500 } });
    const asking = processOf(server, way, cachesIn(temporaryFolder())).ask('ours');
    const [ours] = await made(server, 1);
    for (let index = 0; index < 250; index++)
      server.batches.batches.push({
        ...ours!,
        id: `later_${index}`,
        requests: [],
        metadata: {},
        created: ours!.created + index,
      });
    expect(texts([await asking])).toEqual(['answer to ours']);
    expect(server.batches.batches).toHaveLength(251);
  });

  it.each(['openai', 'anthropic'] as const)('is looked for where %s says 503', async (way) => {
    const server = await start({ batch: { refuse: (count) => (count === 1 ? 503 : null) } });
    const { all } = processOf(server, way, cachesIn(temporaryFolder()));
    expect(texts(await all(2))).toEqual(['answer to number 0', 'answer to number 1']);
    expect(server.batches.batches).toHaveLength(1);
  });
});

describe('before a batch is submitted', () => {
  it('what another process has filed meanwhile is taken from there', async () => {
    let ended = false;
    const server = await start({ batch: { ended: () => ended } });
    const folder = temporaryFolder();
    const caches = cachesIn(folder);
    const first = processOf(server, 'openai', caches).ask('number 0');
    await server.batches.looks(1);
    // It gathers for so long that the other ends meanwhile.
    const second = processOf(server, 'openai', cachesIn(folder), { batch: { poll: 0.5 } }).all(2);
    await server.batches.looks(3);
    ended = true;
    await first;
    await caches.close();
    const results = await second;
    expect(texts(results)).toEqual(['answer to number 0', 'answer to number 1']);
    expect(results[0]).toMatchObject({ cached: true });
    expect(server.batches.batches.map(({ requests }) => requests.length)).toEqual([1, 1]);
  });

  it('an answer that another process has got by now takes the place of its repair', async () => {
    const server = await start({
      reply: ({ attempt }) => (attempt === 0 ? '{"label":3}' : '{"label":"y"}'),
    });
    const folder = temporaryFolder();
    const schema = { type: 'object', properties: { label: { type: 'string' } } };
    const first = processOf(server, 'openai', cachesIn(folder), { batch: { poll: 0.5 } });
    const asking = first.ask('number 0', { schema });
    while (first.states.at(-1)?.state !== 'ended') await new Promise((resolve) => setImmediate(resolve));
    await processOf(server, 'openai', cachesIn(folder), { batch: false }).ask('number 0', { schema });
    expect(await asking).toMatchObject({
      cached: true,
      answer: { json: { label: 'y' } },
      // What was no answer was paid for.
      wasted: { usd: expect.any(Number), usage: { output_tokens: expect.any(Number) } },
    });
    expect(server.batches.batches).toHaveLength(1);
  });

  it('parts that were called off are dropped', async () => {
    let first: ReturnType<typeof processOf> | undefined;
    const server = await start({
      batch: {
        refuse: (count) => {
          if (count === 1) first?.stop.abort(new Error('the time is up'));
          return null;
        },
      },
    });
    const folder = temporaryFolder();
    const caches = cachesIn(folder);
    first = processOf(server, 'openai', caches, one);
    await expect(first.all(3)).rejects.toThrow('the time is up');
    await made(server, 1);
    // The other two are asked after all, and only now.
    const results = await processOf(server, 'openai', cachesIn(folder), { batch: { poll: 0.03 } }).all(3);
    expect(texts(results)).toEqual([0, 1, 2].map((index) => `answer to number ${index}`));
    expect(server.batches.batches.map(({ requests }) => requests.length)).toEqual([1, 2]);
  });

  it('those without room in the budget are refused, and those that had it go on', async () => {
    const later: ReturnType<ReturnType<typeof processOf>['ask']>[] = [];
    const server = await start({
      batch: {
        refuse: (count) => {
          if (count > 1) return null;
          later.push(asked.ask('number 1'), asked.ask('number 2'));
          return 429;
        },
      },
    });
    const asked = processOf(server, 'openai', cachesIn(temporaryFolder()), {}, { calls: 2 });
    expect(texts([await asked.ask('number 0')])).toEqual(['answer to number 0']);
    expect(texts(await Promise.all(later))).toEqual(['budget-reached', 'budget-reached']);
    // One call of the two is left, and no more.
    expect(texts([await asked.ask('number 1'), await asked.ask('number 2')])).toEqual([
      'answer to number 1',
      'budget-reached',
    ]);
  });
});

describe('what came back', () => {
  it('stays noted until it is filed on disk', async () => {
    const server = await start();
    const folder = temporaryFolder();
    const caches = cachesIn(folder);
    const { ask } = processOf(server, 'openai', caches);
    await ask('number 0');
    await ask('number 1');
    const keys = server.batches.batches.map(({ requests }) => requests[0]!.key);
    // As a process finds it that comes after SIGKILL.
    const noted = cachesIn(folder).batches;
    expect(noted.find(keys)).toMatchObject([{ answer: expect.any(String) }, { answer: expect.any(String) }]);
    await caches.close();
    expect(noted.find(keys)).toEqual([undefined, undefined]);
    expect(noted.all()).toEqual([]);
    expect(await processOf(server, 'openai', cachesIn(folder)).ask('number 0')).toMatchObject({
      cached: true,
    });
  });

  it.each(['openai', 'responses'] as const)('leaves no text in files of %s', async (way) => {
    const server = await start({
      batch: {
        refuse: (count) => (count === 1 ? 429 : null),
        fault: ({ prompt }) => (prompt === 'number 1' ? 400 : null),
      },
    });
    const { all } = processOf(server, way, cachesIn(temporaryFolder()));
    expect(texts(await all(2))).toEqual(['answer to number 0', 'request-rejected']);
    expect(server.batches.files.size).toBe(0);
  });

  it('of a batch that was refused as a whole leaves none either', async () => {
    const server = await start({ batch: { invalid: () => ({ code: 'invalid', message: 'no' }) } });
    await processOf(server, 'openai', cachesIn(temporaryFolder())).ask('hello');
    expect(server.batches.batches).toHaveLength(1);
    expect(server.batches.files.size).toBe(0);
  });

  it('is taken from the process that was faster, though its files are gone', async () => {
    let ended = false;
    const server = await start({ batch: { ended: () => ended } });
    const folder = temporaryFolder();
    const second = processOf(server, 'openai', cachesIn(folder), { batch: { poll: 0.3 } });
    const slow = second.all(3);
    await made(server, 1);
    const fast = processOf(server, 'openai', cachesIn(folder)).all(3);
    await server.batches.looks(2);
    ended = true;
    expect(texts(await fast)).toEqual([0, 1, 2].map((index) => `answer to number ${index}`));
    expect(texts(await slow)).toEqual(texts(await fast));
    expect(second.states.at(-1)).toMatchObject({ id: 'batch_1', done: 3, state: 'ended' });
    expect(server.batches.batches).toHaveLength(1);
    expect([...server.asked.values()]).toEqual([1, 1, 1]);
  });
});
