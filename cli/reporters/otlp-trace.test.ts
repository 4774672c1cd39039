import { expect, it } from 'vitest';
import type { StepOutcome } from '../../engine/events.ts';
import { RunGatherer } from './gathered-run.ts';
import { traceRequest } from './otlp-trace.ts';

function outcome(change: Partial<StepOutcome>): StepOutcome {
  return {
    ...{ id: 'a', use: 'exec', status: 'ran', reason: 'new', duration_ms: 40 },
    ...{ rows: null, rows_computed: 0, rows_cached: 0, rows_failed: 0 },
    ...{ metrics: {}, outputs: {}, warnings: [], attempts: 1, error: null },
    ...change,
  };
}

/** A run whose step `a` was tried twice, and whose `b` stands for one instance. */
function gathered(end = true): RunGatherer {
  const gatherer = new RunGatherer();
  const { on } = gatherer;
  on({
    ...{ type: 'run-started', time: 1000, run: 'r1', workflow: 'w' },
    steps: [
      { id: 'a', use: 'exec', needs: [] },
      { id: 'b', use: 'exec', needs: ['a'] },
      { id: 'c', use: 'exec', needs: ['b[item=x]'] },
    ],
  });
  on({ type: 'step-started', time: 1010, step: 'a', attempt: 1, reason: 'new' });
  on({ type: 'step-retry', time: 1020, step: 'a', attempt: 1, delay_ms: 5, message: 'too many calls' });
  on({ type: 'step-started', time: 1030, step: 'a', attempt: 2, reason: 'new' });
  const asked = {
    cost: { usd: 0.5, input_tokens: 12, output_tokens: 3, saved_usd: 0 },
    models: [],
  };
  const metrics = { score: 1, none: Number.NaN, best: 'yes', good: true };
  on({ type: 'step-finished', time: 1050, step: 'a', outcome: outcome({ attempts: 2, metrics, asked }) });
  on({ type: 'steps-added', time: 1051, step: 'b', steps: [{ id: 'b[item=x]', use: 'exec', needs: ['a'] }] });
  on({ type: 'cache-damaged', time: 1060, step: 'b[item=x]', message: 'a blob is missing' });
  on({
    ...{ type: 'step-finished', time: 1100, step: 'b[item=x]' },
    outcome: outcome({ id: 'b[item=x]', status: 'cached', reason: 'unchanged' }),
  });
  if (end) on({ type: 'run-finished', time: 1200, status: 'succeeded', duration_ms: 200 });
  return gatherer;
}

interface Request {
  resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[];
}
const spansOf = (gatherer: RunGatherer) =>
  (traceRequest(gatherer.run!, {}) as Request).resourceSpans[0]!.scopeSpans[0]!.spans;

it('has the moments of a step, its attempts, and values of the types that OTLP has', () => {
  const [root, a, b, ...more] = spansOf(gathered());
  // What was not decided on has no span.
  expect(more).toEqual([]);
  expect(root).toMatchObject({ startTimeUnixNano: '1000000000', endTimeUnixNano: '1200000000' });
  expect(a).toMatchObject({
    startTimeUnixNano: '1010000000',
    endTimeUnixNano: '1050000000',
    events: [{ name: 'reprise.retry', timeUnixNano: '1020000000' }],
    links: [],
  });
  expect(a!['attributes']).toEqual(
    expect.arrayContaining([
      { key: 'reprise.step.attempts', value: { intValue: '2' } },
      { key: 'reprise.step.cost.usd', value: { doubleValue: 0.5 } },
      { key: 'reprise.step.cost.input_tokens', value: { intValue: '12' } },
      { key: 'reprise.step.metrics.score', value: { doubleValue: 1 } },
      { key: 'reprise.step.metrics.none', value: { doubleValue: 'NaN' } },
      { key: 'reprise.step.metrics.best', value: { stringValue: 'yes' } },
      { key: 'reprise.step.metrics.good', value: { boolValue: true } },
    ]),
  );
  // A step that was not started, such as a cached one, took the time that it says.
  expect(b).toMatchObject({
    name: 'b[item=x]',
    startTimeUnixNano: '1060000000',
    endTimeUnixNano: '1100000000',
    events: [{ name: 'reprise.cache-damaged' }],
    links: [{ spanId: a!['spanId'] }],
  });
});

it('has the same ids whenever it is made, and a run whose end was not heard has failed', () => {
  expect(spansOf(gathered())).toEqual(spansOf(gathered()));
  const [root] = spansOf(gathered(false));
  expect(root).toMatchObject({ endTimeUnixNano: '1100000000', status: { code: 2, message: 'failed' } });
});

it('knows no run before there is one', () => {
  expect(new RunGatherer().run).toBe(null);
});
