import { type MatrixView, openProduct } from './matrix-product.ts';
import { dot, squaredLengths } from './vectors.ts';

/** Rows of a product at a time: their scores stay in the processor's cache, and memory stays small. */
const chunkRows = 1024;

/** Finds the nearest centre of each row. */
export interface NearestCentre {
  /** Writes each row's nearest centre to `labels` and returns how many labels changed. */
  assign(centres: MatrixView, labels: Int32Array): Promise<number>;
}

/**
 * Opens a search for the nearest centre (Euclidean; the lowest index wins a tie) of every row of `points`.
 *
 * argminⱼ |x−cⱼ|² = argmaxⱼ x·cⱼ − |cⱼ|²/2, with all x·cⱼ of a chunk from one float32 matrix product. Where the best
 * two scores are closer than twice the bound on the product's error, γ·|x|·|c| with γ = d·u/(1−d·u), u = 2⁻²⁴
 * (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), the scores are computed again in float64. So
 * the labels are those of float64 arithmetic and do not depend on threads, chunks or the processor.
 */
export async function openNearestCentre(points: MatrixView): Promise<NearestCentre> {
  const { rows, columns } = points;
  const product = await openProduct({ transposeB: true });
  const lengths = squaredLengths(points).map(Math.sqrt);
  const unit = 2 ** -24;
  // One more than the number of terms: the subtraction of the offset rounds in float64, far below.
  const gamma = ((columns + 1) * unit) / (1 - (columns + 1) * unit);
  let scores = new Float32Array(0);

  return {
    async assign(centres, labels) {
      const k = centres.rows;
      const offsets = squaredLengths(centres);
      let longest = 0;
      for (let j = 0; j < k; j++) {
        longest = Math.max(longest, Math.sqrt(offsets[j]!));
        offsets[j]! /= 2;
      }
      if (scores.length < chunkRows * k) scores = new Float32Array(Math.min(rows, chunkRows) * k);
      let changed = 0;
      for (let start = 0; start < rows; start += chunkRows) {
        const count = Math.min(chunkRows, rows - start);
        const chunk = {
          data: points.data.subarray(start * columns, (start + count) * columns),
          rows: count,
          columns,
        };
        const { data } = await product(chunk, centres, scores);
        for (let index = 0, at = 0; index < count; index++, at += k) {
          let best = 0;
          let first = Number.NEGATIVE_INFINITY;
          let second = Number.NEGATIVE_INFINITY;
          for (let j = 0; j < k; j++) {
            const score = data[at + j]! - offsets[j]!;
            if (score > first) {
              second = first;
              first = score;
              best = j;
            } else if (score > second) second = score;
          }
          const row = start + index;
          const margin = 2 * gamma * lengths[row]! * longest;
          if (first - second <= margin) {
            let top = Number.NEGATIVE_INFINITY;
            for (let j = 0; j < k; j++) {
              const offset = offsets[j]!;
              if (data[at + j]! - offset < first - margin) continue;
              const score = dot(points.data, row * columns, centres.data, j * columns, columns) - offset;
              if (score > top) {
                top = score;
                best = j;
              }
            }
          }
          if (labels[row] !== best) {
            labels[row] = best;
            changed++;
          }
        }
      }
      return changed;
    },
  };
}
