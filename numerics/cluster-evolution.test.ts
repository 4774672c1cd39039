import { describe, expect, it } from 'vitest';
import { evolution } from './cluster-evolution.ts';

/** Clusters of rows from runs such as `0×5 1×3`; −1 is noise. */
const labels = (text: string) =>
  text.split(' ').flatMap((run) => {
    const [cluster, times] = run.split('×').map(Number);
    return Array<number>(times!).fill(cluster!);
  });
const sizesOf = (rows: number[], k: number) =>
  Array.from({ length: k }, (_, cluster) => rows.filter((row) => row === cluster).length);

describe('evolution', () => {
  it('tells a planted birth, split, merger and death, and numbers go on', () => {
    // 0 stays and grows by new rows; 1 splits; 2 and 3 merge; 4 becomes noise; 5 is born of noise.
    const before = labels('0×20 1×30 2×20 3×15 4×10 -1×12');
    const after = labels('0×20 1×18 2×12 3×35 -1×10 4×12');
    const sizesAfter = sizesOf(after, 5);
    sizesAfter[0]! += 8;
    const { continues, changes } = evolution({ before, after, sizesBefore: sizesOf(before, 5), sizesAfter });
    expect([...continues]).toEqual([0, 1, -1, 2, -1]);
    expect(changes.map(({ status, before: from, after: to }) => [status, from, to])).toEqual([
      ['grown', 0, 0],
      ['split', 1, 1],
      ['split', -1, 2],
      ['merged', 2, 3],
      ['new', -1, 4],
      ['merged', 3, -1],
      ['gone', 4, -1],
    ]);
    expect(changes[1]).toMatchObject({ into: [1, 2], kept: 18 });
    expect(changes[2]).toMatchObject({ from: [1] });
    expect(changes[3]).toMatchObject({ from: [2, 3] });
    expect(changes[5]).toMatchObject({ into: [3] });
  });

  it('of equal clusterings is stable whatever their order, and takes none', () => {
    const before = labels('0×9 1×7 2×5');
    const after = labels('2×9 0×7 1×5');
    const found = evolution({ before, after, sizesBefore: [9, 7, 5], sizesAfter: [7, 5, 9] });
    expect([...found.continues]).toEqual([1, 2, 0]);
    expect(found.changes.map(({ status }) => status)).toEqual(['stable', 'stable', 'stable']);
    expect(evolution({ before: [], after: [], sizesBefore: [], sizesAfter: [] }).changes).toEqual([]);
    // Nothing in common: all that was is gone, all that is is new.
    const apart = evolution({ before: [], after: [], sizesBefore: [3], sizesAfter: [4] });
    expect(apart.changes.map(({ status }) => status)).toEqual(['new', 'gone']);
  });
});
