import type { Json, JsonObject } from '../../engine/json.ts';
import type { Message } from '../../engine/language-model.ts';
import { RowFailure } from '../../engine/step.ts';
import { chunksOf } from '../../models/language/chunks.ts';
import { tokensOf } from '../../models/language/cost.ts';
import { type LongTextMethod, mapReduce, refine } from '../../models/language/long-text.ts';
import { compilePrompt, type Prompt } from '../../models/language/prompt.ts';

/** Of a model's context, what a request may take: its answer needs room as well, and counts are not exact. */
export const contextShare = 0.8;
/** Parts with room for fewer tokens would be no texts. */
const smallestPart = 50;

/** How the answers for parts become one. */
export const combinePrompt = `A text was too long to be read at once. Below are the answers to one request for each of its parts, in order. Put them together to one answer to the request for the whole text, in the same form.

The request, without the text:
{{request}}
{{#each answers}}

The answer for the next part:
{{this}}
{{/each}}`;

const refinePrompt = `{{request}}

The text above is part {{number}} of {{of}} of a longer one. This is the answer for the parts before it:
{{answer}}

Give the answer for all parts so far, in the same form.`;

/** An answer to a row's question, and in how many parts its text was read, if in more than one. */
export interface Sample {
  text: string;
  json: Json | null;
  parts?: number;
}

export interface LongInput {
  /** Tokens that a request may have. */
  readonly limit: number;
  readonly count: (text: string) => number;
  readonly method: LongTextMethod | 'fail';
  /** The field that is cut; null: the longest text among those of the prompt. */
  readonly field: string | null;
  readonly combine: Prompt;
}

/** A row's question as messages, with the row's fields as they are or one of them replaced. */
export type MessagesOf = (values: JsonObject) => Message[];

/**
 * Asks about a row whose question is too long for the model, part by part. A RowFailure if it has no text that could be
 * cut, or no room is left for one.
 */
export async function askInParts(
  { limit, count, method, field, combine }: LongInput,
  options: {
    values: JsonObject;
    fields: readonly string[];
    messagesOf: MessagesOf;
    ask(messages: Message[]): Promise<Sample>;
  },
): Promise<Sample> {
  const { values, messagesOf, ask } = options;
  const name = field ?? longest(values, options.fields);
  const text = name === null ? null : values[name];
  const tokens = tokensOf(messagesOf(values), count);
  const tooLong = `the prompt has ${tokens} tokens, and the model takes ${limit}`;
  if (method === 'fail') throw new RowFailure(tooLong);
  if (name === null || typeof text !== 'string')
    throw new RowFailure(
      `${tooLong}; ${name === null ? 'none of its fields is a text' : `its field ${name} is no text`} that could be cut`,
    );
  const withText = (part: string) => messagesOf({ ...values, [name]: part });
  const request = withText('[…]').at(-1)!.content;
  // What stands around a part: with `refine`, the answer so far as well.
  const around = tokensOf(withText(''), count) + (method === 'refine' ? Math.ceil(limit / 4) : 0);
  const room = limit - around;
  if (room < smallestPart)
    throw new RowFailure(`${tooLong}; without its field ${name} it has ${around} of them`);
  const parts = chunksOf(text, room, count);
  const lastSaid = (messages: Message[], content: string): Message[] => [
    ...messages.slice(0, -1),
    { ...messages.at(-1)!, content },
  ];
  const combined = (answers: readonly Sample[]) =>
    lastSaid(withText(''), combine.render({ request, answers: answers.map((answer) => answer.text) }));
  const answer =
    method === 'map_reduce'
      ? await mapReduce({
          parts,
          map: (part) => ask(withText(part)),
          reduce: (answers) => ask(combined(answers)),
          fits: (answers) => tokensOf(combined(answers), count) <= limit,
        })
      : await refine<Sample>({
          parts,
          first: (part) => ask(withText(part)),
          next(before, part, index) {
            const messages = withText(part);
            const shown = {
              request: messages.at(-1)!.content,
              number: index + 1,
              of: parts.length,
              answer: before.text,
            };
            return ask(lastSaid(messages, compilePrompt(refinePrompt).render(shown)));
          },
        });
  return { ...answer, parts: parts.length };
}

function longest(values: JsonObject, fields: readonly string[]): string | null {
  let found: string | null = null;
  let most = 0;
  for (const name of fields) {
    const value = values[name];
    if (typeof value !== 'string' || value.length <= most) continue;
    found = name;
    most = value.length;
  }
  return found;
}
