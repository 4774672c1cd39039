import { closeSync, existsSync, mkdirSync, openSync, readdirSync, symlinkSync, writeSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type Digest, digestOf, hasBytes } from '../digest.ts';
import { isInside } from '../inside.ts';
import { findRepository, gitsReason } from '../record/git.ts';
import type { RunRecord } from '../record/record.ts';
import { redacted } from '../record/redaction.ts';
import { DamagedBlobError, type Store } from '../store/store.ts';
import type { Workspace } from '../workspace.ts';
import { openCheckout } from './checkout.ts';
import { copyInto, writeInto } from './overlay.ts';
import type { Sandbox } from './sandbox.ts';

/** Something that the run cannot be done again without. */
export interface Missing {
  what: string;
  why: string;
  /** Ids of the steps that need it; empty if all do. */
  steps: string[];
}

/** A run's files as they were, apart from the project. */
export interface Restored {
  /** Absolute path of the project's root in the sandbox. */
  root: string;
  /** Absolute path of the folder of the call. */
  cwd: string;
  /** Absolute path of the folder that all that was restored lies below. */
  tree: string;
  /** The commit whose files were written; null where only the record's own files were. */
  commit: string | null;
  patch: 'none' | 'applied' | 'not_applied';
  /** Files of the record that were put, over those of the commit. */
  files: number;
  /** What could not be done, and is no reason to stop. */
  notes: string[];
  missing: Missing[];
}

/**
 * Restores the files that a run was made from: those of the commit with the patch, if the commit is here, and over them
 * what the record holds: where they differ, the record wins. The project is only read.
 *
 * Bytes of a data file are taken from the commit, from the store, or from the project, whoever has those of the digest.
 */
export async function restore(
  record: RunRecord,
  { root: projectRoot, store, files }: Pick<Workspace, 'root' | 'store' | 'files'>,
  sandbox: Sandbox,
): Promise<Restored> {
  const { sources } = record.workflow;
  const paths = [...sources, ...record.files].map(({ path }) => path).filter((path) => !isAbsolute(path));
  // `../x` of the root must lie in the sandbox, too.
  const above = Math.max(0, ...paths.map((path) => path.split('/').filter((part) => part === '..').length));
  const tree = sandbox.file('tree');
  const top = join(tree, ...Array<string>(above).fill('above'));
  mkdirSync(top, { recursive: true });
  const git = await restoreCommit(record, projectRoot, store, top, sandbox);
  const root = join(top, git.prefix);
  mkdirSync(root, { recursive: true });
  const restored: Restored = {
    root,
    cwd: resolve(root, record.cwd ?? ''),
    tree,
    files: 0,
    missing: [],
    ...git,
  };

  /** Whether a file of the project has these bytes. */
  const offers = async (path: string, digest: Digest): Promise<boolean> =>
    (await (async () => files.digestOf(path))().catch(() => null))?.digest === digest;
  const outsideOf = (path: string) => {
    return isAbsolute(path) || !isInside(tree, join(root, path));
  };
  for (const { path, digest, text } of sources) {
    const place = join(root, path);
    if (outsideOf(path) || (await hasBytes(place, digest))) continue;
    restored.files++;
    if (digestOf(text) === digest) writeInto(tree, place, text);
    else if (await offers(join(projectRoot, path), digest)) copyInto(tree, place, join(projectRoot, path));
    else {
      const why = text.includes(redacted)
        ? 'a secret stood in it, which the record does not have, and the file in the project is another by now'
        : 'its text in the record is not what its digest says: the record was changed';
      restored.missing.push({ what: path, why, steps: stepsOfSource(record, path) });
    }
  }
  for (const { path, digest, pinned } of record.files) {
    const place = join(root, path);
    const steps = record.steps.filter(({ fingerprint: f }) => f && Object.hasOwn(f.files, path));
    const ids = steps.map(({ id }) => id);
    if (outsideOf(path)) {
      if (!(await offers(path, digest)))
        restored.missing.push({
          what: path,
          why: 'it lies on another drive and is not what it was',
          steps: ids,
        });
      continue;
    }
    if (await hasBytes(place, digest)) continue;
    restored.files++;
    const flaw = await takeBlob(store, digest, tree, place);
    if (flaw === null) continue;
    const own = join(projectRoot, path);
    if (await offers(own, digest)) {
      copyInto(tree, place, own);
      continue;
    }
    const stored = pinned
      ? flaw === 'changed'
        ? 'its bytes in the store were changed'
        : 'its bytes are not in the store any more'
      : 'the record has its digest only';
    const here = existsSync(own) ? 'the file in the project is another by now' : 'the file is gone';
    restored.missing.push({ what: path, why: `${stored}, and ${here}`, steps: ids });
  }
  linkPackages(projectRoot, root, top);
  return restored;
}

