import { basename } from 'node:path/posix';
import type { Json, JsonObject } from '../../engine/json.ts';
import { without } from './conversation.ts';
import { fieldOf, setField } from './fields.ts';
import type { Flaw } from './found.ts';
import { freeName, kindOf } from './mapping.ts';
import { isObject } from './message-log.ts';
import type { Shaped } from './shape.ts';

const letters = [...'ABCDEFGHIJ'];

/**
 * The names of the columns of a CSV file as MMLU has them, without a header: question, choices, answer. Undefined for
 * one whose first record has a column `question`: a header.
 */
export function headerOfQuestions(first: readonly string[]): string[] | undefined {
  if (first.some((name) => name.trim().toLowerCase() === 'question')) return undefined;
  if (first.length < 4 || first.length > letters.length + 2) return undefined;
  return ['question', ...letters.slice(0, first.length - 2), 'answer'];
}

/**
 * A question with choices: `text` is the question, `choices` a list, `answer` a letter. Choices come as a list, as
 * ARC's `{text, label}`, or in columns A, B, …; the answer as a letter, as a number from 0, or as ARC's label.
 */
export function shapeQuestion(record: JsonObject, source: string): Shaped | Flaw {
  const question = fieldOf(record, 'question');
  if (typeof question !== 'string' || question.trim() === '')
    return invalid(
      `question is ${question === undefined ? 'missing' : kindOf(question)}, not a text`,
      'question',
    );
  const found = choicesOf(record);
  if ('code' in found) return found;
  const { choices, labels, columns } = found;
  if (choices.length < 2) return invalid(`${choices.length} choices; a question has two or more`, 'choices');
  const name = Object.hasOwn(record, 'answer') ? 'answer' : 'answerKey';
  const answer = answerOf(fieldOf(record, name) ?? null, choices.length, labels);
  if (answer === undefined) {
    const said = JSON.stringify(fieldOf(record, name) ?? null)
      .slice(0, 60)
      .toWellFormed();
    return invalid(`the answer ${said} is none of the ${choices.length} choices`, name);
  }
  const row: JsonObject = { text: question, choices, answer };
  const fields = without(record, ['question', 'choices', name, ...columns]);
  for (const own of Object.keys(fields))
    setField(row, Object.hasOwn(row, own) ? freeName(own, record) : own, fields[own]!);
  // MMLU's own files say the subject in their name.
  const subject = /^(.+)_(?:dev|val|test|train)\.(?:csv|tsv)/.exec(basename(source))?.[1];
  if (subject !== undefined && !Object.hasOwn(row, 'subject')) row['subject'] = subject;
  return { record: row, identity: JSON.stringify([question, choices]) };
}

function choicesOf(
  record: JsonObject,
): { choices: string[]; labels: Json[] | undefined; columns: string[] } | Flaw {
  const own = fieldOf(record, 'choices') ?? fieldOf(record, 'options');
  if (own === undefined || own === null) {
    const columns = letters.filter((letter) => Object.hasOwn(record, letter) && record[letter] !== null);
    return { choices: columns.map((letter) => String(record[letter])), labels: undefined, columns };
  }
  const columns = ['choices', 'options'].filter((name) => fieldOf(record, name) === own);
  let list: Json | undefined = own;
  if (typeof own === 'string') {
    try {
      list = JSON.parse(own) as Json;
    } catch {
      return invalid('choices is a text, not a list', 'choices');
    }
  }
  const labels = isObject(list) ? fieldOf(list, 'label') : undefined;
  if (isObject(list)) list = fieldOf(list, 'text');
  if (!Array.isArray(list)) return invalid(`choices is ${kindOf(own)}, not a list`, 'choices');
  if (list.some((choice) => choice === null || typeof choice === 'object'))
    return invalid('a choice is no text', 'choices');
  return { choices: list.map(String), labels: Array.isArray(labels) ? labels : undefined, columns };
}

function answerOf(value: Json, count: number, labels: Json[] | undefined): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const said = String(value).trim();
  const labelled = labels ? labels.findIndex((label) => String(label) === said) : -1;
  if (labelled >= 0) return letters[labelled];
  const place = /^\d+$/.test(said) ? Number(said) : letters.indexOf(said.toUpperCase());
  return place >= 0 && place < count ? letters[place] : undefined;
}

function invalid(reason: string, field: string): Flaw {
  return { code: 'invalid_question', reason, field };
}
