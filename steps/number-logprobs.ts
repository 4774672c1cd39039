import type { Answer, TokenLogprob } from '../engine/language-model.ts';

/** Tokens beside the one chosen whose probability is asked for: what providers give at most. */
export const topLogprobs = 20;

/**
 * How likely each of the numbers `low` to `high` was where an answer says one of them, put to a sum of 1; null if the
 * provider gave no probabilities, or if the token there says more or less than the number, as where numbers are longer than a token.
 *
 * @param place of the number in the answer's text
 */
export function numberProbabilities(
  answer: Pick<Answer, 'text' | 'logprobs'>,
  place: number,
  { said, low, high }: { said: number; low: number; high: number },
): number[] | null {
  const token = tokenAt(answer, place);
  if (token === null || numberIn(token.token) !== said) return null;
  const shares = new Array<number>(high - low + 1).fill(0);
  const seen = new Set<string>();
  for (const one of [...token.top, token]) {
    if (seen.has(one.token)) continue;
    seen.add(one.token);
    const number = numberIn(one.token);
    if (number !== null && number >= low && number <= high) shares[number - low]! += Math.exp(one.logprob);
  }
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum > 0 ? shares.map((share) => share / sum) : null;
}

/**
 * The token in which a place of the answer stands; null if the provider gave none. Tokens may begin with thinking that is
 * no part of the text, so that they are matched to it from the end.
 */
function tokenAt(
  { text, logprobs = [] }: Pick<Answer, 'text' | 'logprobs'>,
  place: number,
): TokenLogprob | null {
  const start = logprobs
    .map(({ token }) => token)
    .join('')
    .lastIndexOf(text);
  if (start < 0) return null;
  let end = 0;
  for (const found of logprobs) {
    end += found.token.length;
    if (end > start + place) return found;
  }
  return null;
}

/** The number that a token is; null if it is none. */
function numberIn(token: string): number | null {
  const number = /^\s*(\d+)[\s.)]*$/.exec(token)?.[1];
  return number === undefined ? null : Number(number);
}
