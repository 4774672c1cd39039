import type { Scores } from '../../models/heads/score.ts';

export interface Decision {
  /** Column of the class with the greatest probability; of equals the first. */
  best: number;
  confidence: number;
  /** How far its probability is ahead of the second; of one class its own. */
  margin: number;
  outOfScope: number;
}

/** What the scores say of each row. */
export function decide(
  { scores, probabilities }: Scores,
  classes: number,
  measure: 'max_probability' | 'energy',
): Decision[] {
  return Array.from({ length: probabilities.length / classes }, (_, row) => {
    let best = 0;
    let first = Number.NEGATIVE_INFINITY;
    let second = 0;
    for (let j = 0; j < classes; j++) {
      const value = probabilities[row * classes + j]!;
      if (value > first) {
        if (j > 0) second = first;
        first = value;
        best = j;
      } else if (value > second) second = value;
    }
    const outOfScope = measure === 'energy' ? energy(scores, row * classes, classes) : 1 - first;
    return { best, confidence: first, margin: first - second, outOfScope };
  });
}

/** −log Σ exp(score). */
function energy(scores: Float32Array, start: number, size: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let at = start; at < start + size; at++) most = Math.max(most, scores[at]!);
  let sum = 0;
  for (let at = start; at < start + size; at++) sum += Math.exp(scores[at]! - most);
  return -(most + Math.log(sum));
}
