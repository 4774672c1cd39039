import type { Json, JsonObject } from '../../engine/json.ts';
import type { Message } from '../../engine/language-model.ts';
import type { Prompt } from '../../models/language/prompt.ts';
import type { Candidate } from './few-shot.ts';

export interface Texts {
  prompt: Prompt;
  system: Prompt | null;
}

/** An example of a question and the answer to it, in front of every row's own question. */
export interface Example {
  /** Fields for the prompt, or the question as it stands. */
  input: string | JsonObject;
  output: Json;
}

/** Examples as they are shown. `scope`: `params` and `matrix`. A field that an example lacks is empty. */
export function shownExamples(prompt: Prompt, examples: readonly Example[], scope: JsonObject): Candidate[] {
  const none = Object.fromEntries(prompt.fields.map((field) => [field, null]));
  return examples.map(({ input, output }) => ({
    question: typeof input === 'string' ? input : prompt.render({ ...none, ...input, ...scope }),
    answer: typeof output === 'string' ? output : JSON.stringify(output),
  }));
}

/** The conversation up to a row's question. `values`: the row's fields, `params` and `matrix`. */
export function messagesOf(
  { prompt, system }: Texts,
  examples: readonly Candidate[],
  values: JsonObject,
): Message[] {
  return [
    ...(system === null ? [] : [{ role: 'system' as const, content: system.render(values) }]),
    ...examples.flatMap(({ question, answer }) => [
      { role: 'user' as const, content: question },
      { role: 'assistant' as const, content: answer },
    ]),
    { role: 'user', content: prompt.render(values) },
  ];
}
