import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { digestOf, hexOf } from '../digest.ts';

/** The folder with a work tree's own index and HEAD: `.git`, or of a linked worktree the one that it points to. */
export function gitFolder(top: string): string {
  const folder = join(top, '.git');
  if (!statSync(folder).isFile()) return folder;
  return resolve(top, /^gitdir: (.*)$/m.exec(readFileSync(folder, 'utf8'))![1]!.trim());
}

/** Another process may be at work with an older copy; without it, git would call every file deleted. Milliseconds. */
const inUseMs = 600_000;

/**
 * A copy of a repository's index, in `folder`, which git may bring up to date. Files that were written in the moment of
 * the index (a fresh clone) are hashed by every `git status` until one writes the index; on the user's own index that
 * would take its lock. The copy is made anew when the index was written. Null if there is no index, or it cannot be copied.
 */
export function copiedIndex(top: string, folder: string, now = Date.now()): string | null {
  try {
    const index = join(gitFolder(top), 'index');
    const { size, mtimeNs, ctimeNs, ino } = statSync(index, { bigint: true });
    const repository = `git-index-${hexOf(digestOf(index)).slice(0, 12)}`;
    const name = `${repository}-${hexOf(digestOf(`${size}:${mtimeNs}:${ctimeNs}:${ino}`)).slice(0, 12)}`;
    const copy = join(folder, name);
    if (existsSync(copy)) return copy;
    mkdirSync(folder, { recursive: true });
    for (const other of readdirSync(folder)) {
      const path = join(folder, other);
      if (other.startsWith(repository) && now - statSync(path).ctimeMs > inUseMs)
        rmSync(path, { force: true });
    }
    const draft = `${copy}.${process.pid}`;
    copyFileSync(index, draft);
    // git trusts entries that are older than the index: the copy must not look younger than what it is a copy of.
    const seconds = Number(mtimeNs / 1000n) / 1e6;
    utimesSync(draft, seconds, seconds);
    renameSync(draft, copy);
    return copy;
  } catch {
    return null;
  }
}
