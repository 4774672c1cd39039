import { join } from 'node:path';
import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { TableOutput } from '../../engine/step.ts';
import { readCsv } from '../load/csv.ts';
import { type Item, newNotes } from '../load/found.ts';
import { ContentIds } from '../load/ids.ts';
import { readJsonl } from '../load/jsonl.ts';
import type { SourceFile } from '../load/source-files.ts';
import type { Reading } from '../load/text-blocks.ts';

/** Reads a table that the program wrote. `onId` hears the id of each row. */
export async function readTable(
  folder: string,
  file: string,
  output: TableOutput,
  signal: AbortSignal,
  onId: (id: string) => void,
): Promise<void> {
  const path = join(folder, file);
  const reading: Reading = { encoding: 'auto', signal, notes: newNotes(), onRead: () => {} };
  const source: SourceFile = { path, name: file, bytes: 0, compression: 'none', format: 'jsonl' };
  const csv = {
    delimiter: undefined,
    quote: '"',
    header: true,
    shortRows: 'reject',
    nullValues: [],
  } as const;
  const records = /\.[ct]sv$/i.test(file)
    ? readCsv(source, reading, { ...csv, delimiter: /\.tsv$/i.test(file) ? '\t' : ',' })
    : readJsonl(source, reading);
  const contentIds = new ContentIds();
  for await (const items of records) {
    for (const item of items) {
      const row = rowOf(item, file, contentIds);
      onId(row.id);
      const pending = output.write(row);
      if (pending) await pending;
    }
  }
}

/** The record as a row: with its own id, or one made from its content as `load` makes them. */
function rowOf(item: Item, file: string, contentIds: ContentIds): Row {
  const place = `${file}:${item.line ?? item.record}`;
  if ('code' in item) {
    throw new StepError(
      'bad-output',
      `${place}: ${item.reason}: ${item.raw}`,
      'a table is one JSON object a line, or CSV with a header',
    );
  }
  const { id } = item.value;
  if (typeof id === 'string' && id !== '') return item.value as Row;
  if (typeof id === 'number') return { ...item.value, id: String(id) };
  if (id !== undefined && id !== null && id !== '')
    throw new StepError('bad-output', `${place}: the id is ${JSON.stringify(id)}, not a text or a number`);
  const { text } = item.value;
  const content = typeof text === 'string' ? text : canonicalJson({ ...item.value, id: null });
  return { ...item.value, id: contentIds.next(content) };
}
