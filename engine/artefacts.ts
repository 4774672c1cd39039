import type { Digest } from './digest.ts';

/**
 * What flows along an edge: small descriptors over blobs in the store. `digest` names the content (a table's
 * uncompressed lines), `blob` the stored bytes; a later compressor may change `blob`, never `digest`.
 */
export type Artefact = TableArtefact | MatrixArtefact | FilesArtefact;

/** Rows as JSON Lines in zstd. Order is part of the content. */
export interface TableArtefact {
  kind: 'table';
  digest: Digest;
  blob: Digest;
  /** Stored size in bytes. */
  bytes: number;
  rows: number;
  /** Digest of the row ids in order, one a line: what a matrix or another table is aligned with. */
  ids: Digest;
  /** Names of the fields that occur, in order of first appearance (at most 1,000). */
  fields: string[];
}

/** float32 `.npy`, C order, a row for each row of the table whose `ids` it carries. */
export interface MatrixArtefact {
  kind: 'matrix';
  digest: Digest;
  blob: Digest;
  bytes: number;
  rows: number;
  columns: number;
  ids: Digest;
}

/** A folder of named blobs: a page, a model, an export. */
export interface FilesArtefact {
  kind: 'files';
  digest: Digest;
  bytes: number;
  /** Sorted by name; `/` separates folders. */
  files: { name: string; digest: Digest; bytes: number }[];
}

/** A row of a table. The id is unique within the table and survives every step that keeps the row. */
export interface Row {
  id: string;
  [field: string]: import('./json.ts').Json;
}

/** Numbers (and short texts) that a step reports about its work. */
export type Metrics = Record<string, number | string | boolean>;

/** The blobs that an artefact stands on. */
export function blobsOf(artefact: Artefact): { digest: Digest; bytes: number }[] {
  if (artefact.kind === 'files') return artefact.files.map(({ digest, bytes }) => ({ digest, bytes }));
  return [{ digest: artefact.blob, bytes: artefact.bytes }];
}
