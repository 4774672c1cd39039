import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Digest, hexOf } from '../digest.ts';
import { ProblemError } from '../problems.ts';
import { outputBlobs, type RunRecord } from '../record/record.ts';
import type { ModelFolder } from '../step.ts';
import type { Store } from '../store/store.ts';
import { DamagedBlobError } from '../store/store.ts';
import { type ArchiveEntry, archiveFormat, type Manifest, manifestName, placeOf } from './manifest.ts';

/** What an archive of a run will hold. */
export interface Contents {
  manifest: Manifest;
  /** Bytes of each kind, before they are compressed. */
  sizes: { record: number; data: number; outputs: number; models: number };
  /** What is left out, and what that means. */
  notes: string[];
  /** The bytes of an entry. */
  open(entry: ArchiveEntry): AsyncIterable<Uint8Array>;
}

export interface ContentsOptions {
  record: RunRecord;
  runsFolder: string;
  /** Absolute path of the project's root. */
  root: string;
  store: Store;
  engineVersion: string;
  /** Also what the steps made: then a difference can be shown row by row elsewhere. */
  outputs: boolean;
  /** Models of the project that the run used. */
  models: readonly ModelFolder[];
}

/**
 * Works out what an archive holds. ProblemError `archive-incomplete` if something that the run needs is gone,
 * `run-is-running` if it is not over: its record is not whole.
 */
export async function contentsOf(options: ContentsOptions): Promise<Contents> {
  const { record, runsFolder, root, store, models } = options;
  if (record.status === 'running')
    throw ProblemError.of('run-is-running', `${record.id} is still running`, { hint: 'wait for its end' });
  const notes: string[] = [];
  const sizes = { record: 0, data: 0, outputs: 0, models: 0 };
  const entries: ArchiveEntry[] = [];
  const sources = new Map<string, () => AsyncIterable<Uint8Array>>();
  const add = (kind: keyof typeof sizes, entry: ArchiveEntry, open: () => AsyncIterable<Uint8Array>) => {
    if (sources.has(entry.name)) return;
    entries.push(entry);
    sources.set(entry.name, open);
    sizes[kind] += entry.bytes;
  };
  const addFile = async (kind: keyof typeof sizes, name: string, path: string) => {
    add(kind, { name, ...(await hashOf(createReadStream(path))) }, () => createReadStream(path));
  };

  for (const file of readdirSync(join(runsFolder, record.id)).sort())
    if (placeOf(`runs/${record.id}/${file}`))
      await addFile('record', `runs/${record.id}/${file}`, join(runsFolder, record.id, file));
  for (const run of earlierRuns(record)) {
    const path = join(runsFolder, run, 'run.json');
    if (existsSync(path)) await addFile('record', `runs/${run}/run.json`, path);
    else notes.push(`run ${run}, of which it reads, is gone: it cannot be reproduced elsewhere`);
  }
  const addBlob = async (kind: keyof typeof sizes, digest: Digest): Promise<boolean> => {
    try {
      const { bytes } = await hashOf(store.stream(digest));
      add(kind, { name: `objects/${hexOf(digest)}`, bytes, digest }, () => store.stream(digest));
      return true;
    } catch (error) {
      if (error instanceof DamagedBlobError) return false;
      throw error;
    }
  };
  const gone: string[] = [];
  for (const digest of record.pins) {
    if (await addBlob('data', digest)) continue;
    const file = record.files.find((candidate) => candidate.digest === digest);
    const path = file && join(root, file.path);
    const now = path && existsSync(path) ? await hashOf(createReadStream(path)) : null;
    if (now?.digest === digest)
      add('data', { name: `objects/${hexOf(digest)}`, ...now }, () => createReadStream(path!));
    else gone.push(file?.path ?? (record.git?.patch?.digest === digest ? 'the patch' : digest));
  }
  if (gone.length > 0)
    throw ProblemError.of(
      'archive-incomplete',
      `${record.id} cannot be packed: ${gone.join(', ')} ${gone.length === 1 ? 'is' : 'are'} gone or changed, in the store and in the project`,
      { hint: 'bring it back as it was' },
    );
  for (const { path, pinned } of record.files)
    if (!pinned) notes.push(`${path} is in the record by its digest only: take it along yourself`);
  if (options.outputs)
    for (const digest of outputBlobs(record))
      if (!(await addBlob('outputs', digest))) notes.push(`an output is gone from the store: ${digest}`);
  for (const { name, folder, digest, files } of models) {
    const place = relative(root, folder).split(sep).join('/');
    for (const file of files) {
      const entry = `models/${hexOf(digest)}/${place === '' ? '' : `${place}/`}${file.name}`;
      if (placeOf(entry)) await addFile('models', entry, join(folder, file.name));
      else notes.push(`the model ${name} lies outside of the project: take it along yourself`);
    }
  }
  const manifest: Manifest = {
    format: archiveFormat,
    run: record.id,
    engine: options.engineVersion,
    entries,
  };
  return { manifest, sizes, notes, open: ({ name }) => sources.get(name)!() };
}

