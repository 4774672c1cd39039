import type { Matrix, StepContext } from '../../engine/step.ts';
import { sampleIndices } from '../../numerics/random.ts';
import {
  equalShares,
  type KCentreOptions,
  moduleUrl,
  proportionalShares,
  reservoirIndices,
  shuffle,
} from '../../numerics/sampling.ts';
import { requireFinite } from '../finite-vectors.ts';
import type { Group } from './groups.ts';

export type Method = 'random' | 'reservoir' | 'stratified' | 'balanced' | 'cluster' | 'diverse';

/** Places, ascending, of the rows that a method takes. */
export async function choose(task: {
  method: Method;
  total: number;
  size: number;
  groups: readonly Group[] | null;
  matrix: Matrix | undefined;
  context: StepContext;
}): Promise<Int32Array> {
  const { method, total, size, groups, matrix, context } = task;
  if (groups !== null) {
    const sizes = groups.map(({ rows }) => rows.length);
    const shares = method === 'stratified' ? proportionalShares(sizes, size) : equalShares(sizes, size);
    return Int32Array.from(
      groups.flatMap((group, number) => fromGroup(group, shares[number]!, number, context)),
    ).sort();
  }
  const seed = context.random('rows').seed();
  if (method === 'reservoir') return reservoirIndices(total, size, seed);
  if (method === 'random' || matrix === undefined) return sampleIndices(total, size, seed);
  requireFinite(matrix);
  const chosen = await context.pool.run<KCentreOptions, Int32Array>(moduleUrl, 'kCentre', {
    vectors: matrix,
    size,
    seed,
  });
  return chosen.sort();
}

function fromGroup({ rows, ranks }: Group, count: number, number: number, { random }: StepContext): number[] {
  if (ranks === undefined) return shuffle([...rows], random('group', number).seed()).slice(0, count);
  const order = [...rows.keys()].sort((a, b) => ranks[a]! - ranks[b]! || a - b);
  return order.slice(0, count).map((place) => rows[place]!);
}
