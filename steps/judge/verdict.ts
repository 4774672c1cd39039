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
  const of = (pattern: string | undefined, usual: string) => new RegExp(pattern ?? usual, 'dgu');
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
  const match = (pattern: RegExp) => found(pattern, reason, patterns);
  if (given.mode === 'pairwise') {
    const matches = patterns.outcomes.flatMap(([outcome, pattern]) => {
      const place = match(pattern);
      return place ? [{ outcome, at: place.index }] : [];
    });
    const [verdict] = patterns.atEnd ? matches.sort((a, b) => b.at - a.at) : matches;
    return verdict
      ? { scores: null, shown: verdict.outcome, reason }
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

/** The match of a pattern that counts. */
function found(pattern: RegExp, text: string, { atEnd }: Patterns): RegExpExecArray | undefined {
  return [...text.matchAll(pattern)].at(atEnd ? -1 : 0);
}

/** Where in an answer the score of each criterion stands, in its own order; null if that cannot be told. */
export function scorePlaces(
  { format, criteria }: Given,
  { text, json }: { text: string; json: Json },
  patterns: Patterns,
): { criterion: string; at: number }[] | null {
  const names = criteria.length === 0 ? ['score'] : criteria.map(({ name }) => name);
  if (format === 'text') {
    const at = found(patterns.score, text, patterns)?.indices?.[1]?.[0];
    return at === undefined ? null : [{ criterion: names[0]!, at }];
  }
  // Within a text of JSON the quotes would be escaped: what is found is the member.
  const places = [...text.matchAll(/"score"\s*:\s*(?=\d)/g)].map(
    ({ index, 0: { length } }) => index + length,
  );
  const order = criteria.length === 0 ? names : Object.keys(json as JsonObject);
  if (places.length !== order.length) return null;
  return places.map((at, index) => ({ criterion: order[index]!, at }));
}

function outOfScale(score: number, { low, high }: Scale): string | null {
  return score >= low && score <= high ? null : `its score is ${score}, and the scale is ${low} to ${high}`;
}

function quoted(text: string): string {
  return text === '' ? 'an empty answer' : `"${text.length > 80 ? `…${text.slice(-80)}` : text}"`;
}
