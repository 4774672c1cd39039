import type { JsonObject } from '../../engine/json.ts';
import { conversationOf, conversationShapes } from './conversation.ts';
import type { Flaw } from './found.ts';
import { shapeQuestion } from './multiple-choice.ts';
import { shapeConversation, type TurnChoice } from './turns.ts';

/** What a record is: fields as they are, a conversation in one of several forms, or a question with choices. */
export const shapes = ['record', ...conversationShapes, 'mmlu'] as const;
export type Shape = (typeof shapes)[number];

/** What a shape makes of a record. */
export interface Shaped {
  /** The fields, `text` among them unless there are `rows`. */
  record: JsonObject;
  /** What an id is made of, where no field holds one. */
  identity: string;
  /** The turns in the text: the row gets their ids. */
  turns?: readonly number[];
  /** Rows to be made of the record: each has the id `<record's>#<number>`, and fields of its own. */
  rows?: readonly { number: number; fields: JsonObject }[];
}

/** A record in the shape that was asked for, or what is wrong with it. */
export function shapeRecord(
  record: JsonObject,
  shape: Exclude<Shape, 'record'>,
  turns: TurnChoice,
  source: string,
): Shaped | Flaw {
  if (shape === 'mmlu') return shapeQuestion(record, source);
  const conversation = conversationOf(record, shape);
  return 'turns' in conversation ? shapeConversation(conversation, turns) : conversation;
}
