import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { cachesIn, processOf, start, texts, type Way, ways } from '../../test/batch-process.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { batchesOf } from './batch.ts';
import { createLanguageModels } from './index.ts';

const schema: JsonObject = {
  type: 'object',
  properties: { label: { type: 'string' } },
  required: ['label'],
  additionalProperties: false,
};

describe.each(Object.keys(ways) as Way[])('batches of %s', (way) => {
  it('answer all for half the price, under the names that answers have', async () => {
    const server = await start({
      batch: {
        ended: (batch) => {
          batch.done = 3;
          return batch.looks > 2;
        },
      },
    });
    const caches = cachesIn(temporaryFolder());
    const first = processOf(server, way, caches);
    const results = await first.all(40);
    expect(texts(results)).toEqual(results.map((_, index) => `answer to number ${index}`));
    const [result] = results;
    expect(result).toMatchObject({ cached: false, answer: { usage: { input_tokens: 2, output_tokens: 4 } } });
    expect('answer' in result! && result.answer.usd).toBeCloseTo((2 * 1 + 4 * 10) / 2e6, 12);
    expect(server.batches.batches).toHaveLength(1);
    expect(server.batches.batches[0]!.requests).toHaveLength(40);
    expect(first.states).toEqual([
      { model: first.states[0]!.model, id: 'batch_1', requests: 40, done: 0, state: 'submitted' },
      expect.objectContaining({ done: 3, state: 'running' }),
      expect.objectContaining({ done: 40, state: 'ended' }),
    ]);
    // Each for itself, nothing is asked anew; and what was asked for itself is in no batch.
    const live = processOf(server, way, caches, { batch: false });
    expect(await live.ask('number 7')).toMatchObject({ cached: true });
    await live.ask('alone');
    expect(server.requests).toHaveLength(1);
    expect(await processOf(server, way, caches).ask('alone')).toMatchObject({ cached: true });
    expect(server.batches.batches).toHaveLength(1);
  });

  it('ask once more, in another batch, for what does not fit its schema', async () => {
    const server = await start({
      reply: ({ prompt }) =>
        prompt.startsWith('That is not') || prompt === 'number 1' ? '{"label":"y"}' : '{"label":3}',
    });
    const caches = cachesIn(temporaryFolder());
    const { all } = processOf(server, way, caches);
    const results = await all(3, { schema });
    expect(results).toMatchObject([1, 2, 3].map(() => ({ answer: { json: { label: 'y' } } })));
    expect(server.batches.batches.map(({ requests }) => requests.length)).toEqual([3, 2]);
  });

  it('fail rows that ended without an answer, each with its reason; the next run asks for these', async () => {
    let well = false;
    const fault = ({ prompt }: { prompt: string }) =>
      well
        ? null
        : (({ 'number 1': 'expired', 'number 2': 'canceled', 'number 3': 400, 'number 4': 500 } as const)[
            prompt as 'number 1'
          ] ?? null);
    const server = await start({ batch: { fault } });
    const caches = cachesIn(temporaryFolder());
    const results = await processOf(server, way, caches).all(6);
    expect(texts(results)).toEqual([
      'answer to number 0',
      'batch-unanswered',
      'batch-unanswered',
      'request-rejected',
      'model-unavailable',
      'answer to number 5',
    ]);
    well = true;
    expect(texts(await processOf(server, way, caches).all(6))).toEqual(
      results.map((_, index) => `answer to number ${index}`),
    );
    expect(server.batches.batches.map(({ requests }) => requests.length)).toEqual([6, 4]);
  });

  it('go on when nobody waits any more, and are taken up by the next run', async () => {
    let ended = false;
    const server = await start({ batch: { ended: () => ended } });
    const folder = temporaryFolder();
    const caches = cachesIn(folder);
    const first = processOf(server, way, caches);
    const asking = first.all(5);
    await server.batches.looks(2);
    first.stop.abort(new Error('interrupted'));
    await expect(asking).rejects.toThrow('interrupted');
    ended = true;
    const second = processOf(server, way, cachesIn(folder));
    expect(texts(await second.all(6))).toEqual(
      [0, 1, 2, 3, 4, 5].map((index) => `answer to number ${index}`),
    );
    // The sixth was in none.
    expect(server.batches.batches.map(({ requests }) => requests.length)).toEqual([5, 1]);
    expect([...server.asked.values()]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('are found again where the answer to their submission did not come', async () => {
    const server = await start({ batch: { refuse: (count) => (count === 1 ? 500 : null) } });
    const { all } = processOf(server, way, cachesIn(temporaryFolder()));
    expect(texts(await all(3))).toEqual(['answer to number 0', 'answer to number 1', 'answer to number 2']);
    expect(server.batches.batches).toHaveLength(1);
  });

  it('are found again by the next run where this one ended while it submitted them', async () => {
    let first: ReturnType<typeof processOf> | undefined;
    const server = await start({
      batch: {
        refuse: (count) => {
          // The request has arrived, and its answer comes too late; of two, the second.
          if (count === 2) first?.stop.abort(new Error('killed'));
          return null;
        },
      },
    });
    const folder = temporaryFolder();
    const two = { batch: { poll: 0.03, max_requests: 2 } };
    first = processOf(server, way, cachesIn(folder), two);
    await expect(first.all(4)).rejects.toThrow('killed');
    // The server has not made it yet when the client hears of its end.
    while (server.batches.batches.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const next = processOf(server, way, cachesIn(folder), two);
    expect(texts(await next.all(4))).toEqual([0, 1, 2, 3].map((index) => `answer to number ${index}`));
    expect(server.batches.batches.map(({ requests }) => requests.length)).toEqual([2, 2]);
    expect([...server.asked.values()]).toEqual([1, 1, 1, 1]);
  });

  it('are submitted again where they did not arrive', async () => {
    const server = await start({ batch: { refuse: (count) => (count <= 2 ? 429 : null) } });
    const { all } = processOf(server, way, cachesIn(temporaryFolder()));
    expect(texts(await all(2))).toEqual(['answer to number 0', 'answer to number 1']);
    expect(server.batches.batches).toHaveLength(1);
    const full = await start({ batch: { refuse: () => 429 } });
    const given = processOf(full, way, cachesIn(temporaryFolder()), { retries: 1 });
    expect(texts(await given.all(2))).toEqual(['model-unavailable', 'model-unavailable']);
  });

  it('are refused by a server that has none, with what to do', async () => {
    const server = await start({ batch: { refuse: () => 404 } });
    const [result] = await processOf(server, way, cachesIn(temporaryFolder())).all(2);
    expect(result).toMatchObject({
      failure: {
        scope: 'step',
        code: 'model-setup',
        message: expect.stringContaining('this server has no batch API (it answered 404)'),
        hint: expect.stringContaining('drop `batch:`'),
      },
    });
  });

  it('are split where one would be too big', async () => {
    const server = await start();
    const { all, states } = processOf(server, way, cachesIn(temporaryFolder()), {
      batch: { poll: 0.03, max_requests: 4 },
    });
    expect(texts(await all(10))).toHaveLength(10);
    expect(server.batches.batches.map(({ requests }) => requests.length)).toEqual([4, 4, 2]);
    expect(states.filter(({ state }) => state === 'ended')).toHaveLength(3);
  });
});

describe('batches', () => {
  it('are taken up by another process while they go on, and submitted once', async () => {
    let ended = false;
    const server = await start({ batch: { ended: () => ended } });
    const folder = temporaryFolder();
    const first = processOf(server, 'openai', cachesIn(folder)).all(4);
    await server.batches.looks(1);
    const second = processOf(server, 'openai', cachesIn(folder)).all(4);
    await server.batches.looks(4);
    ended = true;
    expect(texts(await first)).toEqual(texts(await second));
    expect(server.batches.batches).toHaveLength(1);
  });

  it('whose results were fetched are not needed at the provider any more', async () => {
    const server = await start({
      reply: ({ prompt }) => (prompt.startsWith('That is not') ? '{"label":"y"}' : '{"label":3}'),
      batch: { ended: ({ id, looks }) => id === 'batch_1' && looks > 1 },
    });
    const folder = temporaryFolder();
    const first = processOf(server, 'openai', cachesIn(folder));
    const asking = first.all(2, { schema });
    // The first batch has ended, and the repairs are under way.
    while (server.batches.batches.length < 2) await new Promise((resolve) => setImmediate(resolve));
    first.stop.abort(new Error('killed'));
    await expect(asking).rejects.toThrow('killed');
    const [asked, repairs] = server.batches.batches;
    repairs!.ended = true;
    const looks = asked!.looks;
    const results = await processOf(server, 'openai', cachesIn(folder)).all(2, { schema });
    expect(results).toMatchObject([
      { answer: { json: { label: 'y' } } },
      { answer: { json: { label: 'y' } } },
    ]);
    expect(server.batches.batches).toHaveLength(2);
    expect(asked!.looks).toBe(looks);
  });

  it('that the provider refuses as a whole fail their rows, and nothing was paid', async () => {
    const server = await start({
      batch: { invalid: () => ({ code: 'token_limit_exceeded', message: 'too many tokens are waiting' }) },
    });
    const caches = cachesIn(temporaryFolder());
    expect(await processOf(server, 'openai', caches).ask('hello')).toMatchObject({
      failure: {
        scope: 'row',
        code: 'request-rejected',
        message: expect.stringContaining('the batch was refused: too many tokens are waiting'),
        hint: expect.stringContaining('max_requests'),
      },
      spent: null,
    });
    expect(caches.batches.ids()).toEqual([]);
  });

  it('fit the budget as a whole, or nothing is submitted', async () => {
    const server = await start();
    const caches = cachesIn(temporaryFolder());
    // About 9 tokens in and 100 out at half of $1 and $10 a million: 0.0005 each.
    const results = await processOf(server, 'openai', caches, {}, { usd: 0.003 }).all(10);
    expect(results[0]).toMatchObject({
      failure: {
        scope: 'step',
        code: 'budget-reached',
        message: expect.stringMatching(
          /^a batch of 10 requests to openai\/small would take up to \$0\.005\d*, and pass the budget of \$0\.003: \$0\.0000 are spent; 5 of them would fit$/,
        ),
      },
    });
    const few = await processOf(server, 'openai', caches, {}, { calls: 4 }).all(10);
    expect(few[0]).toMatchObject({
      failure: {
        message: expect.stringContaining(
          'take up to 10 calls, and pass the budget of 4 calls: 0 are spent; 4 of',
        ),
      },
    });
    expect(server.batches.batches).toHaveLength(0);
    const enough = processOf(server, 'openai', caches, {}, { usd: 0.006 });
    expect(texts(await enough.all(10))).toHaveLength(10);
    expect(server.batches.batches).toHaveLength(1);
    // What they cost was much less: there is room for more.
    expect(texts(await enough.all(30))[29]).toBe('budget-reached');
    expect(texts(await enough.all(20))[19]).toBe('answer to number 19');
  });

  it('count at half the price before anything is asked, or at that of the list', async () => {
    const server = await start();
    const caches = cachesIn(temporaryFolder());
    const usd = async (more: JsonObject) =>
      (await processOf(server, 'openai', caches, more).model.estimate(request)).usd;
    const request = { messages: [{ role: 'user' as const, content: 'hello' }] };
    const [whole, half] = [await usd({ batch: false }), await usd({})];
    expect(half).toBeCloseTo(whole! / 2, 12);
    const price = { input: 1, output: 10, batch: { input: 0.1, output: 1 } };
    expect(await usd({ price })).toBeCloseTo(whole! / 10, 12);
  });

  it('go without a request that was called off while they were gathered', async () => {
    const server = await start();
    const models = createLanguageModels({
      root: process.cwd(),
      aliases: { m: { ...ways.openai(server), model: 'small', batch: { poll: 0.1 } } },
      secret: () => undefined,
      answers: null,
      batches: cachesIn(temporaryFolder()).batches,
    });
    const stop = new AbortController();
    const ask = (content: string, signal: AbortSignal) =>
      models.find('m')!.ask({ messages: [{ role: 'user', content }] }, { signal, notify: () => {} });
    const left = ask('left', stop.signal);
    const kept = ask('kept', new AbortController().signal);
    setTimeout(() => stop.abort(new Error('enough')), 0);
    await expect(left).rejects.toThrow('enough');
    expect(texts([await kept])).toEqual(['answer to kept']);
    expect([...server.asked.keys()]).toEqual(['kept']);
  });

  it('have no key in what is kept of them', async () => {
    const key = 'sk-0123456789abcdef';
    const server = await start({ reply: () => `your ${key}` });
    const models = createLanguageModels({
      root: process.cwd(),
      aliases: { m: { ...ways.openai(server), model: 'small', api_key_env: 'OWN', batch: { poll: 0.03 } } },
      secret: () => key,
      answers: null,
      batches: cachesIn(temporaryFolder()).batches,
    });
    const options = { signal: new AbortController().signal, notify: () => {} };
    const said = await models.find('m')!.ask({ messages: [{ role: 'user', content: 'hello' }] }, options);
    expect(said).toMatchObject({ answer: { text: 'your [secret]' } });
  });

  it('that the provider does not know are not paid for again without a word', async () => {
    let ended = false;
    const server = await start({ batch: { ended: () => ended } });
    const folder = temporaryFolder();
    const first = processOf(server, 'anthropic', cachesIn(folder));
    const asking = first.all(2);
    await server.batches.looks(1);
    first.stop.abort(new Error('killed'));
    await expect(asking).rejects.toThrow('killed');
    const [batch] = server.batches.batches.splice(0);
    const other = await processOf(server, 'anthropic', cachesIn(folder)).ask('number 0');
    expect(other).toMatchObject({
      failure: { code: 'model-setup', message: expect.stringContaining('batch_1 is not known') },
    });
    // With the right key again, it is taken up.
    server.batches.batches.push(batch!);
    ended = true;
    expect(texts(await processOf(server, 'anthropic', cachesIn(folder)).all(2))).toEqual([
      'answer to number 0',
      'answer to number 1',
    ]);
    expect(server.batches.batches).toHaveLength(1);
  });

  it('have as many requests and bytes as they may', () => {
    const requests = [40, 40, 40, 10, 90, 200, 5].map((bytes) => ({ bytes }));
    const sizes = (most: { requests: number; bytes: number }) =>
      batchesOf(requests, most).map((batch) => batch.map(({ bytes }) => bytes));
    expect(sizes({ requests: 100, bytes: 100 })).toEqual([[40, 40], [40, 10], [90], [200], [5]]);
    expect(sizes({ requests: 3, bytes: 1000 })).toEqual([[40, 40, 40], [10, 90, 200], [5]]);
    expect(batchesOf([], { requests: 1, bytes: 1 })).toEqual([]);
  });
});
