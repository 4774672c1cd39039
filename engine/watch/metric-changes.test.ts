import { expect, it } from 'vitest';
import type { StepOutcome } from '../events.ts';
import { MetricHistory } from './metric-changes.ts';

function outcome(id: string, status: StepOutcome['status'], metrics: StepOutcome['metrics']): StepOutcome {
  return {
    id,
    use: 'evaluate',
    status,
    reason: '',
    duration_ms: 0,
    rows: null,
    rows_computed: 0,
    rows_cached: 0,
    rows_failed: 0,
    metrics,
    outputs: {},
    warnings: [],
    attempts: 1,
    error: null,
  };
}

it('tells what changed since it was last asked, whatever happened between', () => {
  const history = new MetricHistory();
  history.note(outcome('scores', 'ran', { v_measure: 0.771, clusters: 77 }));
  expect(history.changes()).toEqual([]);
  history.note(outcome('scores', 'ran', { v_measure: 0.775, clusters: 77, entropy: 1 }));
  history.note(outcome('scores', 'failed', {}));
  history.note(outcome('scores', 'cached', { v_measure: 0.779, clusters: 77, entropy: 1 }));
  expect(history.changes()).toEqual([{ step: 'scores', metric: 'v_measure', before: 0.771, after: 0.779 }]);
  expect(history.changes()).toEqual([]);
});
