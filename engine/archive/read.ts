import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream';
import { pipeline as pipe } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Digest, digestOf, hasBytes } from '../digest.ts';
import { ProblemError } from '../problems.ts';
import { parseRecord, recordFormat } from '../record/record.ts';
import { isProcessAlive, thisHost } from '../store/session.ts';
import type { Store } from '../store/store.ts';
import {
  type ArchiveEntry,
  damaged,
  type EntryPlace,
  type Manifest,
  manifestName,
  placeOf,
  readManifest,
  unsafe,
} from './manifest.ts';
import { draftPrefix, modelsFolder, unprovenModel } from './models.ts';

export interface Imported {
  run: string;
  /** Ids of the runs that are new here. */
  added: string[];
  entries: number;
  bytes: number;
}

export interface ImportOptions {
  /** Absolute path of the archive. */
  path: string;
  runsFolder: string;
  store: Store;
  signal: AbortSignal;
}

/**
 * Takes an archive in. It is read twice: first every byte is checked against the manifest, every name and every record, and
 * nothing is written; then its blobs go into the store, and the runs appear, the one that it is about last. A run that is
 * here already stays as it is; one of the same id with another record is refused. What is
 * here of its blobs and models and was changed is mended.
 *
 * ProblemError `archive-damaged`, `archive-unsafe`, `archive-too-new`, `run-exists`, `no-room`.
 */
export async function importArchive({ path, runsFolder, store, signal }: ImportOptions): Promise<Imported> {
  /** Digests of the records. Of their texts one is in memory at a time. */
  const records = new Map<string, Digest>();
  const manifest = await readEntries(path, signal, async ({ name, digest, bytes: size }, place, bytes) => {
    const isRecord = place.kind === 'run' && place.file === 'run.json';
    if (isRecord && size > recordLimit) throw damaged(`${name} is too large for a record`);
    const kept = await checked(name, digest, bytes, isRecord);
    if (kept === null || !isRecord) return;
    checkRecord(place.run, kept.toString('utf8'));
    records.set(place.run, digest);
  });
  const unproven = unprovenModel(manifest.entries);
  if (unproven !== null) throw damaged(`${unproven} does not belong to the model that its name says`);
  const present = new Set<string>();
  for (const [run, digest] of records) if (isHere(run, digest, runsFolder)) present.add(run);
  const total = manifest.entries.reduce((sum, { bytes }) => sum + bytes, 0);
  mkdirSync(runsFolder, { recursive: true });
  refuseWithoutRoom(runsFolder, total);

  const mark = `${draftPrefix}${thisHost}-${process.pid}-${randomBytes(4).toString('hex')}`;
  const models = modelsFolder(store.folder);
  for (const folder of [runsFolder, models]) removeDead(folder);
  const runDraft = join(runsFolder, mark);
  const modelDraft = join(models, mark);
  try {
    await readEntries(path, signal, async ({ name, digest }, place, bytes) => {
      if (place.kind === 'object') {
        if ((await store.put(bytes)).digest !== digest) throw damaged(`${name} is not what its digest says`);
        return;
      }
      const target =
        place.kind === 'run'
          ? join(runDraft, place.run, place.file)
          : join(modelDraft, place.digest, place.path);
      mkdirSync(dirname(target), { recursive: true });
      const hash = createHash('sha256');
      await pipe(
        bytes,
        async function* (pieces) {
          for await (const piece of pieces as AsyncIterable<Buffer>) {
            hash.update(piece);
            yield piece;
          }
        },
        createWriteStream(target, { flags: 'wx' }),
      );
      if (`sha256:${hash.digest('hex')}` !== digest) throw damaged(`${name} is not what its digest says`);
    });
    await store.sync();
    for (const { name, digest } of manifest.entries) {
      const place = placeOf(name);
      if (place?.kind !== 'model') continue;
      const target = join(models, place.digest, place.path);
      if (await hasBytes(target, digest)) continue;
      placeFile(join(modelDraft, place.digest, place.path), target);
    }
    const added = [...records.keys()]
      .filter((run) => !present.has(run))
      .sort((a, b) => Number(a === manifest.run) - Number(b === manifest.run));
    const taken = added.filter((run) =>
      placed(join(runDraft, run), join(runsFolder, run), () => isHere(run, records.get(run)!, runsFolder)),
    );
    return { run: manifest.run, added: taken, entries: manifest.entries.length, bytes: total };
  } finally {
    rmSync(runDraft, { recursive: true, force: true });
    rmSync(modelDraft, { recursive: true, force: true });
  }
}

/** Gives a file of a model its place. Its folder may just be moved aside, as one that no run names yet. */
function placeFile(draft: string, target: string): void {
  for (let attempt = 1; ; attempt++) {
    mkdirSync(dirname(target), { recursive: true });
    try {
      renameSync(draft, target);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 3) throw error;
    }
  }
}

