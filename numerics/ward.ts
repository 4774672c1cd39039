import { type Grid, toGrid } from './grid.ts';
import { type MatrixView, openProduct } from './matrix-product.ts';

/**
 * Merges weighted points until `k` groups are left, each time the two whose union adds least to the sum of squared
 * distances (Ward 1963, with the update of Lance & Williams 1967). Gives the group of each point, groups in order of
 * their first point. Memory: 8·m² bytes for m points; time about m² after the distances.
 *
 * Distances are taken on a grid, so that the merges are the same on every machine (see `toGrid`).
 */
export async function wardGroups(
  points: MatrixView,
  weights: ArrayLike<number>,
  k: number,
): Promise<Int32Array> {
  const m = points.rows;
  const costs = await mergeCosts(toGrid(points), weights);
  const group = Int32Array.from({ length: m }, (_, index) => index);
  const weight = Float64Array.from(weights);
  const alive = new Uint8Array(m).fill(1);
  // The cheapest partner of each group among those after it: enough to find the cheapest pair.
  const partner = new Int32Array(m).fill(-1);
  const cost = new Float64Array(m).fill(Number.POSITIVE_INFINITY);
  const findPartner = (i: number): void => {
    partner[i] = -1;
    cost[i] = Number.POSITIVE_INFINITY;
    for (let j = i + 1, at = i * m + i + 1; j < m; j++, at++) {
      if (alive[j] === 1 && costs[at]! < cost[i]!) {
        cost[i] = costs[at]!;
        partner[i] = j;
      }
    }
  };
  for (let i = 0; i < m; i++) findPartner(i);

  for (let groups = m; groups > Math.max(k, 1); groups--) {
    let i = -1;
    for (let candidate = 0; candidate < m; candidate++)
      if (alive[candidate] === 1 && partner[candidate]! >= 0 && (i < 0 || cost[candidate]! < cost[i]!))
        i = candidate;
    const j = partner[i]!;
    const together = cost[i]!;
    const wi = weight[i]!;
    const wj = weight[j]!;
    alive[j] = 0;
    for (let other = 0; other < m; other++) {
      if (alive[other] === 0 || other === i) continue;
      const w = weight[other]!;
      const merged =
        ((wi + w) * costs[i * m + other]! + (wj + w) * costs[j * m + other]! - w * together) / (wi + wj + w);
      costs[i * m + other] = merged;
      costs[other * m + i] = merged;
    }
    weight[i] = wi + wj;
    for (let point = 0; point < m; point++) if (group[point] === j) group[point] = i;
    findPartner(i);
    for (let other = 0; other < j; other++) {
      if (alive[other] === 0 || other === i) continue;
      if (partner[other] === i || partner[other] === j) findPartner(other);
      else if (other < i && costs[other * m + i]! < cost[other]!) {
        cost[other] = costs[other * m + i]!;
        partner[other] = i;
      }
    }
  }
  const numbers = new Map<number, number>();
  return group.map((owner) => {
    const number = numbers.get(owner) ?? numbers.size;
    numbers.set(owner, number);
    return number;
  });
}

/** Increase of the sum of squares by merging each pair: |a−b|² · wₐ·w_b / (wₐ+w_b), both triangles. */
async function mergeCosts({ points, squares }: Grid, weights: ArrayLike<number>): Promise<Float64Array> {
  const m = points.rows;
  const product = await openProduct({ transposeB: true });
  const { data } = await product(points, points);
  const costs = new Float64Array(m * m);
  for (let i = 0, at = 0; i < m; i++) {
    for (let j = 0; j < m; j++, at++) {
      const distance = squares[i]! + squares[j]! - 2 * data[at]!;
      costs[at] = (distance * weights[i]! * weights[j]!) / (weights[i]! + weights[j]!);
    }
  }
  return costs;
}