/** Steps that a source concerns: those whose type it is; else all. */
function stepsOfSource(record: RunRecord, path: string): string[] {
  return record.steps.filter(({ use }) => use === path || use === `./${path}`).map(({ id }) => id);
}

/** Copies a blob to a place within a folder; says what is wrong with it if it cannot be. */
export async function takeBlob(
  store: Store,
  digest: Digest,
  tree: string,
  place: string,
): Promise<'missing' | 'changed' | null> {
  let file: number | undefined;
  try {
    for await (const piece of store.stream(digest)) {
      // All bytes were checked before the first piece came.
      if (file === undefined) {
        writeInto(tree, place, '');
        file = openSync(place, 'w');
      }
      for (let done = 0; done < piece.length; ) done += writeSync(file, piece, done);
    }
    if (file === undefined) writeInto(tree, place, '');
    return null;
  } catch (error) {
    if (error instanceof DamagedBlobError) return error.reason;
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Writes the commit and applies the patch; without them, what the record holds must do. */
async function restoreCommit(
  { git, root: oldRoot, workflow }: RunRecord,
  projectRoot: string,
  store: Store,
  top: string,
  sandbox: Sandbox,
): Promise<Pick<Restored, 'commit' | 'patch' | 'notes'> & { prefix: string }> {
  const done = {
    commit: null as string | null,
    patch: 'none' as Restored['patch'],
    notes: [] as string[],
    prefix: '',
  };
  if (git === null) return done;
  const opened = async (repository: string | null) => ({
    repository,
    checkout: await openCheckout(repository, top, sandbox.file('index')),
  });
  const { repository, checkout } = await opened(findRepository(projectRoot)).catch((error) => {
    done.notes.push(`git cannot read the repository here: ${gitsReason(error)}`);
    return opened(null);
  });
  if (repository !== null) {
    // The project may have been moved within the repository, or with it.
    const prefixes = [oldRoot ?? projectRoot, projectRoot]
      .filter((folder) => folder === repository || isInside(repository, folder))
      .map((folder) => relative(repository, folder).split(sep).join('/'));
    done.prefix = prefixes.at(-1)!;
    for (const prefix of git.commit === null ? [] : prefixes)
      if (await checkout.has(git.commit!, join(prefix, workflow.path).split(sep).join('/'))) {
        done.prefix = prefix;
        break;
      }
  }
  if (git.commit !== null) {
    const short = git.commit.slice(0, 12);
    if (!(await checkout.hasCommit(git.commit))) {
      done.notes.push(
        `the commit ${short} is not in a repository here: only the files in the record are restored`,
      );
      return done;
    }
    try {
      await checkout.write(git.commit);
      done.commit = git.commit;
    } catch (error) {
      done.notes.push(`the commit ${short} could not be written out: ${gitsReason(error)}`);
      return done;
    }
  }
  if (git.patch !== null) {
    const flaw = await takeBlob(store, git.patch.digest, sandbox.folder, sandbox.file('patch'));
    const reason = flaw
      ? `its bytes in the store are ${flaw === 'missing' ? 'gone' : 'changed'}`
      : await checkout.apply(sandbox.file('patch'));
    done.patch = reason === null ? 'applied' : 'not_applied';
    if (reason !== null)
      done.notes.push(
        `the patch of what was not committed could not be applied (${reason}): of its files only those in the record are restored`,
      );
  }
  return done;
}

/** Packages are found where the project finds them: in node_modules of its root and of the folders above. */
function linkPackages(projectRoot: string, root: string, top: string): void {
  let place = root;
  for (let from = projectRoot; ; from = dirname(from)) {
    linkEach(join(from, 'node_modules'), join(place, 'node_modules'));
    if (dirname(from) === from) return;
    // What lies above the repository shares a place above the restored tree.
    if (place !== dirname(top)) place = place === top ? dirname(top) : dirname(place);
  }
}

/**
 * A `node_modules` of our own with a link for each package: what a package keeps beside the others (`node_modules/.cache`) is
 * written here, not into the project.
 */
function linkEach(packages: string, place: string): void {
  if (!existsSync(packages) || existsSync(place)) return;
  mkdirSync(place);
  for (const entry of readdirSync(packages, { withFileTypes: true }))
    if (!entry.isFile() && (!entry.name.startsWith('.') || entry.name === '.bin'))
      symlinkSync(join(packages, entry.name), join(place, entry.name), 'junction');
}
