import type { Json, JsonObject } from '../../engine/json.ts';
import { fieldOf, setField } from './fields.ts';
import type { Flaw } from './found.ts';

/**
 * The turns of a record with OpenAI's or Anthropic's `messages`: by themselves (fine-tuning files), or as logs have
 * them, in `request`, `body` or `params`, with the reply in `response` or `result`. Undefined if there are none.
 * The request and the reply stay in the fields, without the messages; `model` comes from them.
 */
export function loggedTurns(record: JsonObject): { turns: Json[]; fields: JsonObject } | Flaw | undefined {
  const asked = requestIn(record);
  const reply = replyIn(record);
  if (!asked && !reply) return undefined;
  const turns: Json[] = [];
  if (asked) {
    const system = fieldOf(asked.body, 'system') ?? fieldOf(asked.body, 'instructions');
    if (system !== undefined && system !== null && system !== '')
      turns.push({ role: 'system', content: system });
    const messages = asked.body[asked.member]!;
    if (typeof messages === 'string') turns.push({ role: 'user', content: messages });
    else turns.push(...(messages as Json[]).map(turnOfItem));
  }
  if (reply && 'turns' in reply) turns.push(...reply.turns);
  if (!asked && reply && 'error' in reply)
    return { code: 'invalid_conversation', reason: `the log has an error for a reply: ${reply.error}` };
  const fields: JsonObject = {};
  for (const name of Object.keys(record)) {
    if (
      asked &&
      asked.path.length === 0 &&
      (name === asked.member || (name === 'system' && turns.length > 0))
    )
      continue;
    setField(
      fields,
      name,
      asked && name === asked.path[0] ? withoutMessages(record[name]!, asked) : record[name]!,
    );
  }
  const model =
    fieldOf(record, 'model') ??
    (reply && 'model' in reply ? reply.model : undefined) ??
    (asked && fieldOf(asked.body, 'model'));
  if (typeof model === 'string') setField(fields, 'model', model);
  const time = reply && 'created' in reply ? reply.created : undefined;
  if (time !== undefined && !Object.hasOwn(fields, 'timestamp')) fields['timestamp'] = time;
  return { turns, fields };
}

interface Asked {
  body: JsonObject;
  member: 'messages' | 'input';
  /** Where the body is in the record. */
  path: string[];
}

function requestIn(record: JsonObject): Asked | undefined {
  for (const path of [[], ['request'], ['request', 'body'], ['body'], ['params']]) {
    let body: Json | undefined = record;
    for (const name of path) body = isObject(body) ? fieldOf(body, name) : undefined;
    if (!isObject(body)) continue;
    if (Array.isArray(fieldOf(body, 'messages'))) return { body, member: 'messages', path };
    // The Responses API; a top-level `input` is a field like any other.
    const input = fieldOf(body, 'input');
    if (path.length > 0 && (typeof input === 'string' || Array.isArray(input)))
      return { body, member: 'input', path };
  }
  return undefined;
}

type Reply = { turns: Json[]; model?: Json; created?: number } | { error: string };

/** The first choice of a chat completion, a message of Anthropic's, or the items of the Responses API. */
function replyIn(record: JsonObject): Reply | undefined {
  for (const path of [['response'], ['response', 'body'], ['result', 'message'], ['completion']]) {
    let body: Json | undefined = record;
    for (const name of path) body = isObject(body) ? fieldOf(body, name) : undefined;
    if (!isObject(body)) continue;
    const turns = replyTurns(body);
    if (turns === undefined) continue;
    const created = fieldOf(body, 'created') ?? fieldOf(body, 'created_at');
    const model = fieldOf(body, 'model');
    return { turns, ...(model !== undefined && { model }), ...(typeof created === 'number' && { created }) };
  }
  for (const holder of [record, fieldOf(record, 'response'), fieldOf(record, 'result')]) {
    const error = isObject(holder) ? fieldOf(holder, 'error') : undefined;
    if (
      error !== undefined &&
      error !== null &&
      (holder !== record || fieldOf(record, 'custom_id') !== undefined)
    )
      return { error: errorText(error) };
  }
  return undefined;
}

function replyTurns(body: JsonObject): Json[] | undefined {
  const choices = fieldOf(body, 'choices');
  if (Array.isArray(choices)) {
    const first = choices[0];
    const message = isObject(first) ? fieldOf(first, 'message') : undefined;
    return isObject(message) ? [message] : undefined;
  }
  const output = fieldOf(body, 'output');
  if (Array.isArray(output)) return output.map(turnOfItem);
  const content = fieldOf(body, 'content');
  if (fieldOf(body, 'role') === 'assistant' && content !== undefined) return [{ role: 'assistant', content }];
  return undefined;
}

/** Items of the Responses API that are no messages belong to a role as well. */
function turnOfItem(item: Json): Json {
  if (!isObject(item) || Object.hasOwn(item, 'role')) return item;
  const type = fieldOf(item, 'type');
  if (type === 'function_call_output')
    return { ...item, role: 'tool', content: fieldOf(item, 'output') ?? null };
  if (type === 'function_call' || type === 'reasoning') return { ...item, role: 'assistant' };
  return item;
}

function withoutMessages(value: Json, asked: Asked, depth = 0): Json {
  const object: JsonObject = {};
  const rest = asked.path.slice(depth + 1);
  for (const name of Object.keys(value as JsonObject)) {
    const member = (value as JsonObject)[name]!;
    if (rest.length > 0)
      setField(object, name, name === rest[0] ? withoutMessages(member, asked, depth + 1) : member);
    else if (name !== asked.member) setField(object, name, member);
  }
  return object;
}

function errorText(error: Json): string {
  const inner = isObject(error) ? (fieldOf(error, 'error') ?? error) : error;
  const message = isObject(inner) ? fieldOf(inner, 'message') : inner;
  return (typeof message === 'string' ? message : JSON.stringify(inner)).slice(0, 200).toWellFormed();
}

/** The text of a turn's content: a text, null for none, or a list of parts, of which those of text count. */
export function textOf(content: Json): string | undefined {
  if (content === null) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts: string[] = [];
  for (const part of content) {
    const text = typeof part === 'string' ? part : isObject(part) ? fieldOf(part, 'text') : undefined;
    if (typeof text === 'string') texts.push(text);
    else if (!isObject(part)) return undefined;
  }
  return texts.join('\n');
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
