import { expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';

const rows = 300;

const workflow = (server: ModelServer) => `
models:
  writer:
    provider: openai
    base_url: ${server.url('openai')}
    model: small
    price: { input: 1, output: 10 }
    batch: { poll: 0.1 }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels:
    use: generate
    from: texts
    with: { model: writer, prompt: { text: "{{text}}" } }
`;

it('a batch outlives SIGKILL and Ctrl-C: it is submitted once, and the next run takes it up', async () => {
  let ended = false;
  await using server = await ModelServer.start({
    batch: {
      ended: (batch) => {
        batch.done = 7;
        return ended;
      },
    },
  });
  using project = new TestProject({
    'texts.jsonl': jsonl(numberedTexts(rows)),
    'pipeline.yaml': workflow(server),
  });
  const killed = project.start(['run', 'pipeline.yaml'], {}, { detached: true });
  await Promise.race([server.batches.looks(2), killed.ended]);
  process.kill(-killed.child.pid!, 'SIGKILL');
  await killed.ended;
  const [batch] = server.batches.batches;
  // All rows are in it, though a step has 128 under way at once where each is asked for itself.
  expect(batch!.requests).toHaveLength(rows);

  const looks = batch!.looks;
  const stopped = project.start(['run', 'pipeline.yaml']);
  await Promise.race([server.batches.looks(looks + 2), stopped.ended]);
  stopped.child.kill('SIGINT');
  const { code, err } = await stopped.ended;
  expect(code).toBe(130);
  expect(err).toContain(
    `batch batch_1 goes on at its provider (7 of ${rows} requests done), and the next run takes it up`,
  );
  const shown = await project.reprise('runs', 'show', 'latest');
  expect(shown.out).toContain(`labels: openai/small, batch batch_1: 7 of ${rows} requests done`);

  const listed = await project.reprise('models', 'batches');
  expect(listed.out).toMatch(new RegExp(`^batch_1 +openai/small +${rows} +20\\S+Z$`, 'm'));

  ended = true;
  const run = await project.run('pipeline.yaml');
  expect(run.step('labels')).toMatchObject({ status: 'ran', rows, rows_failed: 0 });
  // Of each row 5 words in and 7 out, for half the price.
  expect(run.cost.usd).toBeCloseTo((rows * (5 * 1 + 7 * 10)) / 2e6, 10);
  expect(server.batches.batches).toHaveLength(1);
  expect(server.requests).toEqual([]);
  expect([...server.answered.values()].every((count) => count === 1)).toBe(true);
  expect(server.answered.size).toBe(rows);

  // From its record, without anybody's batches.
  const again = await project.reprise('reproduce', 'latest');
  expect(again.code, again.out + again.err).toBe(0);
  expect(server.batches.batches).toHaveLength(1);
});

it('a batch that its provider does not know is asked anew when it is forgotten, and no sooner', async () => {
  let ended = false;
  await using server = await ModelServer.start({ batch: { ended: () => ended } });
  using project = new TestProject({
    'texts.jsonl': jsonl(numberedTexts(3)),
    'pipeline.yaml': workflow(server),
  });
  const stopped = project.start(['run', 'pipeline.yaml']);
  await Promise.race([server.batches.looks(1), stopped.ended]);
  stopped.child.kill('SIGINT');
  await stopped.ended;
  server.batches.batches.pop();
  ended = true;
  const failed = await project.reprise('run', 'pipeline.yaml');
  expect(failed.out + failed.err).toContain('reprise models batches --forget batch_1');
  expect(server.batches.batches).toHaveLength(0);
  const wrong = await project.reprise('models', 'batches', '--forget', 'batch_7');
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('no batch "batch_7" is noted') });
  expect((await project.reprise('models', 'batches', '--forget', 'batch_1')).out).toContain('forgot batch_1');
  const run = await project.run('pipeline.yaml');
  expect(run.step('labels')).toMatchObject({ status: 'ran', rows: 3, rows_failed: 0 });
});
