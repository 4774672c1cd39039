/** Estimate of a mean, with the bounds of its interval. */
export interface Estimate {
  mean: number;
  low: number;
  high: number;
}

/** The mean of values by themselves, with a normal interval; `z` 1.96 for 95 %. */
export function meanEstimate(values: Float64Array, z: number): Estimate {
  const half = z * Math.sqrt(variance(values) / values.length);
  const mean = meanOf(values);
  return { mean, low: mean - half, high: mean + half };
}

export interface PpiEstimate extends Estimate {
  /** How far the predictions are trusted: 0 not at all, which is the estimate of the labels alone. */
  lambda: number;
  /** As many labels alone would give an interval of this width. */
  effectiveLabels: number;
}

/**
 * Prediction-powered inference of a mean (Angelopoulos et al. 2023; λ of Angelopoulos, Duchi & Zrnic 2023, PPI++): labels of a few
 * rows, predictions of these and of many more. However biased the predictions, the interval holds the mean of the labels.
 *
 * @param labels of the labelled rows; at least two
 * @param predicted for the same rows
 * @param unlabelled predictions for the other rows
 */
export function ppiMean(
  labels: Float64Array,
  predicted: Float64Array,
  unlabelled: Float64Array,
  z: number,
): PpiEstimate {
  const [few, many] = [labels.length, unlabelled.length];
  const spread = variance(Float64Array.of(...predicted, ...unlabelled));
  const lambda =
    many === 0 || spread === 0
      ? 0
      : Math.min(1, Math.max(0, covariance(labels, predicted) / ((1 + few / many) * spread)));
  const rest = labels.map((label, row) => label - lambda * predicted[row]!);
  const mean = meanOf(rest) + (many > 0 ? lambda * meanOf(unlabelled) : 0);
  const error = variance(rest) / few + (many > 0 ? (lambda ** 2 * variance(unlabelled)) / many : 0);
  const half = z * Math.sqrt(error);
  const effectiveLabels = error > 0 ? variance(labels) / error : few;
  return { mean, low: mean - half, high: mean + half, lambda, effectiveLabels };
}

/**
 * The rising step function nearest to the values by squares: pool adjacent violators (Ayer et al. 1955).
 *
 * @param values in the order of what they should rise with
 */
export function isotonic(values: Float64Array, weights: Float64Array): Float64Array {
  const blocks: { value: number; weight: number; size: number }[] = [];
  for (const [at, value] of values.entries()) {
    let own = { value, weight: weights[at]!, size: 1 };
    for (let before = blocks.at(-1); before && before.value >= own.value; before = blocks.at(-1)) {
      blocks.pop();
      const weight = before.weight + own.weight;
      own = {
        value: (before.value * before.weight + own.value * own.weight) / weight,
        weight,
        size: before.size + own.size,
      };
    }
    blocks.push(own);
  }
  return Float64Array.from(blocks.flatMap(({ value, size }) => Array<number>(size).fill(value)));
}

/**
 * The value at a place, linear between the points around it and as at the first or last one beyond them, as numpy's `interp`.
 *
 * @param points ascending by `x`, one at least
 */
export function interpolated(points: readonly { x: number; y: number }[], place: number): number {
  const above = points.findIndex(({ x }) => x >= place);
  const [low, high] = [points[above - 1], points[above]];
  if (high === undefined) return points.at(-1)!.y;
  if (low === undefined) return high.y;
  return low.y + ((place - low.x) / (high.x - low.x)) * (high.y - low.y);
}

/** The z of a two-sided interval: the inverse normal distribution (Acklam's approximation, error below 1.2e-9). */
export function normalQuantile(confidence: number): number {
  const share = (1 + confidence) / 2;
  const tail = Math.sqrt(-2 * Math.log(1 - share));
  if (share > 0.97575) {
    const above =
      ((((-7.784894002430293e-3 * tail - 0.3223964580411365) * tail - 2.400758277161838) * tail -
        2.549732539343734) *
        tail +
        4.374664141464968) *
        tail +
      2.938163982698783;
    const below =
      (((7.784695709041462e-3 * tail + 0.3224671290700398) * tail + 2.445134137142996) * tail +
        3.754408661907416) *
        tail +
      1;
    return -above / below;
  }
  const centre = share - 0.5;
  const square = centre * centre;
  const above =
    (((((-39.69683028665376 * square + 220.9460984245205) * square - 275.9285104469687) * square +
      138.357751867269) *
      square -
      30.66479806614716) *
      square +
      2.506628277459239) *
    centre;
  const below =
    ((((-54.47609879822406 * square + 161.5858368580409) * square - 155.6989798598866) * square +
      66.80131188771972) *
      square -
      13.28068155288572) *
      square +
    1;
  return above / below;
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** With n − 1; 0 of fewer than two values. */
function variance(values: Float64Array): number {
  return covariance(values, values);
}

function covariance(a: Float64Array, b: Float64Array): number {
  if (a.length < 2) return 0;
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  return a.reduce((sum, value, at) => sum + (value - meanA) * (b[at]! - meanB), 0) / (a.length - 1);
}
