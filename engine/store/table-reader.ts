import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';
import type { Row, TableArtefact } from '../artefacts.ts';
import { type Digest, digestOfJson } from '../digest.ts';
import type { JsonObject } from '../json.ts';
import { StepError } from '../problems.ts';
import { linesOf } from '../row-table.ts';
import type { TableInput } from '../step.ts';
import type { BlobFolder } from './blobs.ts';
import { ZstdFrames } from './zstd-frames.ts';

/** A table as one of the parts of a concatenation. */
export interface TablePart {
  artefact: TableArtefact;
  /** Columns added to each row, such as the axes of a matrix. */
  columns: JsonObject;
  /** Ids become `<id>@<suffix>`. */
  suffix: string;
}

/** Blocks of rows of a stored table, in order. Throws DamagedBlobError before the first row if bytes are wrong. */
export async function* tableBlocks(blobs: BlobFolder, artefact: TableArtefact): AsyncGenerator<Row[], void> {
  for await (const text of tableLines(blobs, artefact)) yield rowsOf(text);
}

/** The same as the lines that are stored, of which no value is looked at. */
export async function* tableLines(blobs: BlobFolder, artefact: TableArtefact): AsyncGenerator<Buffer, void> {
  const frames = new ZstdFrames();
  let first = true;
  for await (const piece of blobs.stream(artefact.blob))
    for (const frame of frames.push(piece)) {
      // A block takes some milliseconds: between them the event loop gets its turn.
      if (!first) await nextTurn();
      first = false;
      yield zstdDecompressSync(frame);
    }
  frames.end();
}

/** JSON escapes line feeds within strings, so those left end the lines: a block is one array. */
function rowsOf(text: Buffer): Row[] {
  if (text.length === 0) return [];
  return JSON.parse(`[${text.toString('utf8', 0, text.length - 1).replaceAll('\n', ',')}]`) as Row[];
}

/** A table over any source of blocks. */
export function tableInput(
  head: { digest: Digest; rows: number; ids: Digest; fields: readonly string[] },
  blocks: () => AsyncIterable<Row[]>,
  lines?: () => AsyncIterable<Uint8Array>,
): TableInput {
  async function* written(): AsyncIterable<Uint8Array> {
    for await (const block of blocks()) yield linesOf(block);
  }
  return {
    kind: 'table',
    digest: head.digest,
    rows: head.rows,
    ids: head.ids,
    fields: head.fields,
    blocks,
    lines: lines ?? written,
    async *read() {
      for await (const block of blocks()) yield* block;
    },
    async all() {
      const rows: Row[] = [];
      for await (const block of blocks()) for (const row of block) rows.push(row);
      return rows;
    },
  };
}

/** The digest that the concatenation of tables has as an input; no byte of them is read. */
export function concatDigest(parts: readonly TablePart[]): Digest {
  return digestOfJson({
    concat: parts.map(({ artefact, columns, suffix }) => ({ digest: artefact.digest, columns, suffix })),
  });
}

/** Digest of row ids in order: what `ids` of tables and matrices holds. */
export function idsDigest(ids: Iterable<string>): Digest {
  const hash = createHash('sha256');
  let text = '';
  for (const id of ids) {
    text += `${id}\n`;
    if (text.length > 65_536) {
      hash.update(text);
      text = '';
    }
  }
  return `sha256:${hash.update(text).digest('hex')}`;
}

/**
 * Tables one after another: each row gets the part's columns, its id becomes `<id>@<suffix>`, and `row_id` holds the
 * id before, or what an earlier concatenation put there. A field of an axis's name has to say what
 * the axis says, as `fold` does in the rows of each fold. All parts are read once, for this and for the digest of the ids.
 */
export async function concatTables(blobs: BlobFolder, parts: readonly TablePart[]): Promise<TableInput> {
  async function* blocks(): AsyncGenerator<Row[], void> {
    for (const { artefact, columns, suffix } of parts)
      for await (const block of tableBlocks(blobs, artefact))
        yield block.map(({ id, ...fields }) => ({
          id: `${id}@${suffix}`,
          row_id: id,
          ...fields,
          ...columns,
        }));
  }
  const hash = createHash('sha256');
  for (const { artefact, columns } of parts) {
    const taken = Object.keys(columns).filter((column) => artefact.fields.includes(column));
    if (taken.length === 0) continue;
    for await (const block of tableBlocks(blobs, artefact))
      for (const row of block)
        for (const column of taken)
          if (row[column] !== undefined && !isDeepStrictEqual(row[column], columns[column]))
            throw new StepError(
              'axis-is-a-field',
              `the rows have a field "${column}" already, and gathering the matrix adds a column of that name: row ${row.id} says ${JSON.stringify(row[column])}, the axis ${JSON.stringify(columns[column])}`,
              'give the axis another name, or rename the field (load has `rename`)',
            );
  }
  for await (const block of blocks()) hash.update(block.map(({ id }) => `${id}\n`).join(''));
  const fields = new Set(['id', 'row_id']);
  for (const { artefact } of parts) for (const field of artefact.fields) fields.add(field);
  for (const { columns } of parts) for (const column of Object.keys(columns)) fields.add(column);
  return tableInput(
    {
      digest: concatDigest(parts),
      rows: parts.reduce((sum, { artefact }) => sum + artefact.rows, 0),
      ids: `sha256:${hash.digest('hex')}`,
      fields: [...fields],
    },
    blocks,
  );
}
