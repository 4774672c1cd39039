import type { JsonObject } from '../../engine/json.ts';
import type { Conversation, Turn } from './conversation.ts';
import { setField } from './fields.ts';
import type { Flaw } from './found.ts';
import { freeName } from './mapping.ts';
import type { Shaped } from './shape.ts';

/** Which turns of a conversation are a row's text; `each_user` makes a row of each. */
export const turnChoices = ['full', 'first_user', 'all_user', 'each_user'] as const;
/** Or a number: that turn of the user, from 1. */
export type TurnChoice = (typeof turnChoices)[number] | number;

/** Names of the fields that a conversation's row gets: a field of the record with such a name stays as `original_…`. */
const given = ['text', 'messages', 'turn_ids', 'parent_id'];

/**
 * What becomes of a conversation: one record whose `text` is of the chosen turns, with all turns in `messages`; or,
 * for `each_user`, a record for each turn of the user. Turns are numbered from 1; turns without text (calls of tools)
 * have a number but no part in the text.
 */
export function shapeConversation(conversation: Conversation, choice: TurnChoice): Shaped | Flaw {
  const { turns } = conversation;
  const fields: JsonObject = {};
  for (const name of Object.keys(conversation.fields)) {
    const free = given.includes(name) ? freeName(name, conversation.fields) : name;
    setField(fields, free, conversation.fields[name]!);
  }
  const isOfUser = ({ role, content }: Turn): boolean => role === 'user' && content.trim() !== '';
  const numbered = turns.map((turn, index) => ({ turn, number: index + 1 }));
  const users = numbered.filter(({ turn }) => isOfUser(turn));
  const chosen =
    choice === 'full'
      ? numbered.filter(({ turn }) => turn.content.trim() !== '')
      : choice === 'first_user'
        ? users.slice(0, 1)
        : typeof choice === 'number'
          ? users.slice(choice - 1, choice)
          : users;
  if (chosen.length === 0) {
    const what =
      choice === 'full'
        ? 'no turn has a text'
        : users.length === 0
          ? 'no turn of the user has a text'
          : `there is no turn ${choice} of the user: there are ${users.length}`;
    return { code: 'missing_text', reason: what };
  }
  // The same id whatever the choice: rows of one choice can be joined with those of another.
  const identity = JSON.stringify(turns.map(({ role, content }) => [role, content]));
  if (choice === 'each_user') {
    const rows = chosen.map(({ turn, number }) => ({ number, fields: { text: turn.content } }));
    return { record: fields, identity, rows };
  }
  const texts = chosen.map(({ turn }) =>
    choice === 'full' ? `${turn.role}: ${turn.content}` : turn.content,
  );
  const record: JsonObject = { text: texts.join('\n\n'), messages: turns };
  for (const name of Object.keys(fields)) setField(record, name, fields[name]!);
  return { record, identity, turns: chosen.map(({ number }) => number) };
}
