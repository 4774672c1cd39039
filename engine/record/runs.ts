import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../digest.ts';
import { nearest } from '../nearest.ts';
import { ProblemError } from '../problems.ts';
import { readTags, runOfTag } from './notes.ts';
import {
  headOf,
  parseFirstLines,
  parseRecord,
  type RunHead,
  type RunRecord,
  recordFormat,
} from './record.ts';
import { mayBeAlive } from './run-folder.ts';
import { withCostSoFar } from './spent.ts';

/** Runs as a list shows them, the newest first. */
export interface RunList {
  runs: RunHead[];
  /** Folders whose run.json is missing or cannot be read: a run that was killed as it started, or somebody's own. */
  unreadable: string[];
}

/** Lists the runs under `runs/`. Of each run.json the first line is read. */
export function listRuns(runsFolder: string): RunList {
  const list: RunList = { runs: [], unreadable: [] };
  for (const name of runNames(runsFolder)) {
    const head = readHead(join(runsFolder, name));
    if (head?.id === name) list.runs.push(head);
    else list.unreadable.push(name);
  }
  list.runs.sort(newestFirst);
  return list;
}

/** What a run's folder says of it, without its steps. A run whose process is gone is `interrupted`. */
export function readHead(runFolder: string): RunHead | undefined {
  const head = readStart(join(runFolder, 'run.json'), 1) ?? headOf(parseWhole(join(runFolder, 'run.json')));
  return head && { ...head, status: statusOf(head, runFolder) };
}

/** Status as of now: a run that says it is running, and whose process is gone, was interrupted. */
export function statusOf(
  { status, process }: Pick<RunHead, 'status' | 'process'>,
  runFolder: string,
): RunHead['status'] {
  return status === 'running' && !mayBeAlive(process, runFolder) ? 'interrupted' : status;
}

/**
 * A run's whole record. ProblemError `damaged-run` if it cannot be read, is not that of this run, or has not the shape of one;
 * `run-too-new` if a later version wrote it.
 */
export function readRun(runsFolder: string, id: string): RunRecord {
  const path = join(runsFolder, id, 'run.json');
  const damaged = (reason: string, remedy = 'bring it back as it was') =>
    ProblemError.of('damaged-run', `the record of run ${id} cannot be used: ${reason}`, {
      hint: `look at ${path}: ${remedy}, or remove the run: reprise runs rm ${id}`,
    });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw damaged((error as Error).message);
  }
  const parsed = parseRecord(text);
  if ('later' in parsed)
    throw ProblemError.of(
      'run-too-new',
      `the record of run ${id} has format ${parsed.later}; this version of reprise knows formats up to ${recordFormat}`,
      { hint: 'install the version that made the run, or a later one' },
    );
  if ('flaw' in parsed) throw damaged(parsed.flaw);
  const { record } = parsed;
  if (record.id !== id)
    throw damaged(`it is that of ${record.id}`, 'give its folder that name if it was renamed');
  const folder = join(runsFolder, id);
  return withCostSoFar({ ...record, status: statusOf(record, folder) }, folder);
}

/**
 * Blobs that runs need to be reproduced: they must not be evicted. Of each run.json two lines are read; of one that is not as
 * it should be, whatever it has of them counts.
 */
export function pinnedBlobs(runsFolder: string): Set<Digest> {
  const pins = new Set<Digest>();
  for (const name of runNames(runsFolder)) {
    const path = join(runsFolder, name, 'run.json');
    const known = readStart(path, 2) ?? (parseWhole(path) as { pins?: unknown } | null | undefined);
    if (Array.isArray(known?.pins)) for (const digest of known.pins) pins.add(digest as Digest);
  }
  return pins;
}

/**
 * Finds the run that a user means: an id, a unique prefix of one, `latest`, `latest~2`, or a tag. `latest` is the
 * latest run that has ended, however it ended: one that is still running has nothing to show yet, and may be the one
 * that asks.
 */
export function resolveRun(runsFolder: string, reference: string): string {
  if (/^[\w-]+$/.test(reference) && existsSync(join(runsFolder, reference, 'run.json'))) return reference;
  const tagged = runOfTag(runsFolder, reference);
  if (tagged !== undefined) return tagged;
  const latest = /^latest(?:~(\d+))?$/.exec(reference);
  if (latest) {
    const known = listRuns(runsFolder).runs.filter(({ status }) => status !== 'running');
    const back = Number(latest[1] ?? 0);
    if (known[back]) return known[back].id;
    const count =
      known.length === 0
        ? 'there are no runs yet'
        : known.length === 1
          ? 'there is one run'
          : `there are ${known.length} runs`;
    throw ProblemError.of('unknown-run', `there is no run "${reference}": ${count}`, {
      hint: known.length === 0 ? 'make one: reprise run <file>' : 'list them: reprise runs',
    });
  }
  const names = runNames(runsFolder).sort().reverse();
  const found = reference === '' ? [] : names.filter((name) => name.startsWith(reference));
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw ProblemError.of('ambiguous-run', `"${reference}" may be any of ${found.length} runs`, {
      hint: `write more of one: ${someOf(found)}`,
    });
  }
  const alike = nearest(reference, [...readTags(runsFolder).keys(), ...names, 'latest']);
  throw ProblemError.of('unknown-run', `there is no run "${reference}"`, {
    hint: alike
      ? `did you mean "${alike}"?`
      : names.length === 0
        ? 'there are no runs yet; make one: reprise run <file>'
        : `the latest are ${someOf(names)}`,
  });
}

function someOf(names: string[]): string {
  return names.length <= 4
    ? names.join(', ')
    : `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`;
}

function runNames(runsFolder: string): string[] {
  if (!existsSync(runsFolder)) return [];
  return readdirSync(runsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}

function newestFirst(a: RunHead, b: RunHead): number {
  if (a.started !== b.started) return a.started < b.started ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

/** Parses the first lines of run.json; undefined if there is none, or if it is not as `serializeRecord` writes it. */
function readStart(path: string, lines: 1): RunHead | undefined;
function readStart(path: string, lines: 2): (RunHead & Pick<RunRecord, 'pins'>) | undefined;
function readStart(path: string, lines: 1 | 2): RunHead | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    for (let size = 4096; size <= 16 * 1024 * 1024; size *= 16) {
      const bytes = Buffer.allocUnsafe(size);
      const read = readSync(file, bytes, 0, size, 0);
      const text = bytes.toString('utf8', 0, read);
      const head = lines === 1 ? parseFirstLines(text, 1) : parseFirstLines(text, 2);
      if (head || read < size) return head;
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** For a run.json that somebody's editor wrote anew. */
function parseWhole(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
