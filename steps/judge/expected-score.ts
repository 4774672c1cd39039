import type { Answer } from '../../engine/language-model.ts';
import { numberProbabilities } from '../number-logprobs.ts';
import { significant } from '../significant.ts';
import { type Given, scaleOf } from './given.ts';
import { type Patterns, scorePlaces } from './verdict.ts';

/**
 * Scores to expect by the probabilities of the tokens that say them, Σ p(s)·s over the scale (G-Eval, Liu et al. 2023); null
 * where the answer has no probabilities of one of them.
 *
 * @param said scores as they were read from the answer, by criterion
 */
export function expectedScores(
  given: Given,
  answer: Answer,
  patterns: Patterns,
  said: { readonly [criterion: string]: number },
): { [criterion: string]: number } | null {
  const places = scorePlaces(given, answer, patterns);
  if (places === null) return null;
  const { low, high } = scaleOf(given);
  const scores: { [criterion: string]: number } = {};
  for (const { criterion, at } of places) {
    const shares = numberProbabilities(answer, at, { said: said[criterion]!, low, high });
    if (shares === null) return null;
    scores[criterion] = significant(shares.reduce((sum, share, index) => sum + share * (low + index), 0));
  }
  return scores;
}
