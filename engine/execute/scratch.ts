import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isProcessAlive, thisHost } from '../store/session.ts';

/** `reprise-<host>-<pid>-<random>` */
const pattern = /^reprise-([0-9a-f]{8})-(\d+)-/;
/** Folders of this process. */
const own = new Set<string>();
let isTidy = false;

/**
 * An empty folder for a step, in the system's folder for temporary files: within the project, programs would find its
 * packages and its repository. Its name says whose it is, so that those of a process that was killed are removed by a
 * later one.
 */
export function makeScratch(): string {
  const parent = tmpdir();
  mkdirSync(parent, { recursive: true });
  if (!isTidy) {
    isTidy = true;
    removeDeadScratch(parent);
  }
  const folder = mkdtempSync(join(parent, `reprise-${thisHost}-${process.pid}-`));
  own.add(folder);
  return folder;
}

/** One that cannot be removed, since a program still writes to it, is left to a later process. */
export async function removeScratch(folder: string): Promise<void> {
  try {
    if (!existsSync(folder)) return;
    const options = { recursive: true, force: true };
    // A few files are gone sooner than the thread pool would have been asked for the first of them.
    if (readdirSync(folder, { recursive: true }).length <= 16) rmSync(folder, options);
    else await rm(folder, options);
  } catch {
    // It keeps its name, by which a later process knows it.
  }
}

function removeDeadScratch(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, host, pid] = pattern.exec(name) ?? [];
    if (host !== thisHost) continue;
    // A container gives out the same process ids again and again.
    const isDead = Number(pid) === process.pid ? !own.has(join(parent, name)) : !isProcessAlive(Number(pid));
    if (!isDead) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Another user's, or a program that outlived its run writes to it.
    }
  }
}
