import { type MatrixView, openProduct } from './matrix-product.ts';
import { dot, squaredDistance, squaredLengths } from './vectors.ts';

/** Rows of a product at a time: their scores stay in the processor's cache, and memory stays small. */
const chunkRows = 1024;

/** Finds the nearest centre of each row. */
export interface NearestCentre {
  /**
   * Writes each row's nearest centre to `labels` and returns how many labels changed. Called again with centres that
   * moved a little, it looks only at the rows whose nearest centre may be another one now.
   */
  assign(centres: MatrixView, labels: Int32Array): Promise<number>;
}

/**
 * Opens a search for the nearest centre (Euclidean; the lowest index wins a tie) of every row of `points`.
 *
 * argminⱼ |x−cⱼ|² = argmaxⱼ x·cⱼ − |cⱼ|²/2, with all x·cⱼ of a chunk from one float32 matrix product. Where the best
 * two scores are closer than twice the bound on the product's error, γ·|x|·|c| with γ = d·u/(1−d·u), u = 2⁻²⁴
 * (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), the scores are computed again in float64. So
 * the labels are those of float64 arithmetic and do not depend on threads, chunks or the processor.
 *
 * From call to call each row keeps an upper bound on the distance to its centre and a lower one on that to any other
 * (Hamerly 2010, Making k-means even faster); while they do not meet, the row is left out.
 */
export async function openNearestCentre(points: MatrixView): Promise<NearestCentre> {
  const { rows, columns } = points;
  const product = await openProduct({ transposeB: true });
  const lengths = squaredLengths(points).map(Math.sqrt);
  const unit = 2 ** -24;
  // One more than the number of terms: the subtraction of the offset rounds in float64, far below.
  const gamma = ((columns + 1) * unit) / (1 - (columns + 1) * unit);
  const bounds = new Bounds(rows);
  const pending = new Int32Array(rows);
  const gathered = new Float32Array(Math.min(rows, chunkRows) * columns);
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
      bounds.move(centres);
      let open = 0;
      for (let row = 0; row < rows; row++)
        if (!bounds.settles(row, labels[row]!, lengths[row]! + longest)) pending[open++] = row;
      let changed = 0;
      for (let start = 0; start < open; start += chunkRows) {
        const chunk = rowsOf(points, pending.subarray(start, Math.min(open, start + chunkRows)), gathered);
        const { data } = await product(chunk, centres, scores);
        for (let index = 0, at = 0; index < chunk.rows; index++, at += k) {
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
          const row = pending[start + index]!;
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
            second = first;
          }
          bounds.set(
            row,
            best,
            lengths[row]! ** 2 + margin - 2 * first,
            lengths[row]! ** 2 - margin - 2 * second,
          );
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

/** What is known of each row's distances after its last look and the centres' moves since then. */
class Bounds {
  readonly #labels: Int32Array;
  readonly #upper: Float64Array;
  readonly #lower: Float64Array;
  #centres: MatrixView = { data: new Float32Array(0), rows: 0, columns: 0 };
  #moves = new Float64Array(0);
  /** The centre that moved farthest, how far it moved, and how far any other did at most. */
  #farthest = -1;
  #most = 0;
  #others = 0;

  constructor(rows: number) {
    this.#labels = new Int32Array(rows).fill(-1);
    this.#upper = new Float64Array(rows);
    this.#lower = new Float64Array(rows);
  }

  /** The row was looked at: squared distances to its centre at most, and to any other centre at least. */
  set(row: number, label: number, upper: number, lower: number): void {
    this.#labels[row] = label;
    this.#upper[row] = Math.sqrt(Math.max(0, upper));
    this.#lower[row] = Math.sqrt(Math.max(0, lower));
  }

  /** The centres are these now. Another number of them: nothing is known any more. */
  move(centres: MatrixView): void {
    const { data, rows, columns } = centres;
    const before = this.#centres;
    if (before.rows !== rows) {
      this.#labels.fill(-1);
      this.#centres = { data: data.slice(), rows, columns };
      this.#moves = new Float64Array(rows);
      return;
    }
    this.#farthest = -1;
    this.#most = 0;
    this.#others = 0;
    for (let j = 0; j < rows; j++) {
      const move = Math.sqrt(squaredDistance(data, j * columns, before.data, j * columns, columns));
      this.#moves[j] = move;
      if (move > this.#most) {
        this.#others = this.#most;
        this.#most = move;
        this.#farthest = j;
      } else if (move > this.#others) this.#others = move;
    }
    before.data.set(data);
  }

  /**
   * Takes the centres' last moves into account, and tells whether the row's centre is still its nearest for sure.
   * `scale` is |x| plus the length of the longest centre: rounding is far below 1e-10 of its square.
   */
  settles(row: number, label: number, scale: number): boolean {
    if (label < 0 || this.#labels[row] !== label) return false;
    this.#upper[row]! += this.#moves[label]!;
    this.#lower[row]! -= label === this.#farthest ? this.#others : this.#most;
    const lower = this.#lower[row]!;
    return lower > 0 && this.#upper[row]! ** 2 + 1e-10 * scale ** 2 < lower ** 2;
  }
}

/** The given rows, which ascend: themselves where they lie side by side, else copied into `buffer`. */
function rowsOf({ data, columns }: MatrixView, wanted: Int32Array, buffer: Float32Array): MatrixView {
  const rows = wanted.length;
  const first = wanted[0]!;
  if (wanted[rows - 1]! - first === rows - 1)
    return { data: data.subarray(first * columns, (first + rows) * columns), rows, columns };
  for (let index = 0; index < rows; index++) {
    const start = wanted[index]! * columns;
    buffer.set(data.subarray(start, start + columns), index * columns);
  }
  return { data: buffer.subarray(0, rows * columns), rows, columns };
}
