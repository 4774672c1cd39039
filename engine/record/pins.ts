import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../digest.ts';
import { outputBlobs } from './record.ts';
import { readRun } from './runs.ts';

/**
 * A run whose outputs stay in the store is marked with this file in its folder, so that the mark goes where the folder
 * goes. (What every run pins of its own accord, the inputs that reproducing it takes, stands in its run.json.)
 */
const markName = 'pinned';

/** False if it was pinned before. */
export function pinRun(runsFolder: string, run: string): boolean {
  const path = join(runsFolder, run, markName);
  if (existsSync(path)) return false;
  writeFileSync(path, '');
  return true;
}

/** False if it was not pinned. */
export function unpinRun(runsFolder: string, run: string): boolean {
  const path = join(runsFolder, run, markName);
  const was = existsSync(path);
  rmSync(path, { force: true });
  return was;
}

/** Ids of the runs that somebody pinned. */
export function pinnedRuns(runsFolder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(runsFolder);
  } catch {
    return [];
  }
  return names.filter((name) => existsSync(join(runsFolder, name, markName))).sort();
}

/** Blobs of all outputs of pinned runs. ProblemError `damaged-run`: nothing may be evicted that cannot be named. */
export function pinnedRunBlobs(runsFolder: string): Set<Digest> {
  const blobs = new Set<Digest>();
  for (const run of pinnedRuns(runsFolder))
    for (const digest of outputBlobs(readRun(runsFolder, run))) blobs.add(digest);
  return blobs;
}
