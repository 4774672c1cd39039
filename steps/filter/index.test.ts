import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { runStep } from '../../test/run-step.ts';
import filter from './index.ts';

const rows: Row[] = [
  { id: 'a', text: 'short', score: 1 },
  { id: 'b', text: 'a longer text', score: 0.25 },
  { id: 'c', text: 'no score at all' },
  { id: 'd', text: 'a text for a score', score: 'high' },
];

describe('filter', () => {
  it('keeps the rows for which the condition is true, as they are', async () => {
    const { tables, metrics } = await runStep(filter, {
      with: { where: 'row.text.size() > 5 && row.id != "c"' },
      inputs: { rows },
    });
    expect(tables['rows']).toEqual([rows[1], rows[3]]);
    expect(metrics).toEqual({ rows: 2, left_out: 2, rejected: 0 });
  });

  it('gives the vectors of those rows, where it has them', async () => {
    const data = Float32Array.from([1, 2, 3, 4]);
    const vectors = { matrix: { data, rows: 4, columns: 1 }, ids: ['a', 'b', 'c', 'd'] };
    const { matrices } = await runStep(filter, {
      with: { where: 'row.id in ["b", "d"]' },
      inputs: { rows, vectors },
    });
    expect(matrices['vectors']).toMatchObject({ data: Float32Array.from([2, 4]), ids: ['b', 'd'] });
  });

  it('names the first row on which the condition fails, and what to write', async () => {
    const run = runStep(filter, { with: { where: 'row.score > 0.5' }, inputs: { rows } });
    await expect(run).rejects.toMatchObject({
      name: 'StepError',
      message: 'row c (number 3): the row has no field score',
      hint: expect.stringContaining('has(row.score)'),
    });
  });

  it('sets such rows aside with on_error: reject', async () => {
    const { tables, metrics, warnings } = await runStep(filter, {
      with: { where: 'row.score > 0.5', on_error: 'reject' },
      inputs: { rows },
    });
    expect(tables['rows']).toEqual([rows[0]]);
    expect(tables['rejected']!.map((row) => row.id)).toEqual(['c', 'd']);
    expect(tables['rejected']![0]).toMatchObject({
      text: 'no score at all',
      reason: 'the row has no field score',
    });
    expect(metrics).toEqual({ rows: 1, left_out: 1, rejected: 2 });
    expect(warnings[0]).toContain('2 of 4 rows; the first is row c');
  });

  it('asks for fields with has(), and says when nothing is left', async () => {
    const { tables, warnings } = await runStep(filter, {
      with: { where: 'has(row.score) && row.id == "z"' },
      inputs: { rows },
    });
    expect(tables['rows']).toEqual([]);
    expect(warnings).toEqual(['no row of 4 is left by has(row.score) && row.id == "z"']);
  });

  it('takes the workflow’s words only: a wrong name fails before the first row', async () => {
    const run = runStep(filter, { with: { where: 'score > 1' }, inputs: { rows } });
    await expect(run).rejects.toMatchObject({
      code: 'cel-type',
      hint: 'a field of the row is written row.score',
    });
  });
});
