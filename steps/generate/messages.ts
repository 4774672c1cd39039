import type { JsonObject } from '../../engine/json.ts';
import type { Message } from '../../engine/language-model.ts';
import type { Prompt } from '../../models/language/prompt.ts';

export interface Texts {
  prompt: Prompt;
  system: Prompt | null;
}

/** An example of a question and the answer to it, in front of every row's own question. */
export interface Example {
  /** Fields for the prompt, or the question as it stands. */
  input: string | JsonObject;
  output: string | JsonObject;
}

/** The conversation up to a row's question. `values`: the row's fields, and `params`. */
export function messagesOf(
  { prompt, system }: Texts,
  examples: readonly Example[],
  values: JsonObject,
): Message[] {
  const messages: Message[] = [];
  if (system !== null) messages.push({ role: 'system', content: system.render(values) });
  for (const { input, output } of examples) {
    const { params } = values;
    const none = Object.fromEntries(prompt.fields.map((field) => [field, null]));
    const question =
      typeof input === 'string' ? input : prompt.render({ ...none, ...input, params: params! });
    messages.push({ role: 'user', content: question });
    messages.push({
      role: 'assistant',
      content: typeof output === 'string' ? output : JSON.stringify(output),
    });
  }
  messages.push({ role: 'user', content: prompt.render(values) });
  return messages;
}
