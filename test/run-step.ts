import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Metrics, Row } from '../engine/artefacts.ts';
import { digestOf, digestOfJson } from '../engine/digest.ts';
import { WorkerPool } from '../engine/execute/pool.ts';
import { filesBehind } from '../engine/execute/prepare.ts';
import { randomStream } from '../engine/execute/random.ts';
import type { Json, JsonObject } from '../engine/json.ts';
import type { ModelTokens } from '../engine/language-model.ts';
import { StepError } from '../engine/problems.ts';
import { linesOf } from '../engine/row-table.ts';
import type {
  AnyStepType,
  AskedModel,
  FilesInput,
  Matrix,
  MatrixInput,
  MatrixParts,
  StepContext,
  StepInput,
  TableInput,
} from '../engine/step.ts';
import { RowFailure } from '../engine/step.ts';
import { rowsFor, typeWith } from '../engine/type-with.ts';
import { compileSchema } from '../engine/workflow/schema-check.ts';

/** What a step made, in memory. */
export interface StepOutputs {
  tables: Record<string, Row[]>;
  matrices: Record<string, Matrix & { ids: string[] }>;
  files: Record<string, Record<string, Buffer>>;
  metrics: Metrics;
  warnings: string[];
  logs: string[];
}

/**
 * Runs a step type by itself, without an engine: inputs are rows and matrices in memory, `with` gets the defaults of
 * its schema and is checked against it. For the tests of step types.
 */
export async function runStep(
  declared: AnyStepType,
  options: {
    with?: JsonObject;
    inputs?: Record<string, Row[] | { matrix: Matrix; ids: string[] } | FilesInput | StepInput>;
    root?: string;
    seed?: number;
    signal?: AbortSignal;
    models?: Record<string, string>;
    env?: Record<string, string>;
    languageModels?: Record<string, AskedModel>;
    /** Without it a model's context is not known, and each character is a token. */
    modelTokens?: Record<string, ModelTokens>;
    /** Worker threads to use, for tests that run many steps; by default new ones, which are ended afterwards. */
    pool?: WorkerPool;
    /** Hears the step's log as it is written. */
    onLog?: (message: string) => void;
  } = {},
): Promise<StepOutputs> {
  const parameters = compileSchema(declared.parameters).parse(options.with ?? {});
  const type = typeWith(declared, parameters);
  const result: StepOutputs = { tables: {}, matrices: {}, files: {}, metrics: {}, warnings: [], logs: [] };
  const root = options.root ?? process.cwd();
  const signal = options.signal ?? new AbortController().signal;
  const pool = options.pool ?? new WorkerPool({ threads: 2 });
  const scratches: string[] = [];
  const context: StepContext = {
    signal,
    root,
    env: options.env ?? {},
    params: {},
    matrix: {},
    pool: pool.forStep(signal),
    random: (...names) => randomStream(options.seed ?? 42, type.type, ...names),
    files: (path) => filesBehind(root, path),
    model(name) {
      const folder = options.models?.[name] ?? resolve(import.meta.dirname, '../models', name);
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(onnx|json)$/.test(file))
        .sort();
      const digests = files.map((file) => ({
        name: file,
        digest: digestOf(readFileSync(join(folder, file))),
      }));
      return { name, folder, digest: digestOfJson(digests), files: digests };
    },
    languageModel(alias) {
      const found = options.languageModels?.[alias];
      if (found) return found;
      throw new Error(`no language model ${alias}`);
    },
    modelTokens: (alias) =>
      options.modelTokens?.[alias] ?? { context: null, counter: async () => (text) => text.length },
    progress: () => {},
    log(message) {
      result.logs.push(message);
      options.onLog?.(message);
    },
    warn: (message) => void result.warnings.push(message),
    async scratch() {
      const folder = mkdtempSync(join(tmpdir(), 'reprise-scratch-'));
      scratches.push(folder);
      return folder;
    },
  };
  const inputs: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options.inputs ?? {})) {
    inputs[name] = Array.isArray(value)
      ? tableInput(value)
      : 'matrix' in value
        ? matrixInput(value.matrix, value.ids)
        : value;
  }
  const outputs: Record<string, unknown> = {};
  const specs = type.outputsOf ? type.outputsOf(parameters) : type.outputs;
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.kind === 'table') {
      const rows: Row[] = [];
      result.tables[name] = rows;
      const ids = new Set<string>();
      outputs[name] = {
        expect: () => {},
        write(row: Row) {
          if (ids.has(row.id))
            throw new StepError('duplicate-id', `id ${row.id} is written twice to ${name}`);
          ids.add(row.id);
          rows.push(JSON.parse(JSON.stringify(row)) as Row);
        },
      };
    } else if (spec.kind === 'matrix') {
      outputs[name] = {
        async write(given: Matrix | MatrixParts, ids: TableInput | string[]) {
          const matrix = 'data' in given ? given : await joinedParts(given);
          const list = Array.isArray(ids) ? ids : (await ids.all()).map((row) => row.id);
          if (list.length !== matrix.rows || matrix.data.length !== matrix.rows * matrix.columns)
            throw new Error(`matrix ${name} does not fit its ids`);
          result.matrices[name] = { ...matrix, ids: list };
        },
      };
    } else {
      const files: Record<string, Buffer> = {};
      result.files[name] = files;
      outputs[name] = {
        async write(file: string, content: string | Uint8Array | AsyncIterable<Uint8Array>) {
          if (typeof content === 'string' || content instanceof Uint8Array)
            files[file] = Buffer.from(content as string);
          else files[file] = Buffer.concat(await Array.fromAsync(content));
        },
      };
    }
  }
  const run = { parameters, inputs, outputs, context } as never;
  try {
    if (type.kind === 'step') {
      result.metrics = (await type.run(run))?.metrics ?? {};
    } else {
      const computer = await type.open(run);
      const rows = await (await rowsFor(type, run)).all();
      const fields = type.fields(parameters);
      const values: { row: Row; value: Json | Float32Array }[] = [];
      const failed: Row[] = [];
      for (let start = 0; start < rows.length; start += computer.batchSize) {
        const batch = rows.slice(start, start + computer.batchSize);
        const content = batch.map((row) => fields.map((field) => row[field] ?? null));
        const computed = await computer.compute(content, signal).catch((error: unknown) => {
          if (error instanceof RowFailure && batch.length === 1) return [error];
          throw error;
        });
        batch.forEach((row, index) => {
          const value = computed[index]!;
          if (value instanceof RowFailure) failed.push({ ...row, reason: value.reason });
          else values.push({ row, value });
        });
      }
      result.tables['failed'] = failed;
      result.metrics =
        (await type.emit(run, Object.assign(iterate(values), { count: values.length })))?.metrics ?? {};
      await computer.close?.();
    }
  } finally {
    if (!options.pool) await pool.close();
    for (const folder of scratches) rmSync(folder, { recursive: true, force: true });
  }
  return result;
}

