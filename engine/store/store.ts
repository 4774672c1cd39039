/**
 * The content-addressed store.
 *
 * ```
 * objects/format              version of what follows, as a number
 * objects/ab/cdef…            a blob, named by the SHA-256 of its bytes, read-only
 * objects/tmp/<host>-<pid>-…/ one running process: its unfinished blobs, and in `uses` the blobs it relies on
 * cache/index.sqlite          results of steps, digests of files, texts  (step-index.ts, file-digests.ts, text-cache.ts)
 * cache/rows.sqlite           values of rows                                    (row-cache.ts)
 * cache/leases.sqlite         who computes what now                             (leases.ts)
 * ```
 *
 * A table is JSON Lines in zstd frames of about 1 MiB, a matrix `.npy`, a file itself: any tool opens them.
 *
 * Why nothing wrong is ever found under a name: a blob is written to a temporary file and hashed on the way; `sync` makes
 * the bytes durable, then renames, then makes the names durable, for all finished blobs together; an index names
 * them only afterwards. Killed at any moment, a process leaves temporary files (removed by a later one) or good blobs that
 * nothing names (removed by gc). What goes wrong later is seen: a hit looks at size and mark (blob-mark.ts), every read
 * checks all bytes before it gives out the first, and `verify` reads everything.
 *
 * `cache/` holds nothing that cannot be computed again: a damaged database is moved aside and started afresh.
 */
import { join } from 'node:path';
import type { Artefact, FilesArtefact, MatrixArtefact, TableArtefact } from '../artefacts.ts';
import type { Digest } from '../digest.ts';
import { StepError } from '../problems.ts';
import type { ArtefactInput, FilesInput, Matrix, MatrixInput, MatrixParts, TableInput } from '../step.ts';
import type { StoredBlob } from './blob-list.ts';
import { BlobFolder } from './blobs.ts';
import { FilesWriter, filesInput } from './files.ts';
import { npyBlocks, npyHeader, sharedNpy } from './npy.ts';
import { concatTables, type TablePart, tableBlocks, tableInput, tableLines } from './table-reader.ts';
import { TableWriter } from './table-writer.ts';

export type { StoredBlob } from './blob-list.ts';
export { DamagedBlobError } from './failures.ts';
export { type FilesPart, type FilesWriter, gatheredFiles } from './files.ts';
export { concatDigest, idsDigest, type TablePart } from './table-reader.ts';
export type { TableWriter } from './table-writer.ts';

/** Version of everything that the store writes; part of every fingerprint. */
export const storeFormat = 1;
/** The oldest version whose blobs can be read as they are. */
const oldestFormat = 1;

export class Store {
  readonly folder: string;
  readonly #blobs: BlobFolder;

  private constructor(folder: string) {
    this.folder = folder;
    this.#blobs = new BlobFolder(join(folder, 'objects'), { current: storeFormat, oldest: oldestFormat });
  }

  /** `folder` is the project's `.reprise`; it is made by the first write. ProblemError `store-too-new`, `store-format-damaged`. */
  static open(options: { folder: string }): Store {
    return new Store(options.folder);
  }

  /** False in a folder that this user cannot write: reading still works. */
  get writable(): boolean {
    return this.#blobs.writable;
  }

  /**
   * From now until `close`, no other process' gc removes what this process checks, reads or writes. A run calls it
   * first. Without it the same holds from the first write on. Nothing in a store that cannot be written.
   */
  hold(): void {
    this.#blobs.hold();
  }

