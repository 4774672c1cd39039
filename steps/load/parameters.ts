import { castTypes } from './cast.ts';
import { omissions } from './code.ts';
import { codeKinds } from './code-units.ts';
import { mockKinds } from './mock.ts';
import { shapes } from './shape.ts';
import { formats } from './source-files.ts';
import { samplings } from './text.ts';
import { turnChoices } from './turns.ts';

/** What `with` of a `load` step may say. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: {
    path: {
      type: ['string', 'array'],
      items: { type: 'string', minLength: 1, 'x-reprise': 'input-path' },
      minLength: 1,
      minItems: 1,
      'x-reprise': 'input-path',
      description:
        'File, folder or glob, or a list of them. A glob gives its files sorted by name, a folder all files in it and below that hold records.',
    },
    format: {
      enum: ['auto', ...formats],
      default: 'auto',
      description:
        'How the files are to be read; auto tells it from the extension. .gz and .zst are unpacked.',
    },
    shape: {
      enum: shapes,
      default: 'record',
      description:
        'What a record is. record: its fields are the row. lmsys, messages (OpenAI, Anthropic), sharegpt, alpaca: a conversation; auto tells which of these by the fields of each record. mmlu: a question with choices.',
    },
    turns: {
      anyOf: [{ enum: turnChoices }, { type: 'integer', minimum: 1 }],
      default: 'full',
      description:
        "Conversations: whose words are the row's text. full: all turns, each behind its role; first_user, all_user: the user's first turn, or all of them; each_user: a row for each turn of the user; a number: that turn of the user, from 1.",
    },
    encoding: {
      type: 'string',
      default: 'auto',
      description:
        'Encoding of text files. auto: what a byte order mark says, else UTF-8; a record with other bytes is rejected. Or utf-16, windows-1251, koi8-r, latin1, shift_jis, gbk, …',
    },
    id: {
      type: 'string',
      minLength: 1,
      description:
        'Field with the row ids; 1 and "1" are the same id, and a repeated one is rejected. Without it the id is a hash of the text, with a count for repeats.',
    },
    text: {
      type: ['string', 'array'],
      items: { type: 'string', minLength: 1 },
      minLength: 1,
      minItems: 1,
      description:
        'Field that becomes `text`; of several, the texts are joined by an empty line. A record without it is rejected.',
    },
    columns: {
      type: 'array',
      items: { type: 'string' },
      description: 'Fields to keep, besides id and text, by their names in the file. All if not given.',
    },
    rename: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      default: {},
      description: 'New names of fields: `old: new`.',
    },
    cast: {
      type: 'object',
      additionalProperties: { enum: castTypes },
      default: {},
      description:
        'Types of fields, by their names in the file: `score: number`. A record whose value cannot be one is rejected; an empty text is null. A `datetime` becomes ISO 8601 in UTC.',
    },
    datetime_format: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      default: {},
      description:
        'How fields that are cast to `datetime` are written, if not in ISO 8601: `created_at: "%d/%m/%Y %H:%M"`, by the directives %Y %y %m %d %H %M %S %f %z of `strptime`.',
    },
    types: {
      enum: ['as_read', 'inferred'],
      default: 'as_read',
      description:
        'inferred: each field has the type that most of its values have, in the first 10,000 records; a record with another one is rejected. Texts of CSV become numbers and booleans.',
    },
    schema: {
      type: ['string', 'object'],
      minLength: 1,
      'x-reprise': 'input-path',
      description:
        "JSON Schema of the records, or the path of a file with one: a record that does not fit is rejected. By the fields' names in the file, after `cast`.",
    },
    since: {
      type: 'string',
      minLength: 1,
      'x-reprise': 'input-path',
      description:
        'Manifest of an earlier load (its output `manifest`, exported as JSON Lines): only what has come since is read. A file that is not there yet stands for nothing.',
    },
    skip: { type: 'integer', minimum: 0, default: 0, description: 'Rows to leave out at the beginning.' },
    limit: {
      type: 'integer',
      minimum: 0,
      description: 'Rows to take, after `skip`; what comes after is not read.',
    },
    sample: {
      type: 'number',
      exclusiveMinimum: 0,
      description:
        'Random rows of what skip and limit leave, in their order: a number of rows from 1, the chance of each row below 1.',
    },
    source: {
      type: 'boolean',
      description:
        "Adds the field `source`, the path of the row's file. If not given, it is added where there are several files or a row is a whole file.",
    },
    delimiter: {
      type: 'string',
      minLength: 1,
      description:
        'CSV: what separates fields. If not given, told from the file: comma, semicolon, tab or bar; tab for .tsv.',
    },
    quote: {
      type: 'string',
      maxLength: 1,
      default: '"',
      description: 'CSV: the quote character; empty for none.',
    },
    header: {
      type: ['boolean', 'array'],
      items: { type: 'string' },
      default: true,
      description:
        'CSV: whether the first record names the columns, or a list of names for a file without header.',
    },
    short_rows: {
      enum: ['reject', 'fill'],
      default: 'reject',
      description:
        'CSV: what to do with a record of fewer fields than the header; fill makes the missing ones null.',
    },
    null_values: {
      type: 'array',
      items: { type: 'string' },
      default: [],
      description: 'CSV: fields with such a text, not in quotes, are null: `["", NA]`.',
    },
    field: {
      type: 'string',
      description: "JSON: the member of the file's object that holds the array of records.",
    },
    sample_by: {
      enum: samplings,
      description:
        'Texts: what makes a row. Without it a line of plain text, and the whole of a Markdown, HTML or PDF file. paragraph: of these, chunks of paragraphs; page: of PDF.',
    },
    min_chars: {
      type: 'integer',
      minimum: 1,
      description:
        'Markdown, HTML and PDF by paragraph: shorter ones are joined with those after them in the section; what stays shorter is rejected, as code is. In characters (Unicode code points), as all lengths here.',
    },
    max_chars: {
      type: 'integer',
      minimum: 1,
      description:
        'Markdown, HTML and PDF by paragraph: longer ones are cut at the last end of a line, a sentence or a word that fits; code is rejected.',
    },
    kinds: {
      type: 'array',
      items: { enum: codeKinds },
      minItems: 1,
      default: ['function', 'class', 'method'],
      description: 'Code: what makes a row.',
    },
    omit: {
      type: 'array',
      items: { enum: omissions },
      default: [],
      description:
        'Code: what is turned away. trivial: an empty body, a plain value, a getter or setter, an error; tests: by the name of folder, file or function; dunders: `__init__` and its like.',
    },
    min_lines: { type: 'integer', minimum: 1, description: 'Code: what has fewer lines is turned away.' },
    max_lines: { type: 'integer', minimum: 1, description: 'Code: what has more lines is turned away.' },
    strip: {
      type: 'boolean',
      default: false,
      description: 'Markdown: make plain text of it (no code blocks, marks, tags; links keep their words).',
    },
    on_bad_file: {
      enum: ['fail', 'reject'],
      default: 'fail',
      description:
        'What to do with a file that cannot be read to its end (broken JSON, a damaged archive): fail the step, or put one line for it into `rejected` and go on.',
    },
    max_rejected: {
      type: ['string', 'integer'],
      pattern: '^\\s*\\d+(\\.\\d+)?\\s*%\\s*$',
      patternErrorMessage: 'rejected records are a count (5) or a share of the records (1%)',
      minimum: 0,
      description:
        'Records that may be rejected before the step fails: a count (5) or a share (1%). If not given, it fails if none is left of what it read (not with `since`). What `omit` and the limits leave out does not count.',
    },
    mock: {
      type: 'object',
      additionalProperties: false,
      required: ['rows', 'fields'],
      properties: {
        rows: { type: 'integer', minimum: 0, description: 'How many.' },
        fields: {
          type: 'object',
          minProperties: 1,
          additionalProperties: {
            anyOf: [{ enum: mockKinds }, { type: 'array', minItems: 1, items: {} }],
          },
          description:
            'What each holds: text, integer, number, boolean, timestamp, or one of a list of values.',
        },
      },
      description:
        'Rows to make up if there is no file at `path`, with a warning: `{ rows: 50, fields: { text: text, label: [card, loan] } }`. By their names as rows have them; every one has `mock: true`.',
    },
    purpose: {
      enum: ['any', 'eval_only'],
      default: 'any',
      description:
        'eval_only: the data must never reach training or the examples of a prompt; the plan sees to it.',
    },
  },
} as const;
