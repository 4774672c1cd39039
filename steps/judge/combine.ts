import { significant } from '../significant.ts';
import type { Given, Judged, Judgment, Outcome } from './given.ts';
import { criteriaOf } from './given.ts';

/** What one judge, or all of them together, say of a row. */
export interface Finding {
  /**
   * Score mode: of the answer as a whole, and by criterion. Means are rounded, so that judges who say the same say it in
   * the same bits: the mean of three times 0.7 is 0.7, and not below a threshold of 0.7.
   */
  score: number | null;
  scores: { [criterion: string]: number };
  winner: Outcome | null;
}

/** What a judge comes to over its orders and samples; null if its verdict is not usable. */
export function findingOf(given: Given, { verdicts, failure }: Judgment): Finding | null {
  if (failure !== null) return null;
  if (given.mode === 'pairwise') return { score: null, scores: {}, winner: winnerOf(verdicts) };
  const criteria = criteriaOf(given);
  const scores = Object.fromEntries(
    criteria.map(({ name }) => [name, mean(verdicts.map((verdict) => verdict.scores![name]!))]),
  );
  return {
    score: overallScore(criteria, scores),
    scores: Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, significant(score)])),
    winner: null,
  };
}

/**
 * In each order, what most samples say; an answer wins only if it does in every order (Zheng et al. 2023). A tie of samples is
 * a tie.
 */
function winnerOf(verdicts: Judgment['verdicts']): Outcome {
  const orders = [...new Set(verdicts.map(({ order }) => order))];
  const winners = orders.map((order) =>
    vote(verdicts.filter((verdict) => verdict.order === order).map(({ winner }) => [winner!, 1] as const)),
  );
  return winners.every((winner) => winner === winners[0]) ? winners[0]! : 'tie';
}

/** What the judges come to together, but for those without a vote; nothing if none of the others has a verdict. */
export function panelFinding(
  given: Given,
  { judgments }: Judged,
  withoutVote: ReadonlySet<string> = new Set(),
): Finding {
  const found = judgments.flatMap((judgment) => {
    const finding = withoutVote.has(judgment.judge) ? null : findingOf(given, judgment);
    return finding ? [{ finding, weight: weightOf(given, judgment.judge) }] : [];
  });
  if (found.length === 0) return { score: null, scores: {}, winner: null };
  if (given.mode === 'pairwise') {
    // Where judges may not say that neither is better, a tie is that of the two orders: no vote.
    const votes = found.filter(({ finding }) => given.ties || finding.winner !== 'tie');
    const winner = vote(votes.map(({ finding, weight }) => [finding.winner!, weight] as const));
    return { score: null, scores: {}, winner };
  }
  const over = (read: (finding: Finding) => number) =>
    combined(
      given,
      found.map(({ finding, weight }) => ({ score: read(finding), weight })),
    );
  const scores = Object.fromEntries(
    criteriaOf(given).map(({ name }) => [name, over(({ scores }) => scores[name]!)]),
  );
  // The vote and the minimum are of the judges' own scores, not of what they come to for each criterion.
  return { score: over(({ score }) => score!), scores, winner: null };
}

function combined(given: Given, scores: readonly { score: number; weight: number }[]): number {
  switch (given.combine ?? 'mean') {
    case 'minimum':
      return Math.min(...scores.map(({ score }) => score));
    case 'vote':
      return mostFrequent(scores.map(({ score }) => score));
    default: {
      const total = scores.reduce((sum, { weight }) => sum + weight, 0);
      return significant(scores.reduce((sum, { score, weight }) => sum + score * weight, 0) / total);
    }
  }
}

function weightOf({ combine, weights }: Given, judge: string): number {
  return combine === 'weighted' ? (weights?.[judge] ?? 1) : 1;
}

/** The outcome with the greatest weight; a tie if no single one has it. */
export function vote(votes: readonly (readonly [Outcome, number])[]): Outcome {
  const sums = { first: 0, second: 0, tie: 0 };
  for (const [outcome, weight] of votes) sums[outcome] += weight;
  // Rounded: weights of 0.1 and 0.2 are as much as one of 0.3.
  const most = significant(Math.max(...Object.values(sums)));
  const leading = (['first', 'second', 'tie'] as const).filter(
    (outcome) => significant(sums[outcome]) === most,
  );
  return leading.length === 1 ? leading[0]! : 'tie';
}

/** The value given most often; of several the lowest. */
function mostFrequent(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, often], [b, oftener]) => oftener - often || a - b)[0]![0];
}

/** The score of the answer as a whole: of its scores by criterion, as they are weighted. */
export function overallScore(
  criteria: readonly { name: string; weight: number }[],
  scores: { [criterion: string]: number },
): number {
  const total = criteria.reduce((sum, { weight }) => sum + weight, 0);
  return significant(criteria.reduce((sum, { name, weight }) => sum + scores[name]! * weight, 0) / total);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
