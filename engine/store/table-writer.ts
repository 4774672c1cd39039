import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Row, TableArtefact } from '../artefacts.ts';
import type { Json } from '../json.ts';
import { StepError } from '../problems.ts';
import type { BlobWriter } from './blob-writer.ts';
import { IdSet } from './id-set.ts';
import { ZstdFrames } from './zstd-frames.ts';

/** UTF-16 units of text in a frame. Part of the stored bytes, not of the content's digest. */
const blockUnits = 2 ** 20;
const maxFields = 1000;
const compression = {
  params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
};

/**
 * Writes rows as JSON Lines in zstd frames of about 1 MiB of text. A line is the row as `JSON.stringify` writes it, with
 * `id` first. Memory: one block, and 16 bytes an id.
 */
export class TableWriter {
  readonly #blob: BlobWriter;
  readonly #content = createHash('sha256');
  readonly #idList = createHash('sha256');
  readonly #seen = new IdSet();
  readonly #fields = new Set<string>(['id']);
  #expected: readonly string[] = [];
  #lines: string[] = [];
  #ids: string[] = [];
  #units = 0;
  #rows = 0;

  constructor(blob: BlobWriter) {
    this.#blob = blob;
  }

  get rows(): number {
    return this.#rows;
  }

  /**
   * Appends a row. Gives a promise when a block was full, so that a caller that awaits it lets the event loop run.
   * Errors: `duplicate-id`, `bad-row`, `disk-full`, `store-read-only`.
   */
  write(row: Row): Promise<void> | undefined {
    const line = this.#line(row);
    if (!this.#seen.add(row.id) && this.#wasWritten(row.id)) {
      this.#blob.abort();
      throw new StepError(
        'duplicate-id',
        `row ${this.#rows + 1} has the id ${shown(row.id)}, which an earlier row has`,
        'ids are unique within a table: make them from more fields, or use `dedupe` first',
      );
    }
    this.#lines.push(line);
    this.#ids.push(row.id);
    this.#rows++;
    this.#units += line.length + 1;
    if (this.#units < blockUnits) return undefined;
    this.#writeBlock();
    return nextTurn();
  }

  /** Fields that rows would have: what an empty table lists. They are no part of its digest. */
  expect(fields: readonly string[]): void {
    this.#expected = fields.slice(0, maxFields);
  }

  #line(row: Row): string {
    if (typeof row.id !== 'string')
      throw new StepError(
        'bad-row',
        `row ${this.#rows + 1} has no id, or one that is not a text: ${shown(row.id)}`,
      );
    let first: string | undefined;
    for (const field in row) {
      first ??= field;
      if (
        !this.#fields.has(field) &&
        this.#fields.size < maxFields &&
        row[field] !== undefined &&
        Object.hasOwn(row, field)
      )
        this.#fields.add(field);
    }
    let line: string;
    try {
      if (first === 'id') line = JSON.stringify(row);
      else {
        const { id, ...rest } = row;
        const text = JSON.stringify(rest);
        line = `{"id":${JSON.stringify(id)}${text === '{}' ? '}' : `,${text.slice(1)}`}`;
      }
    } catch (error) {
      throw new StepError(
        'bad-row',
        `row ${shown(row.id)} cannot be written as JSON: ${(error as Error).message}`,
      );
    }
    // JSON.stringify writes NaN and infinities as null: that would lose them silently.
    if (line.includes('null')) this.#refuseNonFinite(row);
    return line;
  }

  #refuseNonFinite(row: Row): void {
    const visit = (value: Json | undefined, path: string): void => {
      if (typeof value === 'number' && !Number.isFinite(value))
        throw new StepError(
          'bad-row',
          `row ${shown(row.id)}: ${path} is ${value}, which JSON has no number for`,
          'write null where there is no value',
        );
      if (Array.isArray(value)) value.forEach((item, index) => void visit(item, `${path}[${index}]`));
      else if (value !== null && typeof value === 'object')
        for (const [name, member] of Object.entries(value)) visit(member, path ? `${path}.${name}` : name);
    };
    visit(row, '');
  }

  #writeBlock(): void {
    if (this.#lines.length === 0) return;
    this.#writeFrame(Buffer.from(`${this.#lines.join('\n')}\n`));
  }

  #writeFrame(text: Buffer): void {
    this.#content.update(text);
    if (this.#ids.length > 0) this.#idList.update(`${this.#ids.join('\n')}\n`);
    this.#blob.write(zstdCompressSync(text, compression));
    this.#lines = [];
    this.#ids = [];
    this.#units = 0;
  }

  /** Looks for an id among the rows written so far: only when its hash was seen, so nearly never in vain. */
  #wasWritten(id: string): boolean {
    if (this.#ids.includes(id)) return true;
    const start = `{"id":${JSON.stringify(id)}`;
    const frames = new ZstdFrames();
    for (let position = 0; position < this.#blob.bytes; ) {
      const piece = this.#blob.readBack(position, 4 * 2 ** 20);
      position += piece.length;
      for (const frame of frames.push(piece)) {
        const text = `\n${zstdDecompressSync(frame).toString()}`;
        if (text.includes(`\n${start},`) || text.includes(`\n${start}}`)) return true;
      }
    }
    return false;
  }

  async finish(): Promise<TableArtefact> {
    this.#writeBlock();
    // A file of no bytes is nothing that zstd would open.
    if (this.#rows === 0) this.#writeFrame(Buffer.alloc(0));
    const { digest: blob, bytes } = this.#blob.finish();
    return {
      kind: 'table',
      digest: `sha256:${this.#content.digest('hex')}`,
      blob,
      bytes,
      rows: this.#rows,
      ids: `sha256:${this.#idList.digest('hex')}`,
      fields: [...new Set([...this.#fields, ...(this.#rows === 0 ? this.#expected : [])])],
    };
  }

  async abort(): Promise<void> {
    this.#blob.abort();
  }
}

function shown(id: unknown): string {
  const text = JSON.stringify(id) ?? String(id);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
