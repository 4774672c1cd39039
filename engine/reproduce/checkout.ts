import { mkdirSync } from 'node:fs';
import type { SimpleGit } from 'simple-git';
import { gitsReason, openGit } from '../record/git.ts';

/**
 * A repository of which commits are written out elsewhere. `git worktree add` would note the new work tree under
 * `.git/worktrees` and run the hook post-checkout; a process that is killed could not take either back. So git is given a work
 * tree and an index of our own for each call (GIT_WORK_TREE, GIT_INDEX_FILE): the repository's objects, settings and
 * filters serve, and nothing in it is written.
 */
export interface Checkout {
  hasCommit(commit: string): Promise<boolean>;
  /** Writes a commit's files into the folder. */
  write(commit: string): Promise<void>;
  /** Applies a patch to the folder's files. Gives git's reason if it does not apply; then nothing was changed. */
  apply(patchFile: string): Promise<string | null>;
  /** Whether a commit has a file. */
  has(commit: string, path: string): Promise<boolean>;
  /** A file's text in a commit; null if there is none. */
  read(commit: string, path: string): Promise<string | null>;
}

/** Nothing of the user's may run, and nothing may be left in the repository. */
const quiet = [
  ...['-c', 'core.hooksPath=/dev/null'],
  ...['-c', 'core.splitIndex=false'],
  ...['-c', 'core.sparseCheckout=false'],
  ...['-c', 'core.fsmonitor=false'],
  // Submodules have repositories of their own, whose HEAD and settings git would change with the work tree.
  ...['-c', 'submodule.recurse=false'],
  '--no-optional-locks',
];

/**
 * @param top absolute path of the repository's top folder; null without one: then only patches can be applied
 * @param folder absolute path of the folder that is written, which need not be there
 * @param indexFile path of a file that is not there, for git's index
 */
export async function openCheckout(top: string | null, folder: string, indexFile: string): Promise<Checkout> {
  mkdirSync(folder, { recursive: true });
  const git = await gitFor(top, folder, indexFile);
  const succeeds = async (...words: string[]) =>
    git.raw(words).then(
      () => true,
      () => false,
    );
  return {
    hasCommit: async (commit) => top !== null && (await succeeds('cat-file', '-e', `${commit}^{commit}`)),
    has: async (commit, path) => top !== null && (await succeeds('cat-file', '-e', `${commit}:${path}`)),
    read: async (commit, path) =>
      top === null ? null : git.raw(['show', `${commit}:${path}`]).catch(() => null),
    async write(commit) {
      await git.raw([...quiet, 'read-tree', '--reset', '-u', commit]);
    },
    async apply(patchFile) {
      try {
        await git.raw([...quiet, 'apply', '--whitespace=nowarn', patchFile]);
        return null;
      } catch (error) {
        return gitsReason(error);
      }
    },
  };
}

async function gitFor(top: string | null, folder: string, indexFile: string): Promise<SimpleGit> {
  // The settings above make hooks and monitors not run, for which simple-git wants to be asked, too.
  const unsafe = { allowUnsafeHooksPath: true, allowUnsafeFsMonitor: true };
  if (top === null) return openGit(folder, { unsafe });
  const gitDir = (await (await openGit(top)).raw(['rev-parse', '--absolute-git-dir'])).trim();
  const extra = { GIT_DIR: gitDir, GIT_WORK_TREE: folder, GIT_INDEX_FILE: indexFile };
  return openGit(folder, { extra, unsafe });
}
