import { copyFileSync, constants as fs, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { isInside } from '../inside.ts';

/**
 * Prepares the place of a file within a folder. A link on the way (a commit may hold links to anywhere) is replaced by a
 * real folder, and what stands in the file's place is removed: nothing outside the folder is ever written.
 *
 * @param folder absolute path that everything written lies below
 * @param path absolute path of the file
 */
function clearPlace(folder: string, path: string): void {
  if (!isInside(folder, path)) throw new Error(`${path} is not within ${folder}`);
  let at = folder;
  for (const part of relative(folder, dirname(path)).split(sep)) {
    if (part === '') continue;
    at = join(at, part);
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (stat && !stat.isDirectory()) rmSync(at);
    if (!stat?.isDirectory()) mkdirSync(at);
  }
  rmSync(path, { recursive: true, force: true });
}

export function writeInto(folder: string, path: string, content: string | Uint8Array): void {
  clearPlace(folder, path);
  writeFileSync(path, content);
}

/** A copy, sharing its bytes on disk where the file system can. */
export function copyInto(folder: string, path: string, from: string): void {
  clearPlace(folder, path);
  copyFileSync(from, path, fs.COPYFILE_FICLONE);
}