/** Removes the drafts of processes that were killed. */
function removeDead(folder: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const [host, pid] = name.startsWith(draftPrefix) ? name.slice(draftPrefix.length).split('-') : [];
    if (host === thisHost && !isProcessAlive(Number(pid)))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

type OnEntry = (entry: ArchiveEntry, place: EntryPlace, bytes: AsyncIterable<Buffer>) => Promise<void>;

/** Largest manifest that is read: one for a million blobs has 200 MB. */
const manifestLimit = 256 * 2 ** 20;

/** Largest record that is read: no text of JavaScript can be much longer. */
const recordLimit = 256 * 2 ** 20;

/** Goes through an archive, which must hold what its manifest says, in that order, and nothing else. */
async function readEntries(path: string, signal: AbortSignal, onEntry: OnEntry): Promise<Manifest> {
  const { extract } = await import('tar-stream');
  const entries = extract();
  // Its failure ends the loop below.
  pipeline(createReadStream(path), createGunzip(), entries, () => {});
  let manifest: Manifest | undefined;
  let next = 0;
  try {
    for await (const entry of entries) {
      signal.throwIfAborted();
      const { name, type, size = 0 } = entry.header;
      if (type !== 'file') throw unsafe(name);
      const bytes = entry as unknown as AsyncIterable<Buffer>;
      if (manifest === undefined) {
        if (name !== manifestName || size > manifestLimit) throw damaged('it does not begin with a manifest');
        manifest = readManifest(Buffer.concat(await Array.fromAsync(bytes)).toString('utf8'));
        continue;
      }
      const expected = manifest.entries[next++];
      const place = placeOf(name);
      if (place === undefined) throw unsafe(name);
      if (expected?.name !== name || expected.bytes !== size)
        throw damaged(`${name} is not what its manifest announces`);
      await onEntry(expected, place, bytes);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof ProblemError || signal.aborted) throw error;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'EACCES')
      throw ProblemError.of('file-not-readable', `${path} cannot be read (${code})`);
    if (code === 'Z_DATA_ERROR' && manifest === undefined) throw damaged('it is no gzipped file');
    if (/^Z_|^ERR_|header|end of data|premature/i.test(`${code ?? ''} ${message}`) || code === undefined)
      throw damaged(message.toLowerCase());
    throw error;
  }
  if (manifest === undefined) throw damaged('it is empty');
  if (next < manifest.entries.length) throw damaged(`${manifest.entries[next]!.name} is missing`);
  return manifest;
}

/** Reads an entry to its end; gives its bytes if they are wanted. */
async function checked(
  name: string,
  digest: string,
  bytes: AsyncIterable<Buffer>,
  keep: boolean,
): Promise<Buffer | null> {
  const hash = createHash('sha256');
  const pieces: Buffer[] = [];
  for await (const piece of bytes) {
    hash.update(piece);
    if (keep) pieces.push(Buffer.from(piece));
  }
  if (`sha256:${hash.digest('hex')}` !== digest) throw damaged(`${name} is not what its digest says`);
  return keep ? Buffer.concat(pieces) : null;
}

/** Refuses what is no record of this run. */
function checkRecord(run: string, text: string): void {
  const parsed = parseRecord(text);
  if ('later' in parsed)
    throw ProblemError.of(
      'archive-too-new',
      `the record of ${run} in the archive has format ${parsed.later}; this version of reprise knows formats up to ${recordFormat}`,
      { hint: 'install the version that made the run, or a later one' },
    );
  if ('flaw' in parsed) throw damaged(`the record of ${run} is none: ${parsed.flaw}`);
  if (parsed.record.id !== run) throw damaged(`the record of ${run} is that of ${parsed.record.id}`);
}

/** Whether the run is here already, with the same record. ProblemError `run-exists` if it has another. */
function isHere(run: string, digest: Digest, runsFolder: string): boolean {
  const here = join(runsFolder, run, 'run.json');
  if (!existsSync(here)) {
    if (existsSync(join(runsFolder, run))) throw exists(run);
    return false;
  }
  if (digestOf(readFileSync(here)) !== digest) throw exists(run);
  return true;
}

/** Gives a folder its name; false if it is there already, perhaps since a moment ago by another import. */
function placed(draft: string, target: string, isThere: () => boolean): boolean {
  if (isThere()) return false;
  try {
    renameSync(draft, target);
    return true;
  } catch (error) {
    if (isThere()) return false;
    throw error;
  }
}

function exists(run: string): ProblemError {
  return ProblemError.of('run-exists', `a run ${run} is here already, and its record is another`, {
    hint: `look at both, and remove the one here if it is not the true one: reprise runs rm ${run}`,
  });
}

function refuseWithoutRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize > bytes) return;
  throw ProblemError.of(
    'no-room',
    `the archive takes ${bytes} bytes, and the disk has ${bavail * bsize} left`,
    {
      hint: 'free some space, with `reprise cache gc` for one',
    },
  );
}
