import { describe, expect, it } from 'vitest';
import type { Metrics } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import type { StepInput } from '../../engine/step.ts';
import { matrixInput, runStep, tableInput } from '../../test/run-step.ts';
import assert from './index.ts';

const step = (id: string, metrics: Metrics, rows = 2): StepInput => ({
  step: id,
  use: 'evaluate',
  metrics,
  output: 'rows',
  outputs: {
    rows: tableInput(Array.from({ length: rows }, (_, index) => ({ id: String(index) }))),
    vectors: matrixInput({ data: new Float32Array(6), rows: 2, columns: 3 }, ['0', '1']),
  },
});
const check = (parameters: JsonObject, inputs: Record<string, StepInput>) =>
  runStep(assert, { with: parameters, inputs });

describe('assert', () => {
  it('passes, and says what it compared', async () => {
    const that = ['metrics.v_measure >= 0.7', 'rows == 2 && outputs.vectors.columns == 3'];
    const result = await check({ that }, { scores: step('scores', { v_measure: 0.77 }) });
    expect(result.tables['checks']).toEqual([
      { id: '1', that: that[0], passed: true, values: { 'metrics.v_measure': 0.77 } },
      { id: '2', that: that[1], passed: true, values: { rows: 2, 'outputs.vectors.columns': 3 } },
    ]);
    expect(result.metrics).toEqual({ checks: 2, failed: 0 });
  });

  it('fails with the values that were compared, of all conditions that are false', async () => {
    const failing = check(
      { that: ['metrics.v_measure >= 0.7', 'true', 'rows > 2'], message: 'the clusters are poor' },
      { scores: step('scores', { v_measure: 0.612 }) },
    );
    await expect(failing).rejects.toMatchObject({
      code: 'assert-failed',
      message:
        'the clusters are poor\nmetrics.v_measure >= 0.7 is false: metrics.v_measure = 0.612\nrows > 2 is false: rows = 2',
      retryable: false,
    });
  });

  it('takes several inputs by name, and steps by id', async () => {
    const inputs = { a: step('first', { x: 1 }, 3), b: step('second', { x: 2 }) };
    const that = 'metrics.a.x < metrics.b.x && rows.a > rows.b && steps.second.metrics.x == 2';
    expect((await check({ that }, inputs)).metrics['failed']).toBe(0);
  });

  it('needs no input', async () => {
    expect((await check({ that: '0.8 >= 0.7' }, {})).metrics['checks']).toBe(1);
    await expect(check({ that: '0.6 >= 0.7' }, {})).rejects.toThrow('0.6 >= 0.7 is false');
  });

  it('only warns if told so', async () => {
    const result = await check({ that: 'metrics.x > 1', severity: 'warn' }, { a: step('a', { x: 1 }) });
    expect(result.warnings).toEqual(['metrics.x > 1 is false: metrics.x = 1']);
    expect(result.metrics).toEqual({ checks: 1, failed: 1 });
  });

  it.each([
    ['metrics.v_mesure > 0.7', 'did you mean "v_measure"?'],
    ['metric.v_measure > 0.7', 'did you mean "metrics"?'],
    ['metrics.v_measure', 'compare it'],
  ])('says what is wrong with %s', async (that, hint) => {
    const failing = check({ that }, { scores: step('scores', { v_measure: 0.7 }) });
    await expect(failing).rejects.toMatchObject({ hint: expect.stringContaining(hint) });
  });
});
