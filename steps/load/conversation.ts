import type { Json, JsonObject } from '../../engine/json.ts';
import { instantOf } from '../times.ts';
import { fieldOf, setField } from './fields.ts';
import type { Flaw } from './found.ts';
import { freeName, kindOf } from './mapping.ts';
import { isObject, loggedTurns, textOf } from './message-log.ts';

/** How the turns of a conversation stand in a record. `auto` tells it by the record's fields. */
export const conversationShapes = ['auto', 'lmsys', 'messages', 'sharegpt', 'alpaca'] as const;
export type ConversationShape = (typeof conversationShapes)[number];

/** A turn: `role` and `content` (its text), and what else the source says of it. Content of several parts stays as `parts`. */
export interface Turn extends JsonObject {
  role: string;
  content: string;
}

export interface Conversation {
  turns: Turn[];
  /** The record's other fields, with `model` and `timestamp` where they are known. */
  fields: JsonObject;
}

/** What sources call the roles. */
const roles: Record<string, string> = {
  human: 'user',
  user: 'user',
  prompter: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  claude: 'assistant',
  model: 'assistant',
  bot: 'assistant',
  assistant: 'assistant',
  function_call: 'assistant',
  system: 'system',
  developer: 'developer',
  tool: 'tool',
  function: 'tool',
  observation: 'tool',
  function_response: 'tool',
  ipython: 'tool',
};

/** The conversation in a record, or what is wrong with it. */
export function conversationOf(record: JsonObject, asked: ConversationShape): Conversation | Flaw {
  const shape = asked === 'auto' ? shapeOf(record) : asked;
  if (typeof shape !== 'string') return shape;
  const found = turnsIn(record, shape);
  if (!('turns' in found)) return found;
  if (found.turns.length === 0) return invalid('the conversation has no turns');
  const turns: Turn[] = [];
  for (const [index, turn] of found.turns.entries()) {
    const normal = normalTurn(turn, index + 1);
    if ('flaw' in normal) return normal.flaw;
    turns.push(normal.turn);
  }
  return { turns, fields: withTimestamp(found.fields) };
}

/** Told by members that no other shape has; a record with those of two is nobody's guess. */
function shapeOf(record: JsonObject): Exclude<ConversationShape, 'auto'> | Flaw {
  const fits: Exclude<ConversationShape, 'auto'>[] = [];
  if (Array.isArray(fieldOf(record, 'conversation'))) fits.push('lmsys');
  if (Array.isArray(fieldOf(record, 'conversations'))) fits.push('sharegpt');
  const logged = loggedTurns(record);
  if (logged) fits.push('messages');
  if (fieldOf(record, 'instruction') !== undefined && fieldOf(record, 'output') !== undefined)
    fits.push('alpaca');
  if (fits.length === 1) return fits[0]!;
  const names = Object.keys(record).slice(0, 8).join(', ');
  return invalid(
    fits.length === 0
      ? `no conversation: it has the fields ${names || '(none)'}; say shape if it is one`
      : `it could be ${fits.join(' or ')}: say which, as in shape: ${fits[0]}`,
  );
}

interface RawTurns {
  turns: readonly Json[];
  fields: JsonObject;
}

function turnsIn(record: JsonObject, shape: Exclude<ConversationShape, 'auto'>): RawTurns | Flaw {
  if (shape === 'messages') return loggedTurns(record) ?? invalid('it has neither messages nor a reply');
  if (shape === 'alpaca') return instructionTurns(record);
  const member = shape === 'lmsys' ? 'conversation' : 'conversations';
  const turns = fieldOf(record, member);
  if (!Array.isArray(turns))
    return {
      ...invalid(`${member} is ${turns === undefined ? 'missing' : kindOf(turns)}, not an array`),
      field: member,
    };
  const fields = without(record, [member]);
  const system = shape === 'sharegpt' ? fieldOf(record, 'system') : undefined;
  if (typeof system !== 'string' || system === '') return { turns, fields };
  return { turns: [{ role: 'system', content: system }, ...turns], fields: without(fields, ['system']) };
}

