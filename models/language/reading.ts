import type { Json, JsonObject } from '../../engine/json.ts';
import type { Message } from '../../engine/language-model.ts';
import { type Failed, unusable } from './failures.ts';
import type { OutputChecks } from './output.ts';
import type { ProviderAnswer } from './provider.ts';
import { sanitized } from './sanitize.ts';

/** What is wrong with an answer, and the messages to ask once more with; null where that would be no use. */
export interface Unread {
  readonly failed: Failed;
  readonly again: readonly Message[] | null;
}

/** The text of an answer that is whole, without what is no part of it; or what is wrong with it. */
export async function readAnswer(
  { text: raw, finish }: ProviderAnswer,
  schema: JsonObject | null,
  messages: readonly Message[],
  checks: OutputChecks,
): Promise<{ text: string; json: Json | null } | Unread> {
  if (finish === 'length') return { failed: unusable.truncated(), again: null };
  if (finish === 'refused') return { failed: unusable.refused(raw), again: null };
  const cleaned = sanitized(raw, messages.map(({ content }) => content).join('\n'));
  if ('dirt' in cleaned) return { failed: unusable[cleaned.dirt](), again: null };
  const { text } = cleaned;
  if (text === '') return { failed: unusable.empty(), again: messages };
  if (schema === null) return { text, json: null };
  const checked = await checks.check(text, schema);
  if ('json' in checked) return { text, json: checked.json };
  return { failed: unusable.invalid(checked.wrong), again: repairTurn(messages, text, checked.wrong) };
}

/** The responses API knows no text that ends an answer: it is cut off here. A refusal stays one. */
export function endedAt(said: ProviderAnswer, stop: readonly string[] = []): ProviderAnswer {
  if (said.finish === 'refused') return said;
  const ends = stop.map((text) => said.text.indexOf(text)).filter((at) => at >= 0);
  // One that was cut off at its limit had ended before.
  return ends.length === 0 ? said : { ...said, finish: 'stop', text: said.text.slice(0, Math.min(...ends)) };
}

function repairTurn(messages: readonly Message[], text: string, wrong: string): Message[] {
  return [
    ...messages,
    { role: 'assistant', content: text },
    {
      role: 'user',
      content: `That is not what was asked for: ${wrong}. Answer again, with nothing but JSON that fits the schema.`,
    },
  ];
}
