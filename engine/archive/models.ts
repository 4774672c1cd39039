import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
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
 * folder is moved aside before the runs are looked at once more: one that is imported meanwhile keeps it.
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
  const unused = models.filter((name) => !namedByRuns(runsFolder, models).has(name));
  const found = unused.map((name) => ({
    digest: `sha256:${name}` as Digest,
    bytes: bytesIn(join(parent, name)),
  }));
  if (dryRun) return found;
  removeAside(parent);
  for (const name of unused) {
    try {
      renameSync(join(parent, name), asideOf(parent, name));
    } catch {
      // Another process was faster.
    }
  }
  const needed = namedByRuns(runsFolder, unused);
  for (const name of unused) {
    if (needed.has(name) && existsSync(asideOf(parent, name)) && !existsSync(join(parent, name)))
      renameSync(asideOf(parent, name), join(parent, name));
    else rmSync(asideOf(parent, name), { recursive: true, force: true });
  }
  return found.filter(({ digest }) => !needed.has(hexOf(digest)));
}

const asidePrefix = '.gone-';

function asideOf(parent: string, name: string): string {
  return join(parent, `${asidePrefix}${thisHost}-${process.pid}-${name}`);
}

/** Removes what processes that were killed had moved aside. */
function removeAside(parent: string): void {
  for (const name of namesIn(parent)) {
    const [host, pid] = name.startsWith(asidePrefix) ? name.slice(asidePrefix.length).split('-') : [];
    if (host === thisHost && !isProcessAlive(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true });
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
