import { describe, expect, it } from 'vitest';
import { tableInput } from '../../test/run-step.ts';
import type { Row } from '../artefacts.ts';
import { distanceOf, tallyRows } from './tolerance.ts';

describe('rows of two tables', () => {
  const tally = (old: Row[], now: Row[]) => tallyRows(tableInput(old), tableInput(now));

  it('are the same, near or apart', async () => {
    const old: Row[] = [
      { id: 'a', score: 0.5, text: 'x' },
      { id: 'b', score: 0.25, list: [1, { y: 2 }] },
      { id: 'c', score: 1 },
      { id: 'd', score: null },
    ];
    const now: Row[] = [
      { id: 'a', text: 'x', score: 0.5 },
      { id: 'b', score: 0.25 * (1 + 5e-7), list: [1, { y: 2 * (1 - 1e-7) }] },
      { id: 'c', score: 1.00001 },
      { id: 'd', score: 0 },
    ];
    expect(await tally(old, now)).toMatchObject({
      of: 4,
      same: 1,
      within: 1,
      examples: [
        { id: 'c', fields: [{ field: 'score', old: 1, now: 1.00001 }] },
        { id: 'd', fields: [{ field: 'score', old: null, now: 0 }] },
      ],
    });
  });
});

describe('the distance of two values', () => {
  it.each([
    [1, 1, 0],
    [0, 0, 0],
    [0, 1e-9, 1],
    [2.5, 1.25, 0.5],
    [1_763_739_000_000, 1_763_739_000_001, Number.POSITIVE_INFINITY],
    [[1, 2], [1, 2], 0],
    [[1], [1, 2], Number.POSITIVE_INFINITY],
    [{ a: 4 }, { a: 2.5 }, 0.375],
    [{ a: 1 }, { b: 1 }, Number.POSITIVE_INFINITY],
    ['x', 'x', 0],
    ['1', 1, Number.POSITIVE_INFINITY],
    [undefined, null, Number.POSITIVE_INFINITY],
  ])('of %j and %j is %d', (old, now, distance) => {
    expect(distanceOf(old, now)).toBe(distance);
  });
});
