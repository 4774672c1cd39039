import { suggestion } from '../../engine/nearest.ts';
import { defineStep, type OutputSpecs } from '../../engine/step.ts';
import { encodings } from './decode.ts';
import { loadRows } from './load-rows.ts';
import { parameters } from './parameters.ts';
import { formatMistake } from './written-times.ts';

const outputs = {
  rows: { kind: 'table', description: 'The rows.' },
  rejected: {
    kind: 'table',
    description:
      'Records that could not be used: `source`, `line` (or null), `record` (place in the file), `column`, `field`, `code`, `reason`, `raw` (its beginning).',
  },
} as const;

const manifest = {
  manifest: {
    kind: 'table',
    description: 'With `since`: how far each file was read: `bytes`, their `digest`, `records`, `lines`.',
  },
} as const;

export default defineStep({
  type: 'load',
  summary:
    'Reads rows from files: JSON Lines, JSON, CSV, TSV, Parquet, Arrow, text, Markdown, HTML, PDF, code',
  description: `Reads files as streams and makes a row of each record. What cannot be read goes to the output \`rejected\`, with file,
line, reason and the beginning of the record, and is counted: rows + rejected + left out (by \`skip\` and \`sample\`) =
records.

**Ids.** \`id\` names the field; its repeats are rejected. Without it, the id is the first 64 bits of the SHA-256 of the
text (of the whole record if it has no text) in hex, and \`-2\`, \`-3\`, … for the same text again. A record's own \`id\` or
\`text\` that is not the row's stays as \`original_id\`, \`original_text\`.

**JSON.** Read strictly (RFC 8259). Numbers that a double does not hold (integers past 2^53, 1e400) stay as their digits in
a string; repeated keys keep the last value; both are counted in a warning. NaN, Infinity, half surrogate pairs, and nesting
deeper than 200 levels are rejected. A \`.json\` file is an array of objects, an object with one, or one object.

**Conversations.** \`shape: auto\` tells by the members of each record what it is: \`conversation\` (LMSYS-Chat-1M, WildChat),
\`messages\` (fine-tuning files and logs of OpenAI and Anthropic: also in \`request\`, \`body\` or \`params\`, with the reply in
\`response\` or \`result\`), \`conversations\` (ShareGPT), \`instruction\` and \`output\` (Alpaca). A record that fits none, or two, is
rejected: say its shape. A table with such columns is a conversation only if you say so. The row has \`text\` (by \`turns\`), all
\`messages\` as \`{role, content}\` with what else the source says of a turn, \`turn_ids\` (\`<id>#<number>\`) of those in the text, and
the record's other fields; a time in seconds or milliseconds becomes \`timestamp\`, ISO 8601. Roles are system, developer, user,
assistant and tool, whatever the source calls them. Ids without \`id\` are of the whole conversation: the same for every choice
of \`turns\`. With \`each_user\` they are \`<id>#<number>\`, with \`parent_id\`. \`shape: mmlu\` gives \`text\` (the question), \`choices\` and
\`answer\` (a letter), also of CSV files without a header.

**CSV.** RFC 4180; all values are texts until \`cast\` says otherwise. Delimiter, line ends and byte order mark are told from
the file. A wrong quote costs its line and no more.

**Folders.** Of a folder the Parquet files are read, as Hugging Face keeps data sets; or its files of one format, without
\`README.md\` and the data set's own metadata; hidden files are not. \`split\` is added where a name says it: \`train-00000-of-00002\`,
\`test.csv\`, \`dev/…\` (train, validation, test).
**Parquet.** Dates and times become ISO 8601 texts, binary values base64, NaN null; records with infinite numbers, or times past the year
275760, are in \`rejected\`.

**Arrow.** IPC files (Feather V2), also packed, and streams; values as those of Parquet. Decimals are exact.

**Text.** A row a line (blank lines are none), paragraph or file.

**Markdown, HTML.** A row a file: of Markdown with \`title\` and the front matter's fields, of HTML the words as a browser shows
them, with \`title\` and \`language\`, without scripts, forms and what is hidden. With \`sample_by: paragraph\` a row a chunk: the
prose between empty lines, without front matter, code blocks, headings and comments. \`headings\` are those above it, the
outermost first; \`line\` (from 1), \`start\` and \`end\` are its place in the file, in characters from 0, of what was joined from
the first to the last. Of Markdown \`text\` is what stands there, or its words with \`strip\`. Chunks of different sections are
not joined.

**PDF.** The text by PDF.js: a row a file with \`pages\`, \`title\` and \`author\`, or a row a page or paragraph with its \`page\`. Lines
stay as they are. A scan has no text; Chinese, Japanese and Korean texts whose file does not say which characters they are
(it names a table outside of it) are not decoded.

**Code.** Python, TypeScript and JavaScript, by tree-sitter: a row for each function, class and method, with \`kind\`, \`name\`
(\`Class.method\`), \`language\`, \`doc\` (docstring or JSDoc), \`line\`, \`end_line\`, \`start\` and \`end\`. Decorators belong to it, functions
inside of it do, too; a class is a row, and each of its methods another. What \`omit\` and the limits leave out is in \`rejected\`.

**A schema.** \`schema\` is checked by ajv: JSON Schema 2020-12, draft 7 if its \`$schema\` says so; \`format\` is not checked. The
first thing that is wrong with a record is its \`reason\`; its \`field\` is named.

**Inferred types.** With \`types: inferred\` a field is a number, boolean, text, list or object if more than half of its
values are, among the first 10,000 records of all files; a record whose value is of another type is rejected, with that value and its line.
null and missing fields fit. Of CSV, where all values are texts, what they look like counts: they become numbers and booleans, and empty
ones null; \`007\` and \`E10\` are texts. \`id\`, \`text\` and what \`cast\` names are left as they are; the types are in the step's log.

**Data that is not there yet.** With \`mock\` a workflow runs before its data is there: rows are made up by the seed, with a warning each
time; they hold \`mock: true\`, so that \`filter\` or \`assert\` can turn them away where it counts. A file that is there is read as always.

**Only what is new.** A step's result is a function of what it reads. So \`since\` names a file: the manifest that an earlier
load left, which says of each file how many bytes were read, and their digest. The rows are those that came since, and the
new manifest is the output \`manifest\`. When the rows have been dealt with, make it the next \`since\`:
\`reprise export latest queries.manifest -o data/queries.seen.jsonl\`. Until then every run gives the same rows, from the cache; a
run that failed half-way has lost none. A manifest that is not there yet stands for nothing, as an empty one does; with an
empty one the step is cached. JSON Lines, CSV and plain text that have grown are read from where the manifest ends. A last
line without its end waits (a closed JSON object need not). A file whose old bytes have changed is read from its start, with
a warning; a file of another kind, or packed, is read whole if it has changed at all. Files that are no longer there are
forgotten. Ids are counted among the new rows: a text that was there before has its id again. A CSV record with line ends
inside of quotes is taken for whole at a line end. Without \`since\` everything is read at each change of the files, and later
steps compute only the rows that the row cache has not seen.`,
  parameters,
  inputs: {},
  outputs: { ...outputs, ...manifest },
  outputsOf: ({ since }): OutputSpecs => (since === undefined ? outputs : { ...outputs, ...manifest }),
  metrics: {
    rejected: 'Records rejected.',
    files: 'Files read.',
    bytes: 'Their size, as stored.',
    records: 'Records seen; of a conversation with `turns: each_user`, each of its rows.',
    rows: 'Rows written.',
    left_out: 'Good rows that `skip`, `limit` or `sample` left out.',
    repeated_texts: 'Rows whose text was there before (counted where rows have no ids of their own).',
    duplicate_keys: 'Members of JSON objects that a later one with the same key replaced.',
    exact_numbers: 'Numbers kept as strings, since a double does not hold them.',
  },
  seeded: true,
  example: `queries:
  use: load
  with: { path: data/queries.jsonl, id: id, text: text }`,
  check(parameters) {
    const problems: { parameter: string; message: string }[] = [];
    const { sample, rename, delimiter, quote, encoding } = parameters;
    if (!encodings.includes(encoding)) {
      const hint = suggestion(encoding, encodings, 'known');
      problems.push({ parameter: 'encoding', message: `there is no encoding ${encoding}; ${hint}` });
    }
    if (sample !== undefined && sample > 1 && !Number.isInteger(sample))
      problems.push({
        parameter: 'sample',
        message: `sample is a number of rows or a chance below 1, not ${sample}`,
      });
    const { min_chars: least, max_chars: most } = parameters;
    const { min_lines: fewest, max_lines: many } = parameters;
    if (fewest !== undefined && many !== undefined && fewest > many)
      problems.push({
        parameter: 'min_lines',
        message: `min_lines (${fewest}) is more than max_lines (${many})`,
      });
    if (least !== undefined && most !== undefined && least > most)
      problems.push({
        parameter: 'min_chars',
        message: `min_chars (${least}) is more than max_chars (${most})`,
      });
    if (parameters.shape !== 'record' && parameters.text !== undefined)
      problems.push({
        parameter: 'text',
        message: `with shape: ${parameters.shape} the text is made of the record`,
      });
    if (parameters.turns !== 'full' && (parameters.shape === 'record' || parameters.shape === 'mmlu'))
      problems.push({
        parameter: 'turns',
        message: 'turns is about conversations: say shape: auto, or which shape it is',
      });
    for (const name of ['skip', 'limit', 'sample'] as const)
      if (parameters.since !== undefined && parameters[name])
        problems.push({
          parameter: name,
          message: `with since, what ${name} leaves out would never be read: use the step sample behind this one`,
        });
    for (const name of ['id', 'mock'])
      if (parameters.mock && Object.hasOwn(parameters.mock.fields, name))
        problems.push({ parameter: 'mock', message: `${name} is given to every row that is made up` });
    for (const [name, format] of Object.entries(parameters.datetime_format)) {
      const mistake =
        parameters.cast[name] === 'datetime'
          ? formatMistake(format)
          : `say cast: { ${name}: datetime } as well`;
      if (mistake !== undefined)
        problems.push({ parameter: 'datetime_format', message: `datetime_format of ${name}: ${mistake}` });
    }
    const targets = Object.values(rename);
    for (const [from, to] of Object.entries(rename)) {
      if (to === 'id' || (to === 'text' && parameters.text !== undefined))
        problems.push({
          parameter: 'rename',
          message: `say ${to}: ${from} instead of renaming ${from} to ${to}`,
        });
      else if (targets.indexOf(to) !== targets.lastIndexOf(to))
        problems.push({ parameter: 'rename', message: `two fields are renamed to ${to}` });
    }
    if (delimiter !== undefined && (/[\r\n]/.test(delimiter) || delimiter === quote))
      problems.push({ parameter: 'delimiter', message: 'the delimiter cannot be a line end or the quote' });
    if (/[\r\n]/.test(quote))
      problems.push({ parameter: 'quote', message: 'the quote cannot be a line end' });
    return problems;
  },
  run: loadRows,
});
