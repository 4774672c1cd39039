import type { Matrix, StepContext } from '../../engine/step.ts';
import { sampleIndices } from '../../numerics/random.ts';
import { moduleUrl as relevanceUrl } from '../../numerics/relevance-diversity.ts';
import {
  equalShares,
  type KCentreOptions,
  moduleUrl,
  neymanShares,
  proportionalShares,
  reservoirIndices,
  shuffle,
  weightedIndices,
} from '../../numerics/sampling.ts';
import { columnMeans, normalized } from '../../numerics/vectors.ts';
import { requireFinite } from '../finite-vectors.ts';
import type { Group } from './groups.ts';

export const methods = [
  'random',
  'reservoir',
  'weighted',
  'stratified',
  'balanced',
  'cluster',
  'diverse',
  'mmr',
] as const;
export type Method = (typeof methods)[number];
export type Allocation = 'proportional' | 'equal' | 'neyman';

/** Places, ascending, of the rows that a method takes. */
export async function choose(task: {
  method: Method;
  total: number;
  size: number;
  /** Of each group, instead of `size`. */
  perGroup?: number | undefined;
  groups: readonly Group[] | null;
  allocation: Allocation;
  weights: Float64Array | null;
  /** mmr: what being unlike the others counts, 0 to 1. */
  diversity: number;
  matrix: Matrix | undefined;
  context: StepContext;
}): Promise<Int32Array> {
  const { method, total, size, perGroup, groups, weights, diversity, matrix, context } = task;
  if (groups !== null) {
    const sizes = groups.map(({ rows }) => rows.length);
    const shares =
      perGroup !== undefined
        ? sizes.map((own) => Math.min(own, perGroup))
        : sharesOf(method === 'stratified' ? task.allocation : 'equal', groups, size);
    return Int32Array.from(
      groups.flatMap((group, number) => fromGroup(group, shares[number]!, number, context)),
    ).sort();
  }
  const seed = context.random('rows').seed();
  if (weights !== null) return weightedIndices(weights, size, seed);
  if (method === 'reservoir') return reservoirIndices(total, size, seed);
  if (method === 'random' || matrix === undefined) return sampleIndices(total, size, seed);
  requireFinite(matrix);
  if (method === 'mmr') {
    const task = { vectors: matrix, point: meanDirection(matrix), size, diversity };
    return Int32Array.from(
      await context.pool.run<typeof task, number[]>(relevanceUrl, 'marginalRelevance', task),
    ).sort();
  }
  const chosen = await context.pool.run<KCentreOptions, Int32Array>(moduleUrl, 'kCentre', {
    vectors: matrix,
    size,
    seed,
  });
  return chosen.sort();
}

function sharesOf(allocation: Allocation, groups: readonly Group[], size: number): number[] {
  const sizes = groups.map(({ rows }) => rows.length);
  if (allocation === 'equal') return equalShares(sizes, size);
  if (allocation === 'proportional') return proportionalShares(sizes, size);
  return neymanShares(
    sizes,
    groups.map(({ deviation }) => deviation),
    size,
  );
}

/** The mean of the rows, each at length 1. */
function meanDirection(matrix: Matrix): Float64Array {
  return columnMeans(normalized(matrix));
}

function fromGroup({ rows, ranks }: Group, count: number, number: number, { random }: StepContext): number[] {
  if (ranks === undefined) return shuffle([...rows], random('group', number).seed()).slice(0, count);
  const order = [...rows.keys()].sort((a, b) => ranks[a]! - ranks[b]! || a - b);
  return order.slice(0, count).map((place) => rows[place]!);
}
