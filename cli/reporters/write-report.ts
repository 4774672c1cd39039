import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Writes a report at one stroke, into a folder that is made if need be: who reads it never sees half of one. What is not
 * a file, such as a pipe or /dev/stdout, is written to as it is.
 */
export function writeReport(cwd: string, target: string, text: string): void {
  const path = resolve(cwd, target);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    writeFileSync(path, text);
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
