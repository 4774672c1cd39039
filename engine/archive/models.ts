import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Digest, digestOfJson, hexOf } from '../digest.ts';
import { isProcessAlive, thisHost } from '../store/session.ts';
import { type ArchiveEntry, placeOf } from './manifest.ts';

/** Names of folders that an import fills before what is in them gets its names: `<prefix><host>-<pid>-<random>`. */
export const draftPrefix = '.import-';

/** Files that a model may have: one has a dozen. */
const mostFiles = 1000;

/** Folder of the models that came with archives, each below its digest, with the path that it had from its project's root. */
export function modelsFolder(storeFolder: string): string {
  return join(storeFolder, 'models');
}

/** Folders that stand in for the project's root where a model came with an archive. */
export function importedModels(storeFolder: string): string[] {
  return namesIn(modelsFolder(storeFolder))
    .filter((name) => !name.startsWith('.'))
    .map((name) => join(modelsFolder(storeFolder), name));
}

/**
 * Files of models that are not what the digest in their path says; the first one's name, or null. A model's digest is that of
 * the names and digests of its files (see `modelFolder`); where its folder begins in the path is not said, so that every
 * folder is tried.
 */
export function unprovenModel(entries: readonly ArchiveEntry[]): string | null {
  const models = new Map<string, { path: string; entry: ArchiveEntry }[]>();
  for (const entry of entries) {
    const place = placeOf(entry.name);
    if (place?.kind === 'model')
      models.set(place.digest, [...(models.get(place.digest) ?? []), { path: place.path, entry }]);
  }
  for (const [hex, files] of models) {
    if (files.length > mostFiles) return files[0]!.entry.name;
    const proven = new Set<ArchiveEntry>();
    for (const folder of foldersOf(files.map(({ path }) => path))) {
      const inside = files.filter(({ path }) => path.startsWith(folder));
      const listed = inside
        .map(({ path, entry }) => ({ name: path.slice(folder.length), digest: entry.digest }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      if (hexOf(digestOfJson(listed)) === hex) for (const { entry } of inside) proven.add(entry);
    }
    const other = files.find(({ entry }) => !proven.has(entry));
    if (other) return other.entry.name;
  }
  return null;
}

/** Every folder that files lie in, at any depth, with a `/` at its end; the topmost is empty. */
function foldersOf(paths: readonly string[]): Set<string> {
  const folders = new Set(['']);
  for (const path of paths)
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
      folders.add(path.slice(0, at + 1));
  return folders;
}

/**
 * Removes models that came with archives and that no run under `runsFolder` names any more; gives them with their bytes. A
 * folder is moved aside before the runs are looked at once more: of one that is imported meanwhile every file is put back.
 */
export function pruneModels(
  storeFolder: string,
  runsFolder: string,
  { dryRun = false }: { dryRun?: boolean } = {},
): { digest: Digest; bytes: number }[] {
  const parent = modelsFolder(storeFolder);
  const names = namesIn(parent);
  if (names.length === 0) return [];
  const models = names.filter((name) => !name.startsWith('.'));
  const named = namedByRuns(runsFolder, models);
  const unused = models.filter((name) => !named.has(name));
  const found = unused.map((name) => ({
    digest: `sha256:${name}` as Digest,
    bytes: bytesIn(join(parent, name)),
  }));
  if (dryRun) return found;
  for (const name of unused) {
    try {
      renameSync(join(parent, name), asideOf(parent, name));
    } catch {
      // Another process was faster.
    }
  }
  const aside = movedAside(parent);
  const needed = namedByRuns(runsFolder, [...new Set(aside.map(({ name }) => name))]);
  for (const { folder, name } of aside) {
    if (needed.has(name)) putBack(folder, join(parent, name));
    rmSync(folder, { recursive: true, force: true });
  }
  return found.filter(({ digest }) => !needed.has(hexOf(digest)));
}

const asidePrefix = '.gone-';

function asideOf(parent: string, name: string): string {
  return join(parent, `${asidePrefix}${thisHost}-${process.pid}-${name}`);
}

/** Folders that this process has moved aside, and those of processes that were killed, with the names that they had. */
function movedAside(parent: string): { folder: string; name: string }[] {
  return namesIn(parent).flatMap((entry) => {
    if (!entry.startsWith(asidePrefix)) return [];
    const [host, pid, name] = entry.slice(asidePrefix.length).split('-');
    if (!name) return [];
    const ours = host === thisHost && (Number(pid) === process.pid || !isProcessAlive(Number(pid)));
    return ours ? [{ folder: join(parent, entry), name }] : [];
  });
}

/** Gives files of a folder their place again, but for those that an import has put there meanwhile. */
function putBack(folder: string, place: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const target = join(place, relative(folder, file));
    mkdirSync(dirname(target), { recursive: true });
    try {
      linkSync(file, target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      // A file system without links.
      renameSync(file, target);
    }
  }
}

/** Which digests stand in the record of a run, also of one that is being imported. */
function namedByRuns(runsFolder: string, digests: readonly string[]): Set<string> {
  const named = new Set<string>();
  const drafts = namesIn(runsFolder).filter((name) => name.startsWith(draftPrefix));
  for (const folder of [...drafts.map((name) => join(runsFolder, name)), runsFolder])
    for (const run of namesIn(folder)) {
      if (named.size === digests.length) return named;
      let text: string;
      try {
        text = readFileSync(join(folder, run, 'run.json'), 'utf8');
      } catch {
        continue;
      }
      for (const digest of digests) if (text.includes(`sha256:${digest}`)) named.add(digest);
    }
  return named;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It is not there, or no folder.
    return [];
  }
}

function bytesIn(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  return bytes;
}