  writeTable(): TableWriter {
    return new TableWriter(this.#blobs.create());
  }

  /** `ids`: the digest of the row ids in order, as a table's `ids`; of a matrix in parts it is asked for at the end. */
  async writeMatrix(matrix: Matrix | MatrixParts, ids: Digest | (() => Digest)): Promise<MatrixArtefact> {
    const { rows, columns } = matrix;
    const wrong = (values: number) =>
      new StepError(
        'bad-matrix',
        `a matrix of ${rows} × ${columns} has ${rows * columns} values, not ${values}`,
      );
    if ('data' in matrix && matrix.data.length !== rows * columns) throw wrong(matrix.data.length);
    const blob = this.#blobs.create();
    try {
      blob.write(npyHeader(rows, columns));
      let written = 0;
      for await (const part of 'data' in matrix ? piecesOf(matrix.data) : matrix.parts) {
        blob.write(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
        written += part.length;
      }
      if (written !== rows * columns) throw wrong(written);
    } catch (error) {
      blob.abort();
      throw error;
    }
    const { digest, bytes } = blob.finish();
    const ofIds = typeof ids === 'string' ? ids : ids();
    return { kind: 'matrix', digest, blob: digest, bytes, rows, columns, ids: ofIds };
  }

  writeFiles(): FilesWriter {
    return new FilesWriter(this.#blobs);
  }

  /** A blob by itself, such as a source file that a run pins. Nothing is written if it is there already. */
  async put(
    content: string | Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<{ digest: Digest; bytes: number }> {
    return await this.#blobs.addFrom(content);
  }

  readTable(artefact: TableArtefact): TableInput {
    return tableInput(
      artefact,
      () => tableBlocks(this.#blobs, artefact),
      () => tableLines(this.#blobs, artefact),
    );
  }

  readMatrix(artefact: MatrixArtefact): MatrixInput {
    const { digest, rows, columns, ids } = artefact;
    return {
      kind: 'matrix',
      digest,
      rows,
      columns,
      ids,
      read: () => sharedNpy(this.#blobs.stream(artefact.blob), { rows, columns }),
      blocks: () => npyBlocks(this.#blobs.stream(artefact.blob), artefact),
    };
  }

  readFiles(artefact: FilesArtefact): FilesInput {
    return filesInput(this.#blobs, artefact);
  }

  open(artefact: Artefact): ArtefactInput {
    if (artefact.kind === 'table') return this.readTable(artefact);
    return artefact.kind === 'matrix' ? this.readMatrix(artefact) : this.readFiles(artefact);
  }

  /** Async: the ids of all parts are read once, for the true `ids`. `digest` is `concatDigest(parts)`. */
  concatTables(parts: readonly TablePart[]): Promise<TableInput> {
    return concatTables(this.#blobs, parts);
  }

  /** A whole blob. DamagedBlobError if it is missing or its bytes are not those of the digest. */
  read(digest: Digest): Promise<Buffer> {
    return this.#blobs.read(digest);
  }

  /** A blob in pieces, each good until the next is asked for. All bytes are checked before the first is given. */
  stream(digest: Digest): AsyncIterable<Uint8Array> {
    return this.#blobs.stream(digest);
  }

  /** A path of this process' own, for a file or folder that moves to its place or goes away with the process. */
  temporaryPath(): string {
    return this.#blobs.temporaryPath();
  }

  /** Path of a blob, whether or not it is there. Its bytes are not checked (`readFiles().path` does). */
  path(digest: Digest): string {
    return this.#blobs.path(digest);
  }

  /** The hit check, by size and time: of the given blobs those that cannot be used. */
  check(
    blobs: readonly { digest: Digest; bytes: number }[],
  ): { digest: Digest; state: 'missing' | 'damaged' }[] {
    return this.#blobs.check(blobs);
  }

  /** Puts on disk, as a group, everything finished so far. To be awaited before an index or a record names it. */
  sync(): Promise<void> {
    return this.#blobs.sync();
  }

  /** Bytes of blobs that were stored since the last call. */
  takeWritten(): number {
    return this.#blobs.takeWritten();
  }

  /** Whether a process was killed before this one began: what it stored was counted by nobody. */
  get followsKill(): boolean {
    return this.#blobs.followsKill;
  }

  blobs(): AsyncIterable<StoredBlob> {
    return this.#blobs.blobs();
  }

  /** Blobs that running processes rely on, this one too. */
  inUse(): Set<Digest> {
    return this.#blobs.inUse();
  }

  /**
   * Removes blobs that no running process relies on, and that `stillNamed` (asked at the end) does not give; gives those
   * removed.
   */
  async remove(
    digests: Digest | Iterable<Digest>,
    stillNamed?: () => Promise<ReadonlySet<Digest>>,
  ): Promise<Digest[]> {
    return await this.#blobs.remove(typeof digests === 'string' ? [digests] : digests, stillNamed);
  }

  /** Reads every byte of every blob; `expected` are names that should be there (those of indexes and runs). */
  verify(
    expected?: Iterable<Digest>,
  ): AsyncIterable<{ digest: Digest; bytes: number; state: 'ok' | 'damaged' | 'missing' }> {
    return this.#blobs.verify(expected);
  }

  /** Puts on disk what is finished and ends the hold. */
  close(): Promise<void> {
    return this.#blobs.close();
  }
}

/** Neither a hash nor a write takes more than 2 GiB at once. */
const pieceValues = 2 ** 26;

function* piecesOf(data: Float32Array): Generator<Float32Array, void> {
  for (let start = 0; start < data.length; start += pieceValues)
    yield data.subarray(start, start + pieceValues);
}
