import type { FromSchema } from '../../engine/schema-type.ts';
import type { parameters } from './parameters.ts';

/** The step's parameters, with their defaults. */
export type Given = FromSchema<typeof parameters>;

export interface Scale {
  low: number;
  high: number;
  /** Only whole numbers are scores. */
  whole: boolean;
}

export function scaleOf({ scale }: Given): Scale {
  const [low, high] = scale.split('-').map(Number) as [number, number];
  return { low, high, whole: scale !== '0-1' };
}

/** What the judges said of a row: the value that the row cache holds. */
export interface Judged {
  judgments: Judgment[];
}

export interface Judgment {
  judge: string;
  /** One for each order and sample. */
  verdicts: Verdict[];
  /** Why there is no usable verdict; null if there is. */
  failure: string | null;
}

export interface Verdict {
  /** Which answer stood first: of pairs only. */
  order: 'given' | 'swapped' | null;
  sample: number;
  /** 2 for a verdict after a second look, with the reasons for both answers at hand. */
  look: 1 | 2;
  /** By criterion; `score` is the only one where none is named. */
  scores: { [criterion: string]: number } | null;
  /** Of scores by their probabilities: what was said; null if there were no probabilities, so that it counts as said. */
  said?: { [criterion: string]: number } | null;
  /** Which answer is better, by its place in `answers`, whatever the order was. */
  winner: Outcome | null;
  reason: string;
}

export type Outcome = 'first' | 'second' | 'tie';

/** The criteria by name and weight; the answer as a whole is one, too. */
export function criteriaOf({ criteria }: Given): { name: string; weight: number }[] {
  return criteria.length === 0 ? [{ name: 'score', weight: 1 }] : criteria;
}

/** What `winner` says for each outcome. */
export function labelsOf({ labels, answers }: Given): { [outcome in Outcome]: string | number } {
  const [first, second, tie] = labels ?? [...(answers ?? []), 'tie'];
  return { first: first!, second: second!, tie: tie! };
}
