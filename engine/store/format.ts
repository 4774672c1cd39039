import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProblemError } from '../problems.ts';

/**
 * Refuses a store of another format than `format`, before anything of it is read. One without the file is empty, or its
 * first process was killed: it is of this format. ProblemError `store-too-new`, `store-format-damaged`.
 */
export function refuseOtherFormat(folder: string, format: number): void {
  const path = join(folder, 'format');
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    // Whatever else stands in the way of reading is told by the first read of a blob.
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') return;
    text = 'a folder';
  }
  const found = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
  if (found === undefined)
    throw ProblemError.of(
      'store-format-damaged',
      `${path} does not say which format the store has: ${text === '' ? 'it is empty' : JSON.stringify(text.slice(0, 40))}`,
      {
        hint: 'if reprise made this folder, delete that file and run reprise cache verify; if not, name another folder as `store` in reprise.yaml',
      },
    );
  if (found > format)
    throw ProblemError.of(
      'store-too-new',
      `the store ${dirname(path)} has format ${found}; this version of reprise knows formats up to ${format}`,
      { hint: 'install a newer reprise, or name another folder as `store` in reprise.yaml' },
    );
}

/** Whole or not at all, since another process may read it, or the machine stop. `draft`: a path in the same file system. */
export function writeFormat(folder: string, format: number, draft: () => string): void {
  const path = join(folder, 'format');
  if (existsSync(path)) return;
  const temporary = draft();
  writeFileSync(temporary, `${format}\n`, { flush: true });
  renameSync(temporary, path);
}
