import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemError } from '../problems.ts';

/** What people add to a run afterwards. */
export interface RunNotes {
  /** Names of the run, sorted. */
  tags: string[];
  /** In the order in which they were written. */
  notes: { time: string; text: string }[];
}

/**
 * `runs/<id>/notes.ndjson` beside run.json, which stays as it was written: a line for each tag, each tag taken away and
 * each note. Lines are only ever appended, each with one write, so that processes never wait for each other and never
 * undo each other's work; the file travels with the run's folder. A tag names the run whose line with it is the latest.
 */
type NoteLine = { time: string } & ({ tag: string } | { untag: string } | { note: string });

const fileName = 'notes.ndjson';

/** The words that mean a run already, and what ids of runs begin with, are no tags. */
const tagForm = /^(?!latest$)[A-Za-z_][\w.-]{0,99}$/;

export function isTag(text: string): boolean {
  return tagForm.test(text);
}

/** Notes of a run. `tags` are those that the run's own file says; see `readTags` for who has a tag that moved. */
export function readNotes(runFolder: string): RunNotes {
  const lines = readLines(runFolder);
  const notes = lines.flatMap((line) => ('note' in line ? [{ time: line.time, text: line.note }] : []));
  return { tags: [...tagTimes(lines).keys()].sort(), notes };
}

/** Run ids by tag. Of each run the notes are read, if it has any: 10,000 runs take about 70 ms. */
export function readTags(runsFolder: string): Map<string, string> {
  return new Map([...tagHolders(runsFolder)].map(([tag, [latest]]) => [tag, latest!.run]));
}

/** The run that has a tag. */
export function runOfTag(runsFolder: string, tag: string): string | undefined {
  return isTag(tag) ? readTags(runsFolder).get(tag) : undefined;
}

/**
 * Gives a run a tag, and takes it from the run that had it; gives that run's id, or null. ProblemError `tag-form` if
 * this cannot be a tag.
 */
export function tagRun(runsFolder: string, run: string, tag: string, now = new Date()): string | null {
  if (!isTag(tag)) {
    throw ProblemError.of('tag-form', `"${tag}" cannot be a tag`, {
      hint: 'a tag starts with a letter and has letters, digits, "_", "-" and "."; "latest" is taken',
    });
  }
  const holders = tagHolders(runsFolder).get(tag) ?? [];
  const before = holders[0];
  if (before?.run === run) return null;
  // Later than the lines that it replaces, whatever the clock says.
  const past = [...readLines(join(runsFolder, run)), ...(before ? [before] : [])];
  const time = new Date(
    Math.max(now.getTime(), ...past.map((line) => Date.parse(line.time) + 1)),
  ).toISOString();
  append(join(runsFolder, run), { time, tag });
  for (const holder of holders)
    if (holder.run !== run) append(join(runsFolder, holder.run), { time, untag: tag });
  return before?.run ?? null;
}

/** Takes a tag away; gives the run that had it. ProblemError `unknown-tag` if none has it. */
export function untagRun(runsFolder: string, tag: string, now = new Date()): string {
  const tags = tagHolders(runsFolder);
  const holders = tags.get(tag);
  if (holders === undefined) {
    throw ProblemError.of('unknown-tag', `no run has the tag "${tag}"`, {
      hint: tags.size === 0 ? 'there are no tags yet' : `there are: ${[...tags.keys()].sort().join(', ')}`,
    });
  }
  const time = new Date(Math.max(now.getTime(), Date.parse(holders[0]!.time))).toISOString();
  for (const { run } of holders) append(join(runsFolder, run), { time, untag: tag });
  return holders[0]!.run;
}

export function addNote(runsFolder: string, run: string, text: string, now = new Date()): void {
  append(join(runsFolder, run), { time: now.toISOString(), note: text });
}

/** Who says to have a tag, the latest first: more than one where runs were copied in, or tagged at the same time. */
function tagHolders(runsFolder: string): Map<string, { run: string; time: string }[]> {
  const holders = new Map<string, { run: string; time: string }[]>();
  for (const run of runFolders(runsFolder))
    for (const [tag, time] of tagTimes(readLines(join(runsFolder, run)))) {
      const known = holders.get(tag);
      if (known) known.push({ run, time });
      else holders.set(tag, [{ run, time }]);
    }
  for (const known of holders.values())
    known.sort((a, b) => (a.time === b.time ? (a.run < b.run ? 1 : -1) : a.time < b.time ? 1 : -1));
  return holders;
}

/** When a run got each of its tags. A line that takes a tag away means the lines before its time, wherever it stands. */
function tagTimes(lines: readonly NoteLine[]): Map<string, string> {
  const times = new Map<string, string>();
  for (const line of lines) {
    if ('tag' in line && (times.get(line.tag) ?? '') < line.time) times.set(line.tag, line.time);
  }
  for (const line of lines) {
    if ('untag' in line && (times.get(line.untag) ?? '~') <= line.time) times.delete(line.untag);
  }
  return times;
}

function runFolders(runsFolder: string): string[] {
  try {
    return readdirSync(runsFolder).filter((name) => !name.startsWith('.'));
  } catch {
    // There are no runs yet.
    return [];
  }
}

function readLines(runFolder: string): NoteLine[] {
  const path = join(runFolder, fileName);
  // Most runs have no notes, and to ask first is ten times as fast as an error.
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return isNoteLine(value) ? [value] : [];
    } catch {
      // A full disk tore it.
      return [];
    }
  });
}

/** Archives bring notes, and people edit them: what is none is passed over. */
function isNoteLine(value: unknown): value is NoteLine {
  const { time, tag, untag, note } = (value ?? {}) as {
    [name in 'time' | 'tag' | 'untag' | 'note']?: unknown;
  };
  const said = [tag, untag, note].filter((part) => part !== undefined);
  return (
    typeof time === 'string' &&
    !Number.isNaN(Date.parse(time)) &&
    said.length === 1 &&
    typeof said[0] === 'string' &&
    (note !== undefined || isTag(said[0]))
  );
}

/** One write each: lines of two processes never mix. A line that a full disk tore is ended first. */
function append(runFolder: string, line: NoteLine): void {
  const path = join(runFolder, fileName);
  const file = openSync(path, 'a+');
  try {
    writeSync(file, `${isTorn(path) ? '\n' : ''}${JSON.stringify(line)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Whether the last line has no end. One that another process is writing has one in a moment. */
function isTorn(path: string): boolean {
  for (let look = 1; ; look++) {
    const text = readFileSync(path, 'utf8');
    if (text === '' || text.endsWith('\n')) return false;
    if (look === 3) return true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}
