import { setTimeout as moment } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { everyFault, ModelServer, type ModelServerOptions, sometimes } from '../model-server.ts';
import { jsonl, numberedTexts, type RunSummary, TestProject } from '../project.ts';
import { seededNumbers } from './sample-job.ts';

const workflow = (server: ModelServer, model = '') => `
models:
  writer:
    provider: openai
    base_url: ${server.url('openai')}
    model: small
    price: { input: 1, output: 10 }
${model}
steps:
  texts: { use: load, with: { path: texts.jsonl, text: text, id: id } }
  labels:
    use: generate
    from: texts
    with: { model: writer, prompt: { text: "{{text}}" } }
`;

function projectOf(server: ModelServer, rows: number, model = ''): TestProject {
  return new TestProject({
    'texts.jsonl': jsonl(numberedTexts(rows)),
    'pipeline.yaml': workflow(server, model),
  });
}

describe('10,000 rows through faults in one of five requests', () => {
  const faulty: ModelServerOptions = {
    latencyMs: 20,
    fault: sometimes(0.2, everyFault),
  };

  it('answers every row once and asks for none twice', async () => {
    await using server = await ModelServer.start(faulty);
    const rows = 10_000;
    using project = projectOf(server, rows, '    concurrency: 32\n    request_timeout: 2\n    retries: 8');
    const started = performance.now();
    const run = await project.run('pipeline.yaml');
    const seconds = (performance.now() - started) / 1000;
    expect(run.step('labels')).toMatchObject({ status: 'ran', rows, rows_failed: 0 });
    // A whole answer goes out for each row once: no answer that was paid for is lost, or bought twice.
    expect(server.answered.size).toBe(rows);
    expect([...server.answered.values()].filter((count) => count !== 1)).toEqual([]);
    expect(server.mostUnderway).toBeLessThanOrEqual(32);
    const faults = Object.fromEntries(server.faults);
    // All 32 places taken all the time, 20 ms for an answer and 2 s for one that never comes.
    const hung = server.faults.get('hang') ?? 0;
    const ideal = ((server.requests.length - hung) * 0.02 + hung * 2) / 32;
    console.log(
      `${rows} rows, ${server.requests.length} requests, ${seconds.toFixed(1)} s, ${(seconds / ideal).toFixed(2)} of the ideal ${ideal.toFixed(1)} s; faults:`,
      faults,
    );
    const again = await project.run('pipeline.yaml');
    expect(again.step('labels').status).toBe('cached');
    expect(server.answers).toBe(rows);
  });
});

describe('SIGKILL while rows are being asked', () => {
  const rows = 400;
  const atOnce = 16;
  const random = seededNumbers(5);
  const moments = Array.from({ length: 20 }, (_, round) => Math.floor(((round + random()) / 20) * rows));

  it.each(moments)('after %i answers: the next run asks for the rest', async (answers) => {
    await using server = await ModelServer.start({ latencyMs: 10 });
    using project = projectOf(server, rows, `    concurrency: ${atOnce}`);
    const killed = project.start(['run', 'pipeline.yaml'], {}, { detached: true });
    await Promise.race([server.until(answers), killed.ended]);
    await moment(random() * 10);
    try {
      process.kill(-killed.child.pid!, 'SIGKILL');
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ESRCH');
    }
    await killed.ended;
    const run: RunSummary = await project.run('pipeline.yaml');
    expect(run.step('labels')).toMatchObject({ rows, rows_failed: 0 });
    expect(server.asked.size).toBe(rows);
    const twice = [...server.asked.values()].filter((count) => count > 1);
    // Those under way, and those whose answers waited (10 ms at most) for their group to be written.
    expect(twice.length).toBeLessThanOrEqual(2 * atOnce);
    expect(twice.every((count) => count === 2)).toBe(true);
  });
});

describe('limits', () => {
  it('keeps to 600 requests a minute without one refusal', async () => {
    await using server = await ModelServer.start({ requestsPerMinute: 600 });
    using project = projectOf(server, 900, '    requests_per_minute: 600');
    const started = performance.now();
    const run = await project.run('pipeline.yaml');
    expect(run.step('labels')).toMatchObject({ rows: 900, rows_failed: 0 });
    expect(server.violations).toBe(0);
    expect(performance.now() - started).toBeGreaterThan(60_000);
  });
});