async function joinedParts({ rows, columns, parts }: MatrixParts): Promise<Matrix> {
  const all = await Array.fromAsync(parts, (part) => [...part]);
  return { data: Float32Array.from(all.flat()), rows, columns };
}

async function* iterate<T>(items: T[]): AsyncIterable<T> {
  yield* items;
}

function idsDigest(ids: readonly string[]) {
  return digestOf(ids.map((id) => `${id}\n`).join(''));
}

export function tableInput(rows: Row[]): TableInput {
  return {
    kind: 'table',
    digest: digestOfJson(rows),
    rows: rows.length,
    ids: idsDigest(rows.map((row) => row.id)),
    fields: [...new Set(rows.flatMap((row) => Object.keys(row)))],
    read: () => iterate(rows.map((row) => structuredClone(row))),
    blocks: () => iterate(rows.length > 0 ? [structuredClone(rows)] : []),
    lines: () => iterate(rows.length > 0 ? [linesOf(rows)] : []),
    all: async () => structuredClone(rows),
  };
}

export function matrixInput(matrix: Matrix, ids: string[]): MatrixInput {
  return {
    kind: 'matrix',
    digest: digestOf(matrix.data),
    rows: matrix.rows,
    columns: matrix.columns,
    ids: idsDigest(ids),
    read: async () => matrix,
    async *blocks() {
      const { data, rows, columns } = matrix;
      // Small ones, so that a test has several.
      for (let row = 0; row < rows; row += 100) {
        const own = Math.min(100, rows - row);
        yield { data: data.slice(row * columns, (row + own) * columns), rows: own, columns };
      }
    },
  };
}

/** Files that a step left, as the input of another one. They lie in a temporary folder. */
export function filesInput(files: Record<string, Uint8Array>): FilesInput {
  const folder = folderWith(files);
  return {
    kind: 'files',
    digest: digestOfJson(Object.entries(files).map(([name, content]) => [name, digestOf(content)])),
    names: Object.keys(files),
    read: async (name) => files[name]!,
    path: (name) => join(folder, name),
    copy: async (name, to) => writeFileSync(to, files[name]!),
  };
}

/** A temporary folder with the given files. */
export function folderWith(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-test-'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return folder;
}
