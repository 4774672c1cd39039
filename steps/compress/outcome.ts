import type { Json } from '../../engine/json.ts';
import { significant } from '../significant.ts';
import type { Verdict } from './equivalence.ts';
import type { Given } from './settings.ts';
import type { Compressed } from './task.ts';

/** What is filed for a row. */
export interface Value extends Compressed {
  /** Why it is rejected whatever the models find. */
  flaws: string[];
  verdicts: Verdict[];
}

/** A model that was shown no fence may put one around its whole answer. */
export function unfenced(original: string, answer: string): string {
  const inside = /^\s*```[^\n]*\n([\s\S]*?)\n?```\s*$/.exec(answer)?.[1];
  return inside === undefined || /^\s*```/.test(original) ? answer : inside;
}

export function outcomeOf(found: Compressed, given: Given): Value {
  const { before, after, domain, flaws } = found;
  const usual = given.method !== 'model' || domain !== 'text' ? 1 : 0.95;
  const tooLong = (what: 'characters' | 'tokens', most: number) =>
    before.words > 0 && after[what] > most * before[what] + 1e-9
      ? [
          `ratio: ${percent(after[what] / before[what])} of its ${what} are left, ${percent(most)} at most are allowed`,
        ]
      : [];
  return {
    ...found,
    flaws: [
      ...flaws,
      ...tooLong('characters', given.max_char_ratio ?? usual),
      ...tooLong('tokens', given.max_token_ratio ?? usual),
    ],
    verdicts: [],
  };
}

function percent(share: number): string {
  return `${significant(100 * share)} %`;
}

export function unlike(verdicts: readonly Verdict[], score: number, threshold: number): string {
  const reasons = verdicts
    .filter((verdict) => verdict.score < threshold)
    .map(({ model, score: own, reason }) => `${model} ${significant(own)}: ${reason}`);
  return `equivalence: ${significant(score)} is below ${threshold} (${reasons.join('; ')})`;
}

export function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
