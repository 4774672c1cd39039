import type { Json } from '../../engine/json.ts';
import { sanitized } from '../../models/language/sanitize.ts';

/** Roles of chat formats: OpenAI, Anthropic, ShareGPT, Gemma. */
const roles = new Set([
  'system',
  'developer',
  'user',
  'assistant',
  'tool',
  'function',
  'human',
  'gpt',
  'model',
]);
const answering = new Set(['assistant', 'gpt', 'model']);

/**
 * What a language model wrote, without what is no part of its answer (see `sanitized`): a text, or the answers in a list of messages.
 * A `reason` says why there is none: the text cannot be told from what goes before it, is empty, or a message has no role of a chat.
 */
export function cleanGeneration(value: Json): { value: Json } | { reason: string } {
  if (typeof value === 'string') {
    const found = sanitized(value);
    if ('dirt' in found) return { reason: found.dirt };
    return found.text === '' ? { reason: 'empty' } : { value: found.text };
  }
  if (!Array.isArray(value)) return { value };
  if (value.length === 0) return { reason: 'no-messages' };
  const messages: Json[] = [];
  for (const message of value) {
    if (message === null || typeof message !== 'object' || Array.isArray(message))
      return { reason: 'bad-message' };
    const [roleKey, textKey] = 'from' in message ? ['from', 'value'] : ['role', 'content'];
    const role = message[roleKey];
    const text = message[textKey];
    if (typeof role !== 'string' || !roles.has(role)) return { reason: 'bad-role' };
    if (!answering.has(role) || typeof text !== 'string') {
      messages.push(message);
      continue;
    }
    // An answer that only calls tools has no text.
    const found = text === '' ? { value: text } : cleanGeneration(text);
    if ('reason' in found) return found;
    messages.push({ ...message, [textKey]: found.value });
  }
  return { value: messages };
}
