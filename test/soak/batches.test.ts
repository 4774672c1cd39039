import { setTimeout as moment } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ModelServer } from '../model-server.ts';
import { jsonl, numberedTexts, TestProject } from '../project.ts';
import { seededNumbers } from './sample-job.ts';

const rows = 2000;

describe('SIGKILL at any moment of a batch', () => {
  const random = seededNumbers(7);
  /** Milliseconds from when the first bytes reach the server, and before. */
  const moments = Array.from({ length: 12 }, (_, round) => ({
    provider: round % 2 === 0 ? ('openai' as const) : ('anthropic' as const),
    afterMs: Math.floor(((round + random()) / 12) * 1200),
  }));

  it.each(moments)('$provider, $afterMs ms in: each row is submitted once', async ({ provider, afterMs }) => {
    await using server = await ModelServer.start({ batch: { ended: ({ looks }) => looks > 5 } });
    using project = new TestProject({
      'texts.jsonl': jsonl(numberedTexts(rows)),
      'pipeline.yaml': `
models:
  writer: { provider: ${provider}, base_url: "${server.url(provider)}", model: small, batch: { poll: 0.1, max_requests: 700 } }
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels: { use: generate, from: texts, with: { model: writer, prompt: { text: "{{text}}" } } }
`,
    });
    const killed = project.start(['run', 'pipeline.yaml'], {}, { detached: true });
    await Promise.race([server.batches.firstRequest, killed.ended]);
    await moment(afterMs);
    try {
      process.kill(-killed.child.pid!, 'SIGKILL');
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ESRCH');
    }
    await killed.ended;
    const run = await project.run('pipeline.yaml');
    expect(run.step('labels')).toMatchObject({ rows, rows_failed: 0 });
    const submitted = server.batches.batches.flatMap(({ requests }) => requests.map(({ key }) => key));
    expect(submitted).toHaveLength(rows);
    expect(new Set(submitted).size).toBe(rows);
    expect(server.requests).toEqual([]);
  });
});
