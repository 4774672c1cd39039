import { StepError } from '../../engine/problems.ts';
import type { StepResult } from '../../engine/step.ts';
import { interpolated, isotonic, meanEstimate, normalQuantile, ppiMean } from '../../numerics/calibration.ts';
import { spearman } from '../../numerics/rank-correlation.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import type { Scoring } from './scoring.ts';

/** Scores beyond so many different ones are put together, as many rows in each. */
const mostBins = 20;

/** What a judge's scores are worth in people's: a few rows have both, and the mean of all is estimated from them. */
export async function scoreCalibration({
  parameters,
  inputs,
  outputs,
  context,
}: Scoring): Promise<StepResult> {
  const { truth, confidence_level } = parameters;
  const prediction = parameters.prediction ?? 'score';
  requireFields(inputs.rows, [truth!, prediction]);
  const labels: number[] = [];
  const predicted: number[] = [];
  const unlabelled: number[] = [];
  let excluded = 0;
  for await (const block of inputs.rows.blocks()) {
    for (const row of block) {
      const [label, score] = [row[truth!] ?? null, row[prediction] ?? null];
      if (typeof score !== 'number') excluded++;
      else if (typeof label === 'number') {
        labels.push(label);
        predicted.push(score);
      } else unlabelled.push(score);
    }
  }
  if (labels.length < 2)
    throw new StepError(
      'nothing-to-score',
      `${labels.length} of ${inputs.rows.rows} rows have both ${truth} and ${prediction} as numbers`,
      'calibration needs two at least; a hundred make it worth something',
    );
  if (excluded > 0)
    context.warn(`${excluded} of ${inputs.rows.rows} rows have no ${prediction}; they do not count`);
  const [own, judge, rest] = [labels, predicted, unlabelled].map((list) => Float64Array.from(list)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const z = normalQuantile(confidence_level);
  const alone = meanEstimate(own, z);
  const estimate = ppiMean(own, judge, rest, z);
  const bins = binsOf(judge, own);
  const fit = isotonic(
    Float64Array.from(bins, ({ labels: sum, rows }) => sum / rows),
    Float64Array.from(bins, ({ rows }) => rows),
  );
  for (const [index, bin] of bins.entries())
    await outputs.rows.write({
      id: `${bin.low}`,
      [prediction]: significant(bin.scores / bin.rows),
      from: bin.low,
      to: bin.high,
      rows: bin.rows,
      mean_truth: significant(bin.labels / bin.rows),
      calibrated: significant(fit[index]!),
    });
  // Within a bin its own value counts.
  const curve = bins.flatMap(({ low, high }, index) =>
    [...new Set([low, high])].map((score) => ({ x: score, y: fit[index]! })),
  );
  outputs.calibrated.expect([...inputs.rows.fields, 'calibrated']);
  for await (const block of inputs.rows.blocks())
    for (const row of block) {
      const score = row[prediction];
      if (typeof score === 'number')
        await outputs.calibrated.write({ ...row, calibrated: significant(interpolated(curve, score)) });
    }
  const rank = spearman(own, judge);
  const absolute = own.reduce((sum, label, at) => sum + Math.abs(label - judge[at]!), 0) / own.length;
  const bias = own.reduce((sum, label, at) => sum + judge[at]! - label, 0) / own.length;
  return {
    metrics: {
      estimate: significant(estimate.mean),
      estimate_low: significant(estimate.low),
      estimate_high: significant(estimate.high),
      labels_mean: significant(alone.mean),
      labels_low: significant(alone.low),
      labels_high: significant(alone.high),
      trust: significant(estimate.lambda),
      effective_labels: significant(estimate.effectiveLabels),
      bias: significant(bias),
      mean_absolute_error: significant(absolute),
      ...(Number.isNaN(rank) ? {} : { spearman: significant(rank) }),
      labelled: labels.length,
      rows: labels.length + unlabelled.length,
      excluded,
    },
  };
}

interface Bin {
  low: number;
  high: number;
  rows: number;
  scores: number;
  labels: number;
}

/** Rows by their score: one bin for each score, or for neighbouring scores where there are many. */
function binsOf(scores: Float64Array, labels: Float64Array): Bin[] {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  const different = new Set(scores).size;
  const size = different <= mostBins ? 1 : Math.ceil(scores.length / mostBins);
  const bins: Bin[] = [];
  for (const row of order) {
    const [score, label] = [scores[row]!, labels[row]!];
    const last = bins.at(-1);
    // Equal scores are never torn apart.
    if (last && (score === last.high || (size > 1 && last.rows < size))) {
      last.high = score;
      last.rows++;
      last.scores += score;
      last.labels += label;
    } else bins.push({ low: score, high: score, rows: 1, scores: score, labels: label });
  }
  return bins;
}
