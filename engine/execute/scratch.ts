import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
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

/** Folders that are done with, and the removal under way. */
let waiting: string[] = [];
let removal: Promise<void> | null = null;

/**
 * Removes a folder while the run goes on: nobody waits for a disk to forget. Those that come while one is removed go
 * together. One that cannot be removed, since a program still writes to it, is left to a later process, which knows it by
 * its name.
 */
export function removeScratch(folder: string): void {
  waiting.push(folder);
  removal ??= removeAll();
}

/** Fulfilled when all that was to be removed is. */
export async function scratchesRemoved(): Promise<void> {
  await removal;
}

async function removeAll(): Promise<void> {
  while (waiting.length > 0) {
    const folders = waiting;
    waiting = [];
    await remove(folders);
  }
  removal = null;
}

/** Many are removed by a program: unlinking blocks this process longer than starting one does. */
async function remove(folders: readonly string[]): Promise<void> {
  if (process.platform !== 'win32' && folders.length > 2) {
    const { execFile } = await import('node:child_process');
    const done = await new Promise<boolean>((resolve) => {
      execFile('rm', ['-rf', '--', ...folders], (error) => resolve(error === null));
    });
    if (done) return;
  }
  for (const folder of folders) await rm(folder, { recursive: true, force: true }).catch(() => {});
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
