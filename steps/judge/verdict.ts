import type { Json, JsonObject } from '../../engine/json.ts';
import { criteriaOf, type Given, type Outcome, type Scale, scaleOf } from './given.ts';

/** What an answer says, or why it says nothing that could be used. */
export type Reading =
  | { scores: { [criterion: string]: number } | null; shown: Outcome | null; reason: string }
  | { unusable: string };

/** JSON Schema of a judge's answer: reasons come first, so that the verdict follows from them. */
export function verdictSchema(given: Given): JsonObject {
  const object = (properties: JsonObject): JsonObject => ({
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  });
  const reason = { type: 'string' };
  if (given.mode === 'pairwise')
    return object({ reason, winner: { type: 'string', enum: given.ties ? ['A', 'B', 'tie'] : ['A', 'B'] } });
  const { low, high, whole } = scaleOf(given);
  const score = { type: whole ? 'integer' : 'number', minimum: low, maximum: high };
  const scored = object({ reason, score });
  if (given.criteria.length === 0) return scored;
  return object(Object.fromEntries(given.criteria.map(({ name }) => [name, scored])));
}

/** Reads an answer that fits the schema. */
export function readJson(given: Given, json: Json): Reading {
  const answer = json as JsonObject;
  if (given.mode === 'pairwise') {
    const shown = ({ A: 'first', B: 'second', tie: 'tie' } as const)[answer['winner'] as 'A' | 'B' | 'tie'];
    return { scores: null, shown, reason: String(answer['reason']) };
  }
  if (given.criteria.length === 0)
    return {
      scores: { score: Number(answer['score']) },
      shown: null,
      reason: String(answer['reason']),
    };
  const each = given.criteria.map(({ name }) => ({ name, ...(answer[name] as JsonObject) })) as {
    name: string;
    score: number;
    reason: string;
  }[];
  return {
    scores: Object.fromEntries(each.map(({ name, score }) => [name, score])),
    shown: null,
    reason: each.map(({ name, reason }) => `${name}: ${reason}`).join('\n'),
  };
}

/** Patterns that find a verdict in a text; what is not given is as in MT-bench (Zheng et al. 2023). */
export interface Patterns {
  outcomes: readonly (readonly [Outcome, RegExp])[];
  score: RegExp;
  /** Of several verdicts in a text the last one counts, not the first one by the order of the patterns. */
  atEnd: boolean;
}

export function compilePatterns({
  patterns,
  ties,
  atEnd,
}: Pick<Given, 'patterns' | 'ties'> & { atEnd: boolean }): Patterns {
  const of = (pattern: string | undefined, usual: string) => new RegExp(pattern ?? usual, 'gu');
  return {
    atEnd,
    outcomes: [
      ['first', of(patterns.first, '\\[\\[A\\]\\]')],
      ['second', of(patterns.second, '\\[\\[B\\]\\]')],
      ...(ties ? [['tie', of(patterns.tie, '\\[\\[C\\]\\]')] as const] : []),
    ],
    score: of(patterns.score, '\\[\\[(\\d+(?:\\.\\d+)?)\\]\\]'),
  };
}

/** Reads a verdict from a text. The whole text is its reason. */
export function readText(given: Given, text: string, patterns: Patterns): Reading {
  const reason = text.trim();
  const match = (pattern: RegExp) => [...reason.matchAll(pattern)].at(patterns.atEnd ? -1 : 0);
  if (given.mode === 'pairwise') {
    const matches = patterns.outcomes.flatMap(([outcome, pattern]) => {
      const found = match(pattern);
      return found ? [{ outcome, at: found.index }] : [];
    });
    const [found] = patterns.atEnd ? matches.sort((a, b) => b.at - a.at) : matches;
    return found
      ? { scores: null, shown: found.outcome, reason }
      : { unusable: `there is no verdict in ${quoted(reason)}` };
  }
  const number = match(patterns.score)?.[1];
  if (number === undefined) return { unusable: `there is no score in ${quoted(reason)}` };
  const score = Number(number);
  const wrong = outOfScale(score, scaleOf(given));
  return wrong === null
    ? { scores: { [criteriaOf(given)[0]!.name]: score }, shown: null, reason }
    : { unusable: wrong };
}

function outOfScale(score: number, { low, high }: Scale): string | null {
  return score >= low && score <= high ? null : `its score is ${score}, and the scale is ${low} to ${high}`;
}

function quoted(text: string): string {
  return text === '' ? 'an empty answer' : `"${text.length > 80 ? `…${text.slice(-80)}` : text}"`;
}
