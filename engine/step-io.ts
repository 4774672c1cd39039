import type { Metrics, Row } from './artefacts.ts';
import type { Digest } from './digest.ts';

/**
 * What becomes of data for evaluation only at an input. `learnt`: the step learns from it or shows it to a model as examples, so
 * that such data may not come here. `withheld`: nothing of it comes out, it only says which of the other rows do.
 */
export type DataUse = { readonly learnt?: boolean; readonly withheld?: boolean };
export type TableSpec = DataUse & {
  readonly kind: 'table';
  readonly description: string;
  readonly optional?: boolean;
};
export type MatrixSpec = DataUse & {
  readonly kind: 'matrix';
  readonly description: string;
  readonly optional?: boolean;
};
export type FilesSpec = { readonly kind: 'files'; readonly description: string; readonly optional?: boolean };
export type ArtefactSpec = TableSpec | MatrixSpec | FilesSpec;

/** Inputs by name; the first is what `from: step` binds. */
export type InputSpecs = { readonly [name: string]: ArtefactSpec };
/** Outputs by name; the first is the main output, which needs no `.output` in an address. */
export type OutputSpecs = { readonly [name: string]: ArtefactSpec };

/** Marks a step type that takes any steps under names of the workflow's choosing, whole: outputs and metrics. */
export const anyInputs = 'any' as const;

export interface TableInput {
  readonly kind: 'table';
  readonly digest: Digest;
  readonly rows: number;
  readonly ids: Digest;
  readonly fields: readonly string[];
  /** Streams the rows, in order. */
  read(): AsyncIterable<Row>;
  /** Streams blocks of rows: the fast way through a big table. */
  blocks(): AsyncIterable<Row[]>;
  /** Streams the rows as JSON Lines in UTF-8, in pieces of whole lines: the fast way to a file of them. */
  lines(): AsyncIterable<Uint8Array>;
  /** All rows in memory. */
  all(): Promise<Row[]>;
}

export interface Matrix {
  /** Row-major, `rows * columns` values. */
  data: Float32Array;
  rows: number;
  columns: number;
}

export interface MatrixInput {
  readonly kind: 'matrix';
  readonly digest: Digest;
  readonly rows: number;
  readonly columns: number;
  readonly ids: Digest;
  /** All rows, in memory that threads share: worker threads get them without a copy. Not to be written to. */
  read(): Promise<Matrix>;
  /** The same in blocks of rows, in their order, so that a matrix larger than the memory can be gone through. */
  blocks(): AsyncIterable<Matrix>;
}

export interface FilesInput {
  readonly kind: 'files';
  readonly digest: Digest;
  readonly names: readonly string[];
  read(name: string): Promise<Uint8Array>;
  /** Path of a read-only file with the content, for programs that need a path. */
  path(name: string): string;
  /** Writes the content to a new file at a path of one's own. */
  copy(name: string, to: string): Promise<void>;
}

export type ArtefactInput = TableInput | MatrixInput | FilesInput;

/** A whole step as another one's input: what `anyInputs` types get. */
export interface StepInput {
  /** The step's id in the workflow, and its type. */
  readonly step: string;
  readonly use: string;
  readonly metrics: Metrics;
  /** The name of the output that the address selects; the main output if it selects none. */
  readonly output: string;
  readonly outputs: { readonly [name: string]: ArtefactInput };
}

export interface TableOutput {
  /** Appends a row. Await it: it waits only when a block is full. Ids must be unique; a repeated id is an error. */
  write(row: Row): Promise<void> | undefined;
  /** Names the fields that rows would have, for a table that stays empty; one with rows has theirs. */
  expect(fields: readonly string[]): void;
}

/** A matrix that comes in parts of whole rows, so that it need not be in memory. */
export interface MatrixParts {
  rows: number;
  columns: number;
  parts: AsyncIterable<Float32Array>;
}

export interface MatrixOutput {
  /**
   * Writes the matrix, row-aligned with the table (or ids, in order) it belongs to. Of a matrix in parts, the ids are
   * looked at when the last part has come.
   */
  write(matrix: Matrix | MatrixParts, ids: TableInput | readonly string[]): Promise<void>;
}

export interface FilesOutput {
  write(name: string, content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
}

type InputOf<S extends ArtefactSpec> = S extends { kind: 'table' }
  ? TableInput
  : S extends { kind: 'matrix' }
    ? MatrixInput
    : FilesInput;
type OutputOf<S extends ArtefactSpec> = S extends { kind: 'table' }
  ? TableOutput
  : S extends { kind: 'matrix' }
    ? MatrixOutput
    : FilesOutput;

export type InputsOf<I> = I extends 'any'
  ? { readonly [name: string]: StepInput }
  : I extends InputSpecs
    ? { readonly [N in keyof I]: I[N] extends { optional: true } ? InputOf<I[N]> | undefined : InputOf<I[N]> }
    : never;
export type OutputsOf<O extends OutputSpecs> = { readonly [N in keyof O]: OutputOf<O[N]> };
