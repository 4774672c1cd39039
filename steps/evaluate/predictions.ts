import type { TableInput } from '../../engine/step.ts';
import type { Classified } from '../../numerics/classification-metrics.ts';
import { nameOf } from './labels.ts';

export interface Predictions {
  /** Rows of a class, with class and prediction numbered alike. */
  classified: Classified;
  /** Class names by number: sorted by code units. */
  names: string[];
  /** Scores of all rows that have one, and which of them are of no class. */
  ranking: { scores: Float64Array; positive: Uint8Array };
  withoutTruth: number;
  withoutPrediction: number;
  withoutScore: number;
  outOfScope: number;
  /** Rows of no class that were predicted to be so. */
  outOfScopeFound: number;
}

/** Reads truth, prediction and score. Values that print alike (1 and "1") are one class; null, empty and blank ones are none. */
export async function readPredictions(
  table: TableInput,
  fields: { truth: string; prediction: string; score: string },
  outLabel: string | undefined,
): Promise<Predictions> {
  const truths: string[] = [];
  const given: string[] = [];
  const scores: number[] = [];
  const positive: number[] = [];
  const counts = {
    withoutTruth: 0,
    withoutPrediction: 0,
    withoutScore: 0,
    outOfScope: 0,
    outOfScopeFound: 0,
  };
  for await (const block of table.blocks()) {
    for (const row of block) {
      const truth = nameOf(row[fields.truth] ?? null);
      const prediction = nameOf(row[fields.prediction] ?? null);
      if (truth === '') counts.withoutTruth++;
      else if (prediction === '') counts.withoutPrediction++;
      else {
        const isOut = truth === outLabel;
        if (outLabel !== undefined) {
          const score = row[fields.score];
          if (typeof score === 'number') {
            scores.push(score);
            positive.push(isOut ? 1 : 0);
          } else counts.withoutScore++;
        }
        if (isOut) {
          counts.outOfScope++;
          if (prediction === outLabel) counts.outOfScopeFound++;
          continue;
        }
        truths.push(truth);
        given.push(prediction);
      }
    }
  }
  const names = [...new Set([...truths, ...given])].sort();
  const numbers = new Map(names.map((name, number) => [name, number]));
  const numbered = (list: string[]) => Int32Array.from(list, (name) => numbers.get(name)!);
  return {
    classified: { truth: numbered(truths), predicted: numbered(given), classes: names.length },
    names,
    ranking: { scores: Float64Array.from(scores), positive: Uint8Array.from(positive) },
    ...counts,
  };
}
