import type { Grid } from './grid.ts';
import { openProduct } from './matrix-product.ts';
import { uniform } from './random.ts';

/** Rows of a product at a time, so that memory stays small. */
const chunkRows = 4096;

/**
 * Chooses up to `k` rows to start k-means from: greedy k-means++ (Arthur & Vassilvitskii 2007; Celebi et al. 2013)
 * as scikit-learn has it, each new centre the best of 2 + ⌊ln k⌋ rows drawn with probability proportional to their
 * squared distance from the centres so far. Gives fewer than `k` only if fewer rows differ on the grid.
 */
export async function seedCentres(grid: Grid, k: number, seed: number): Promise<Int32Array> {
  const { points, squares } = grid;
  const { rows, columns } = points;
  const chosen = new Int32Array(Math.min(k, rows));
  if (chosen.length === 0) return chosen;
  const next = uniform(seed);
  const trials = 2 + Math.floor(Math.log(k));
  const product = await openProduct({ transposeB: true });
  const candidates = new Int32Array(trials);
  const draws = new Float64Array(trials);
  const rowsOfCandidates = new Float32Array(trials * columns);
  const products = new Float32Array(rows * trials);
  const potentials = new Float64Array(trials);
  const closest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);

  /** |x−c|² of every row to the candidate at `trial`, from the products. */
  const distance = (row: number, trial: number, count: number): number =>
    squares[row]! + squares[candidates[trial]!]! - 2 * products[row * count + trial]!;
  const measure = async (count: number): Promise<void> => {
    for (let trial = 0; trial < count; trial++) {
      const start = candidates[trial]! * columns;
      rowsOfCandidates.set(points.data.subarray(start, start + columns), trial * columns);
    }
    const data = rowsOfCandidates.subarray(0, count * columns);
    await product(points, { data, rows: count, columns }, products);
  };
  const take = (trial: number, count: number): number => {
    let potential = 0;
    for (let row = 0; row < rows; row++) {
      const d = distance(row, trial, count);
      if (d < closest[row]!) closest[row] = d;
      potential += closest[row]!;
    }
    return potential;
  };

  candidates[0] = Math.floor(next() * rows);
  chosen[0] = candidates[0];
  await measure(1);
  let potential = take(0, 1);
  for (let step = 1; step < chosen.length; step++) {
    if (!(potential > 0)) return chosen.slice(0, step);
    for (let trial = 0; trial < trials; trial++) draws[trial] = next() * potential;
    draws.sort();
    candidates.set(rowsAt(closest, draws));
    await measure(trials);
    potentials.fill(0);
    for (let row = 0; row < rows; row++) {
      const current = closest[row]!;
      for (let index = 0; index < trials; index++) {
        const d = distance(row, index, trials);
        potentials[index]! += d < current ? d : current;
      }
    }
    let best = 0;
    for (let index = 1; index < trials; index++) if (potentials[index]! < potentials[best]!) best = index;
    potential = take(best, trials);
    chosen[step] = candidates[best]!;
  }
  return chosen;
}

/**
 * Some `count` rows spread over the data (at least one if there are rows): D² sampling in eight rounds, all rows of
 * a round drawn at once (the oversampling of k-means‖, Bahmani et al. 2012). Gives fewer only if fewer differ.
 */
export async function spreadRows({ points, squares }: Grid, count: number, seed: number): Promise<number[]> {
  const { rows, columns } = points;
  const next = uniform(seed);
  const product = await openProduct({ transposeB: true });
  const closest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  const chosen: number[] = [];
  let batch = [Math.floor(next() * rows)];
  while (batch.length > 0) {
    const candidates = new Float32Array(batch.length * columns);
    batch.forEach((row, index) => {
      candidates.set(points.data.subarray(row * columns, (row + 1) * columns), index * columns);
    });
    let potential = 0;
    for (let start = 0; start < rows; start += chunkRows) {
      const size = Math.min(chunkRows, rows - start);
      const data = points.data.subarray(start * columns, (start + size) * columns);
      const products = await product(
        { data, rows: size, columns },
        { data: candidates, rows: batch.length, columns },
      );
      for (let index = 0, at = 0; index < size; index++) {
        const row = start + index;
        for (const candidate of batch) {
          const d = squares[row]! + squares[candidate]! - 2 * products.data[at++]!;
          if (d < closest[row]!) closest[row] = d;
        }
        potential += closest[row]!;
      }
    }
    chosen.push(...batch);
    const wanted = potential > 0 ? Math.min(Math.ceil(count / 8), count - chosen.length) : 0;
    const draws = Float64Array.from({ length: wanted }, () => next() * potential).sort();
    batch = [...new Set(rowsAt(closest, draws))];
  }
  return chosen;
}

/** The rows in which a running sum of the weights passes each of the draws, which ascend. */
function rowsAt(weights: Float64Array, draws: Float64Array): number[] {
  const found: number[] = [];
  let reached = 0;
  for (let row = 0; row < weights.length && found.length < draws.length; row++) {
    reached += weights[row]!;
    while (found.length < draws.length && draws[found.length]! < reached) found.push(row);
  }
  // A draw that rounds up to the whole sum belongs to the last row that could be drawn.
  while (found.length < draws.length) found.push(weights.findLastIndex((weight) => weight > 0));
  return found;
}
