import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { suggestion } from '../../engine/nearest.ts';
import { StepError } from '../../engine/problems.ts';
import type { ArtefactSpec, FilesOutput, MatrixOutput, TableInput } from '../../engine/step.ts';
import { NpyError, parseNpy } from './npy.ts';

/** A file of this size is read at once: sooner than a stream, or the thread pool, would have begun. */
const small = 1024 * 1024;

/** What a declared file becomes, told from its extension. */
export function specOf(file: string): ArtefactSpec {
  switch (extname(file).toLowerCase()) {
    case '.jsonl':
    case '.ndjson':
      return { kind: 'table', description: `The rows that the program writes to ${file}, as JSON Lines.` };
    case '.csv':
    case '.tsv':
      return {
        kind: 'table',
        description: `The records that the program writes to ${file}; all values are texts.`,
      };
    case '.npy':
      return { kind: 'matrix', description: `The matrix that the program writes to ${file}.` };
    default:
      return { kind: 'files', description: `What the program writes to ${file}.` };
  }
}

/** Why a path cannot be that of an output; undefined if it can. */
export function outputPathFlaw(file: string): string | undefined {
  if (/^([/\\]|[A-Za-z]:)/.test(file))
    return 'is absolute; outputs are relative to the folder in which the program starts';
  const parts = file.replace(/\/$/, '').split('/');
  if (parts.includes('..')) return 'leaves the folder in which the program starts';
  if (parts.some((part) => part === '')) return 'is not the path of a file or folder';
  return undefined;
}

/** Fails with the names of the files that are there if a declared output is missing. */
export async function requireOutput(folder: string, name: string, file: string): Promise<void> {
  if (existsSync(join(folder, file))) return;
  const there = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  throw new StepError(
    'missing-output',
    `the program ended well but did not write ${file}, its output "${name}"`,
    suggestion(file, there, 'it left') ??
      'it left no files in the folder in which it started; $REPRISE_OUTPUT_… names the place',
  );
}

/**
 * Reads a matrix that the program wrote. Its rows belong to the first table of the same length: of those that the
 * program wrote, then of those that it got. Without one they are numbered.
 */
export async function readMatrix(
  folder: string,
  file: string,
  output: MatrixOutput,
  tables: readonly (TableInput | readonly string[])[],
): Promise<void> {
  let matrix: ReturnType<typeof parseNpy>;
  try {
    matrix = parseNpy(await readFile(join(folder, file)));
  } catch (error) {
    if (error instanceof NpyError) throw new StepError('bad-output', `${file}: ${error.message}`);
    throw error;
  }
  const aligned = tables.find((table) => ('ids' in table ? table.rows : table.length) === matrix.rows);
  await output.write(matrix, aligned ?? Array.from({ length: matrix.rows }, (_, row) => String(row)));
}

/** Takes over a file, or all files of a folder. */
export async function readFiles(folder: string, file: string, output: FilesOutput): Promise<void> {
  const path = join(folder, file);
  const found = statSync(path);
  if (!found.isDirectory()) return writeFile(output, basename(file), path, found.size);
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const inner = join(entry.parentPath, entry.name);
    const name = inner.slice(join(path, '/').length).replaceAll('\\', '/');
    await writeFile(output, name, inner, statSync(inner).size);
  }
}

async function writeFile(output: FilesOutput, name: string, path: string, size: number): Promise<void> {
  await output.write(name, size <= small ? readFileSync(path) : createReadStream(path));
}
