import { suggestion } from '../../engine/nearest.ts';
import { defineStep } from '../../engine/step.ts';
import { encodings } from './decode.ts';
import { loadRows } from './load-rows.ts';
import { parameters } from './parameters.ts';

export default defineStep({
  type: 'load',
  summary: 'Reads rows from files: JSON Lines, JSON, CSV, TSV, Parquet, text, Markdown',
  description: `Reads files as streams and makes a row of each record. What cannot be read goes to the output \`rejected\`, with file,
line, reason and the beginning of the record, and is counted: rows + rejected + left out (by \`skip\` and \`sample\`) =
records.

**Ids.** \`id\` names the field; its repeats are rejected. Without it, the id is the first 64 bits of the SHA-256 of the
text (of the whole record if it has no text) in hex, and \`-2\`, \`-3\`, … for the same text again. A record's own \`id\` or
\`text\` that is not the row's stays as \`original_id\`, \`original_text\`.

**JSON.** Read strictly (RFC 8259). Numbers that a double does not hold (integers past 2^53, 1e400) stay as their digits in
a string; repeated keys keep the last value; both are counted in a warning. NaN, Infinity, half surrogate pairs, and nesting
deeper than 200 levels are rejected. A \`.json\` file is an array of objects, an object with one, or one object.

**CSV.** RFC 4180; all values are texts until \`cast\` says otherwise. Delimiter, line ends and byte order mark are told from
the file. A wrong quote costs its line and no more.

**Parquet.** Dates and times become ISO 8601 texts, binary values base64, NaN null.

**Text.** A row a line (blank lines are none), paragraph or file. **Markdown.** A row a file, with \`title\` and the front
matter's fields.`,
  parameters,
  inputs: {},
  outputs: {
    rows: { kind: 'table', description: 'The rows.' },
    rejected: {
      kind: 'table',
      description:
        'Records that could not be used: `source`, `line` (or null), `record` (place in the file), `column`, `field`, `code`, `reason`, `raw` (its beginning).',
    },
  },
  metrics: {
    rejected: 'Records rejected.',
    files: 'Files read.',
    bytes: 'Their size, as stored.',
    records: 'Records seen.',
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
