import { closeSync, copyFileSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { StepError } from '../../engine/problems.ts';
import type { ArtefactInput, FilesInput, MatrixInput, StepContext, TableInput } from '../../engine/step.ts';
import { npyHeader } from '../../engine/store/npy.ts';

/** A file of this size is copied before the event loop could have taken a turn. */
const small = 1024 * 1024;

/** Writes an input where a program can read it, and gives the path: JSON Lines, `.npy` or a folder. */
export async function writeInput(input: ArtefactInput, folder: string, name: string): Promise<string> {
  if (input.kind === 'table') return writeTable(input, join(folder, `${name}.jsonl`));
  if (input.kind === 'matrix') return writeMatrix(input, join(folder, `${name}.npy`));
  return writeFolder(input, join(folder, name));
}

async function writeTable(table: TableInput, path: string): Promise<string> {
  const file = openSync(path, 'w');
  try {
    for await (const rows of table.blocks())
      writeSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  } finally {
    closeSync(file);
  }
  return path;
}

async function writeMatrix(input: MatrixInput, path: string): Promise<string> {
  const { data, rows, columns } = await input.read();
  const file = openSync(path, 'w');
  try {
    writeSync(file, npyHeader(rows, columns));
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < bytes.length; )
      at += writeSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30));
  } finally {
    closeSync(file);
  }
  return path;
}

async function writeFolder(input: FilesInput, folder: string): Promise<string> {
  mkdirSync(folder);
  for (const name of input.names) {
    const path = join(folder, name);
    if (name.includes('/')) mkdirSync(dirname(path), { recursive: true });
    // A copy, since a program may write to its input, and the store's own file must not change.
    await input.copy(name, path);
  }
  return folder;
}

async function copy(from: string, to: string): Promise<void> {
  if (statSync(from).size <= small) copyFileSync(from, to);
  else await copyFile(from, to);
}

/**
 * Copies the declared files to the same places below the folder in which the program starts. Copies, and not links: what was
 * not declared is not there, so that nothing can count that the fingerprint does not hold.
 */
export async function copyDeps(deps: readonly string[], folder: string, context: StepContext): Promise<void> {
  for (const dep of deps) {
    const files = context.files(dep);
    if (files.length === 0) throw new StepError('no-file', `deps: no file matches ${dep}`);
    for (const file of files) {
      const path = relative(context.root, file);
      const found = statSync(file, { throwIfNoEntry: false });
      if (!found) throw new StepError('no-file', `deps: there is no file ${path}`, 'check the path');
      if (path.split(sep)[0] === '..')
        throw new StepError(
          'outside-project',
          `deps: ${file} is outside of the project's folder`,
          'copy it into the project',
        );
      const target = join(folder, path);
      mkdirSync(dirname(target), { recursive: true });
      await copy(file, target);
    }
  }
}
