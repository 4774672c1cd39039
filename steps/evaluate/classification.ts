import type { Row } from '../../engine/artefacts.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepResult } from '../../engine/step.ts';
import {
  auroc,
  type BootstrapTask,
  type ClassificationScores,
  classificationScores,
  confusion,
  type Interval,
  type Intervals,
  moduleUrl,
} from '../../numerics/classification-metrics.ts';
import { significant } from '../significant.ts';
import { type Predictions, readPredictions } from './predictions.ts';
import { type ClassScoring, nothingToScore } from './scoring.ts';

/** The confusion matrix is a square of them. */
const mostClasses = 5000;

/** Predictions against classes. */
export async function scoreClassification({
  parameters,
  inputs,
  outputs,
  context,
}: ClassScoring): Promise<StepResult> {
  const { truth, prediction, resamples, out_of_scope_label: outLabel } = parameters;
  const found = await readPredictions(inputs.rows, parameters, outLabel);
  const { classified, names, ranking } = found;
  const rows = classified.truth.length;
  if (rows === 0) throw nothingToScore(inputs.rows, [truth, prediction]);
  if (names.length > mostClasses)
    throw new StepError(
      'too-many-classes',
      `${truth} and ${prediction} have ${names.length} different values`,
      'classes are few: are these the right fields?',
    );
  const total = inputs.rows.rows;
  for (const [field, count] of [
    [truth, found.withoutTruth],
    [prediction, found.withoutPrediction],
    [parameters.score, found.withoutScore],
  ] as const)
    if (count > 0) context.warn(`${count} of ${total} rows have no ${field}; they are not scored`);
  const area = outLabel === undefined ? Number.NaN : auroc(ranking.scores, ranking.positive);
  if (outLabel !== undefined && Number.isNaN(area))
    context.warn(
      `there is no auroc: it takes rows with ${truth} ${outLabel}, and others, with a ${parameters.score}`,
    );
  const scores = classificationScores(classified);
  const intervals =
    resamples === 0
      ? undefined
      : await context.pool.run<BootstrapTask, Intervals>(moduleUrl, 'bootstrapIntervals', {
          classified,
          ...(Number.isNaN(area) ? {} : { ranking }),
          resamples,
          confidence: parameters.confidence_level,
          seed: context.random('bootstrap').seed(),
        });
  for (const row of classRows(found, scores)) await outputs.rows.write(row);
  for (const row of confusionRows(found, scores)) await outputs.contingency.write(row);
  return {
    metrics: {
      accuracy: significant(scores.accuracy),
      ...bounds('accuracy', intervals?.accuracy),
      macro_f1: significant(scores.macroF1),
      ...bounds('macro_f1', intervals?.macroF1),
      micro_f1: significant(scores.microF1),
      weighted_f1: significant(scores.weightedF1),
      macro_precision: significant(scores.macroPrecision),
      macro_recall: significant(scores.macroRecall),
      balanced_accuracy: significant(scores.balancedAccuracy),
      mcc: significant(scores.mcc),
      ...(Number.isNaN(scores.kappa) ? {} : { kappa: significant(scores.kappa) }),
      ...(Number.isNaN(area) ? {} : { auroc: significant(area) }),
      ...bounds('auroc', intervals?.auroc),
      ...(outLabel === undefined ? {} : { out_of_scope: found.outOfScope }),
      ...(found.outOfScope === 0
        ? {}
        : { out_of_scope_recall: significant(found.outOfScopeFound / found.outOfScope) }),
      classes: names.length,
      rows,
      excluded: found.withoutTruth + found.withoutPrediction,
    },
  };
}

function bounds(name: string, interval: Interval | undefined): { [metric: string]: number } {
  if (interval === undefined) return {};
  return { [`${name}_low`]: significant(interval[0]), [`${name}_high`]: significant(interval[1]) };
}

/** A row for each class, largest first. */
function classRows({ names, classified }: Predictions, scores: ClassificationScores): Row[] {
  const counts = confusion(classified);
  return bySize(scores).map((own) => {
    let mixed: number | undefined;
    for (let other = 0; other < names.length; other++) {
      const count = counts[own * names.length + other]!;
      if (other === own || count === 0) continue;
      if (mixed === undefined || count > counts[own * names.length + mixed]!) mixed = other;
    }
    return {
      id: names[own]!,
      class: names[own]!,
      size: scores.support[own]!,
      predicted: scores.predicted[own]!,
      precision: significant(scores.precision[own]!),
      recall: significant(scores.recall[own]!),
      f1: significant(scores.f1[own]!),
      mixed_with: mixed === undefined ? null : names[mixed]!,
    };
  });
}

/** The cells that are not 0: classes largest first, and in each what most of its rows were given. */
function confusionRows({ names, classified }: Predictions, scores: ClassificationScores): Row[] {
  const counts = confusion(classified);
  return bySize(scores).flatMap((own) => {
    const cells = counts.subarray(own * names.length, (own + 1) * names.length);
    return [...cells.keys()]
      .filter((other) => cells[other]! > 0)
      .sort((a, b) => cells[b]! - cells[a]! || a - b)
      .map((other): Row => {
        const [name, predicted] = [names[own]!, names[other]!];
        return { id: JSON.stringify([name, predicted]), class: name, predicted, count: cells[other]! };
      });
  });
}

function bySize({ support }: ClassificationScores): number[] {
  return [...support.keys()].sort((a, b) => support[b]! - support[a]! || a - b);
}
