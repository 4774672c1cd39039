import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { significant } from '../significant.ts';
import type { Verdict } from './equivalence.ts';
import type { Size } from './measure.ts';
import type { Given } from './settings.ts';
import type { Compressed } from './task.ts';

/** What is filed for a row. */
export interface Value extends Compressed {
  /** Why it is rejected whatever the models find. */
  flaws: string[];
  verdicts: Verdict[];
  /** Parts that a model read it in. */
  parts: number;
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
    parts: 1,
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

/** How many rows each threshold would accept, and how short they are: a row for each step of 0.05. */
export function* sweepOf(compared: readonly { score: number; before: Size; after: Size }[]): Generator<Row> {
  for (let step = 0; step <= 20; step++) {
    const threshold = step / 20;
    const accepted = compared.filter(({ score }) => score >= threshold - 1e-9);
    const sum = (of: (row: { before: Size; after: Size }) => number) =>
      accepted.reduce((total, row) => total + of(row), 0);
    const tokens = sum(({ before }) => before.tokens);
    yield {
      id: threshold.toFixed(2),
      threshold,
      accepted: accepted.length,
      accepted_share: significant(accepted.length / compared.length),
      token_ratio: tokens === 0 ? null : significant(sum(({ after }) => after.tokens) / tokens),
    };
  }
}

export function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