/** Ids of the runs that steps read from. */
function earlierRuns({ steps }: RunRecord): string[] {
  const runs = steps.flatMap(({ inputs }) =>
    Object.values(inputs).flatMap((parts) => parts.map(({ run }) => run)),
  );
  return [...new Set(runs.filter((run) => run !== null))].sort();
}

async function hashOf(bytes: AsyncIterable<Uint8Array>): Promise<{ bytes: number; digest: Digest }> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const piece of bytes) {
    hash.update(piece);
    count += piece.length;
  }
  return { bytes: count, digest: `sha256:${hash.digest('hex')}` };
}

/** ProblemError `file-exists` if something is there: an archive may be all that is left of a run. */
export function refuseExisting(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  throw ProblemError.of(
    'file-exists',
    `${path} is ${stat.isDirectory() ? 'a folder' : 'there already'}; nothing was written`,
    {
      hint: stat.isDirectory()
        ? `name a file in it: -o ${join(path, 'run.tgz')}`
        : 'choose another file with -o, or write over it with --force',
    },
  );
}

/**
 * Writes the archive, piece by piece; the file is there when it is whole. Gives its size. Two archives of the same content
 * are the same. ProblemError `cannot-write` if it cannot be written there, `file-exists` if something is there.
 *
 * @param options.force write over what is there
 */
export async function writeArchive(
  contents: Contents,
  path: string,
  signal: AbortSignal,
  { force = false }: { force?: boolean } = {},
): Promise<number> {
  const { pack: createPack } = await import('tar-stream');
  const pack = createPack();
  const draft = `${path}.${process.pid}.part`;
  const fill = async () => {
    const text = JSON.stringify(contents.manifest);
    const mtime = new Date(0);
    pack.entry({ name: manifestName, mtime }, text);
    for (const entry of contents.manifest.entries) {
      signal.throwIfAborted();
      const hash = createHash('sha256');
      let bytes = 0;
      const sink = pack.entry({ name: entry.name, size: entry.bytes, mtime });
      // When the file cannot be written, the pipeline below says so.
      sink.on('error', () => {});
      for await (const piece of contents.open(entry)) {
        hash.update(piece);
        bytes += piece.length;
        if (bytes > entry.bytes) throw changed(entry);
        // A piece is good until the next is asked for, and tar keeps what it was given.
        const full = !sink.write(Buffer.from(piece));
        if (full) await new Promise((resume) => sink.once('drain', resume));
      }
      if (`sha256:${hash.digest('hex')}` !== entry.digest) throw changed(entry);
      sink.end();
    }
    pack.finalize();
  };
  try {
    await Promise.all([
      pipeline(pack, createGzip({ level: 1 }), createWriteStream(draft), { signal }),
      fill().catch((error: Error) => {
        pack.destroy(error);
        throw error;
      }),
    ]);
    if (!force) refuseExisting(path);
    renameSync(draft, path);
    return statSync(path).size;
  } catch (error) {
    rmSync(draft, { force: true });
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'open' && syscall !== 'rename') throw error;
    throw ProblemError.of('cannot-write', `${path} cannot be written (${code})`, {
      hint: 'choose another file with -o',
    });
  }
}

function changed({ name }: ArchiveEntry): ProblemError {
  return ProblemError.of('archive-incomplete', `${name} changed while it was being packed`, {
    hint: 'nothing was written; export again when nobody changes it',
  });
}