/** Alpaca: `instruction`, `input` and `output`, with `system` and `history` ([question, answer] pairs) as in LLaMA-Factory. */
function instructionTurns(record: JsonObject): RawTurns | Flaw {
  const value = (name: string): string | undefined => {
    const text = fieldOf(record, name);
    return typeof text === 'string' && text.trim() !== '' ? text : undefined;
  };
  for (const name of ['instruction', 'output'])
    if (typeof fieldOf(record, name) !== 'string') {
      const own = fieldOf(record, name);
      return {
        ...invalid(`${name} is ${own === undefined ? 'missing' : kindOf(own)}, not a text`),
        field: name,
      };
    }
  const turns: Json[] = [];
  const system = value('system');
  if (system !== undefined) turns.push({ role: 'system', content: system });
  const history = fieldOf(record, 'history');
  if (Array.isArray(history))
    for (const pair of history) {
      if (!Array.isArray(pair) || pair.length !== 2)
        return { ...invalid('history is not a list of [question, answer]'), field: 'history' };
      turns.push({ role: 'user', content: pair[0]! }, { role: 'assistant', content: pair[1]! });
    }
  const parts = [value('instruction'), value('input')].filter((part) => part !== undefined);
  turns.push({ role: 'user', content: parts.join('\n\n') });
  turns.push({ role: 'assistant', content: value('output') ?? '' });
  return { turns, fields: without(record, ['instruction', 'input', 'output', 'system', 'history']) };
}

function normalTurn(turn: Json, place: number): { turn: Turn } | { flaw: Flaw } {
  const flawed = (reason: string): { flaw: Flaw } => ({ flaw: invalid(`turn ${place} ${reason}`) });
  if (!isObject(turn)) return flawed(`is ${kindOf(turn)}, not an object`);
  const roleName = Object.hasOwn(turn, 'role') ? 'role' : 'from';
  const contentName = Object.hasOwn(turn, 'content') ? 'content' : 'value';
  const said = fieldOf(turn, roleName);
  if (typeof said !== 'string') return flawed(`has no role`);
  const role = Object.hasOwn(roles, said.toLowerCase()) ? roles[said.toLowerCase()] : undefined;
  if (role === undefined) return flawed(`has the role ${said.slice(0, 40)}, which is none of a conversation`);
  const content = fieldOf(turn, contentName);
  if (content === undefined && role !== 'assistant') return flawed(`has no content`);
  const text = textOf(content ?? null);
  if (text === undefined) return flawed(`has ${kindOf(content ?? null)} for content, not a text`);
  const normal: Turn = { role, content: text };
  if (Array.isArray(content)) normal['parts'] = content;
  for (const name of Object.keys(turn))
    if (name !== roleName && name !== contentName) {
      const free = Object.hasOwn(normal, name) ? freeName(name, turn) : name;
      setField(normal, free, turn[name]!);
    }
  return { turn: normal };
}

const times = ['timestamp', 'tstamp', 'created_at', 'created', 'create_time'];

/** With `timestamp` in ISO 8601 where a field holds seconds or milliseconds since 1970. */
function withTimestamp(fields: JsonObject): JsonObject {
  for (const name of times) {
    const value = fieldOf(fields, name);
    if (typeof value === 'string' && name === 'timestamp') return fields;
    if (typeof value !== 'number' || value <= 0) continue;
    const date = new Date(Math.round(instantOf(value)));
    if (Number.isNaN(date.getTime()) || (name !== 'timestamp' && Object.hasOwn(fields, 'timestamp')))
      continue;
    fields['timestamp'] = date.toISOString();
    return fields;
  }
  return fields;
}

export function without(record: JsonObject, names: readonly string[]): JsonObject {
  const rest: JsonObject = {};
  for (const name of Object.keys(record)) if (!names.includes(name)) setField(rest, name, record[name]!);
  return rest;
}

export function invalid(reason: string): Flaw {
  return { code: 'invalid_conversation', reason };
}
