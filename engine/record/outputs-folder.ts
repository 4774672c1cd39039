import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Artefact } from '../artefacts.ts';
import { type Digest, digestOfJson, hexOf } from '../digest.ts';
import type { StepOutcome } from '../events.ts';
import { isProcessAlive } from '../store/session.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';

/** A name under which people find a blob: `queries.jsonl.zst`, `unique.duplicates.jsonl.zst`, `page/report.html`. */
interface NamedBlob {
  name: string;
  digest: Digest;
}

/**
 * Makes `<run>/outputs`: one link to a folder of the store that holds a link for each output. The folder is named by
 * what it holds, so that runs with the same outputs share it, and a run with nothing to do makes a single link.
 *
 * @param options.draft a path in the store's file system where the folder is made before it gets its name
 * @param options.pathOf path of a blob in the store
 */
export function linkOutputs(options: {
  storeFolder: string;
  runFolder: string;
  draft: string;
  steps: readonly { id: string; outputs: { readonly [name: string]: Artefact } }[];
  pathOf(digest: Digest): string;
}): void {
  const { storeFolder, runFolder, draft, steps, pathOf } = options;
  const blobs = namedBlobs(steps);
  const parent = join(storeFolder, 'outputs');
  const folder = join(
    parent,
    hexOf(digestOfJson(blobs.map(({ name, digest }) => [name, digest]))).slice(0, 32),
  );
  // The link first: from now on no other process removes the folder (see `pruneOutputs`).
  const link = join(runFolder, 'outputs');
  rmSync(link, { force: true });
  // A junction needs no right of its own on Windows, but an absolute target.
  symlinkSync(process.platform === 'win32' ? folder : relative(runFolder, folder), link, 'junction');
  if (!existsSync(folder)) {
    try {
      // Not a mkdtemp, which would be closed to others on a shared machine.
      mkdirSync(draft);
      const folders = new Set<string>();
      for (const { name, digest } of blobs) {
        const path = join(draft, name);
        if (name.includes('/') && !folders.has(dirname(path))) {
          mkdirSync(dirname(path), { recursive: true });
          folders.add(dirname(path));
        }
        linkFile(pathOf(digest), path, join(folder, name));
      }
      mkdirSync(parent, { recursive: true });
      renameSync(draft, folder);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      // Another process made the same folder meanwhile?
      if (!existsSync(folder)) throw error;
    }
  }
}

/**
 * Removes the folders of links that no run under `runsFolder` points to any more. A folder is moved aside before the runs
 * are looked at once more: either we see the link of a run that ends now, or it sees that the folder is gone.
 */
export function pruneOutputs(storeFolder: string, runsFolder: string): void {
  const parent = join(storeFolder, 'outputs');
  if (!existsSync(parent)) return;
  const used = linkedFolders(runsFolder);
  const aside = new Map<string, string>();
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    const pid = /^\.\w+-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined) {
      // Left by a process that was killed here.
      if (!isProcessAlive(Number(pid))) rmSync(path, { recursive: true, force: true });
    } else if (!used.has(name)) {
      try {
        const to = join(parent, `.${name}-${process.pid}`);
        renameSync(path, to);
        aside.set(path, to);
      } catch {
        // Another process was faster.
      }
    }
  }
  if (aside.size === 0) return;
  const needed = linkedFolders(runsFolder);
  for (const [path, to] of aside) {
    if (needed.has(basename(path)) && !existsSync(path)) renameSync(to, path);
    else rmSync(to, { recursive: true, force: true });
  }
}

/** Above so many steps nobody opens all outputs, and making their links would take longer than the run. */
const mostLinked = 200;

/** The steps whose outputs `runs/<id>/outputs` holds: all, or of a big workflow those that no other step reads. */
export function linkedSteps(
  steps: readonly ResolvedStep[],
  outcomes: readonly StepOutcome[],
): readonly StepOutcome[] {
  if (outcomes.length <= mostLinked) return outcomes;
  const read = new Set(steps.flatMap(({ needs }) => needs));
  return outcomes.filter(({ id }) => !read.has(id));
}

/** Names of the folders that runs point to. */
function linkedFolders(runsFolder: string): Set<string> {
  const used = new Set<string>();
  for (const run of existsSync(runsFolder) ? readdirSync(runsFolder) : []) {
    const link = join(runsFolder, run, 'outputs');
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) used.add(basename(readlinkSync(link)));
  }
  return used;
}

function namedBlobs(
  steps: readonly { id: string; outputs: { readonly [name: string]: Artefact } }[],
): NamedBlob[] {
  const blobs: NamedBlob[] = [];
  const taken = new Set<string>();
  const add = (stem: string, ending: string, digest: Digest) => {
    let name = stem + ending;
    for (let copy = 2; taken.has(name.toLowerCase()); copy++) name = `${stem}~${copy}${ending}`;
    taken.add(name.toLowerCase());
    blobs.push({ name, digest });
  };
  for (const { id, outputs } of steps) {
    Object.entries(outputs).forEach(([output, artefact], index) => {
      // The main output comes first and goes by the step's name alone, as in an address.
      const stem = fileName(index === 0 ? id : `${id}.${output}`);
      if (artefact.kind === 'table') add(stem, '.jsonl.zst', artefact.blob);
      else if (artefact.kind === 'matrix') add(stem, '.npy', artefact.blob);
      else
        for (const { name, digest } of artefact.files)
          add(`${stem}/${name.split('/').map(fileName).join('/')}`, '', digest);
    });
  }
  return blobs;
}

/** A name that every file system takes. */
function fileName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a file's name
  const clean = name.replace(/[/\\:*?"<>|\u0000-\u001f]/g, '_').replace(/^\.+$/, '_');
  return clean.length <= 150 ? clean : `${clean.slice(0, 130)}~${hexOf(digestOfJson(name)).slice(0, 16)}`;
}

/** A link that moves with the project; where links need a right that the user lacks, a second name or a copy. */
function linkFile(target: string, path: string, finalPath: string): void {
  try {
    symlinkSync(relative(dirname(finalPath), target), path, 'file');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'ENOSYS' && code !== 'ENOTSUP') throw error;
    try {
      linkSync(target, path);
    } catch {
      copyFileSync(target, path);
    }
  }
}
