import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Digest } from './digest.ts';
import type { PreparedStep } from './execute/prepare.ts';
import type { Fingerprint } from './fingerprint/fingerprint.ts';
import type { Workspace } from './workspace.ts';

/** How a text differs from what it was, by its lines wherever they stand. */
export interface LineChange {
  /** Lines that it had. */
  before: number;
  changed: number;
  added: number;
  removed: number;
}

/** Bytes of a file above which nobody waits for a count. */
const largest = 64 * 2 ** 20;

/** Null if one of the two is no text. */
export function lineChange(before: Buffer, after: Buffer): LineChange | null {
  if (before.includes(0) || after.includes(0)) return null;
  const old = linesOf(before);
  const now = linesOf(after);
  const left = new Map<string, number>();
  for (const line of old) left.set(line, (left.get(line) ?? 0) + 1);
  let fresh = 0;
  for (const line of now) {
    const count = left.get(line) ?? 0;
    if (count === 0) fresh++;
    else left.set(line, count - 1);
  }
  const gone = old.length - (now.length - fresh);
  const changed = Math.min(fresh, gone);
  return { before: old.length, changed, added: fresh - changed, removed: gone - changed };
}

/** `12 of 10,003 lines changed, 3 removed`. */
export function shownLineChange({ before, changed, added, removed }: LineChange): string {
  const all = before.toLocaleString('en-US');
  const count = (lines: number) => lines.toLocaleString('en-US');
  if (changed > 0) {
    const parts = [`${count(changed)} of ${all} lines changed`];
    if (added > 0) parts.push(`${count(added)} added`);
    if (removed > 0) parts.push(`${count(removed)} removed`);
    return parts.join(', ');
  }
  if (added > 0) return `${count(added)} ${added === 1 ? 'line' : 'lines'} added to ${all}`;
  if (removed > 0) return `${count(removed)} of ${all} lines removed`;
  return 'its lines in another order, or with other ends';
}

/**
 * A reason to run, with how many lines of each changed file are others than in the step's last result. A file that was
 * not kept then, is no text, or is too large for it stays `changed`.
 */
export async function withLineChanges(
  reason: string,
  before: Fingerprint,
  { fingerprint, files }: PreparedStep,
  workspace: Workspace,
): Promise<string> {
  let said = reason;
  for (const path of new Set([...files.values()].flat())) {
    const name = workspace.relative(path);
    const digest = before.files[name] as Digest | undefined;
    if (digest === undefined || fingerprint?.files[name] === digest) continue;
    const change = await changeOf(path, digest, workspace);
    if (change !== null)
      said = said.replace(`file ${name} changed`, () => `file ${name}: ${shownLineChange(change)}`);
  }
  return said;
}

async function changeOf(path: string, digest: Digest, { store }: Workspace): Promise<LineChange | null> {
  try {
    if (statSync(path).size > largest || statSync(store.path(digest)).size > largest) return null;
    return lineChange(await store.read(digest), await readFile(path));
  } catch {
    // Only the number is not known: what is wrong with the file, the run says.
    return null;
  }
}

/** Without the end of each line. A byte is a character here: it only matters which lines are equal. */
function linesOf(text: Buffer): string[] {
  const lines = text.toString('latin1').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
