import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProblemError } from '../problems.ts';

/** The formats that this version can work with. */
export interface Formats {
  /** What it writes. */
  current: number;
  /** The oldest that it reads and adds to as it is: a store of it becomes one of the current. */
  oldest: number;
}

/**
 * Refuses a store of a format that this version cannot work with, before anything of it is read. One without the file is
 * empty, or its first process was killed: it is of this format. ProblemError `store-too-new`, `store-too-old`,
 * `store-format-damaged`.
 */
export function refuseOtherFormat(folder: string, { current, oldest }: Formats): void {
  const found = formatOf(folder);
  if (found === undefined) return;
  if (found > current)
    throw ProblemError.of(
      'store-too-new',
      `the store ${dirname(join(folder, 'format'))} has format ${found}; this version of reprise knows formats up to ${current}`,
      { hint: 'install a newer reprise, or name another folder as `store` in reprise.yaml' },
    );
  if (found < oldest)
    throw ProblemError.of(
      'store-too-old',
      `the store ${dirname(join(folder, 'format'))} has format ${found}; this version of reprise reads formats from ${oldest} on`,
      {
        hint: 'pack the runs that you need with the reprise that made them (runs export), name another folder as `store` in reprise.yaml, and take them in there (runs import)',
      },
    );
}

/** What the file says; undefined if there is none. ProblemError `store-format-damaged`. */
function formatOf(folder: string): number | undefined {
  const path = join(folder, 'format');
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    // Whatever else stands in the way of reading is told by the first read of a blob.
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') return undefined;
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
  return found;
}

/** Whole or not at all, since another process may read it, or the machine stop. `draft`: a path in the same file system. */
export function writeFormat(folder: string, format: number, draft: () => string): void {
  const path = join(folder, 'format');
  if (formatOf(folder) === format) return;
  const temporary = draft();
  writeFileSync(temporary, `${format}\n`, { flush: true });
  renameSync(temporary, path);
}
