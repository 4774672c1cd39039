import type { Digest } from '../digest.ts';
import { ProblemError } from '../problems.ts';

/** Version of the archive's layout. */
export const archiveFormat = 1;

/**
 * The first file of an archive: what it holds. The layout of the tar file, gzipped:
 *
 * ```
 * manifest.json
 * runs/<id>/run.json, events.ndjson, notes.ndjson, *.html    the run, and the records of earlier runs that it read from
 * objects/<sha256>                                            blobs, as they lie in the store
 * models/<sha256>/<path from the project's root>              files of models that the project has, by the model's digest
 * ```
 */
export interface Manifest {
  format: typeof archiveFormat;
  /** The run that the archive is about. */
  run: string;
  /** Version of the engine that wrote it. */
  engine: string;
  /** In the order of the tar file. */
  entries: ArchiveEntry[];
}

export interface ArchiveEntry {
  name: string;
  bytes: number;
  digest: Digest;
}

export const manifestName = 'manifest.json';

/** What an entry's name says it is. */
export type EntryPlace =
  | { kind: 'run'; run: string; file: string }
  | { kind: 'object'; digest: Digest }
  | { kind: 'model'; digest: string; path: string };

/** Where an entry belongs; undefined for a name that no archive of ours has, such as one that leads out of a folder. */
export function placeOf(name: string): EntryPlace | undefined {
  const run = /^runs\/(\w[\w-]*)\/((?:run\.json|events\.ndjson|notes\.ndjson)|\w[\w.@=,-]*\.html)$/.exec(
    name,
  );
  if (run) return { kind: 'run', run: run[1]!, file: run[2]! };
  const object = /^objects\/([0-9a-f]{64})$/.exec(name);
  if (object) return { kind: 'object', digest: `sha256:${object[1]!}` };
  const model = /^models\/([0-9a-f]{64})\/(.+)$/.exec(name);
  if (model && isSafe(model[2]!)) return { kind: 'model', digest: model[1]!, path: model[2]! };
  return undefined;
}

/** A relative path that stays where it is put on every system. */
function isSafe(path: string): boolean {
  return (
    path.length < 1000 &&
    path.split('/').every((part) => /^(?!\.\.?$)[^\\:*?"<>|\p{Cc}]+(?<![. ])$/u.test(part))
  );
}

/** Checks what stands in a manifest. ProblemError `archive-too-new`, `archive-damaged`, `archive-unsafe`. */
export function readManifest(text: string): Manifest {
  let value: Partial<Manifest> | null;
  try {
    value = JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    throw damaged('its manifest is no JSON');
  }
  if (typeof value?.format === 'number' && value.format > archiveFormat)
    throw ProblemError.of(
      'archive-too-new',
      `the archive has format ${value.format}; this version of reprise knows formats up to ${archiveFormat}`,
      { hint: `install reprise ${value.engine ?? 'as new as the one that made it'}` },
    );
  if (value?.format !== archiveFormat || typeof value.run !== 'string' || !Array.isArray(value.entries))
    throw damaged('its manifest is not that of an archive of a run');
  const names = new Set<string>();
  for (const entry of value.entries as Partial<ArchiveEntry>[]) {
    const { name, bytes, digest } = entry ?? {};
    const place = typeof name === 'string' ? placeOf(name) : undefined;
    if (place === undefined) throw unsafe(String(name));
    if (!Number.isSafeInteger(bytes) || bytes! < 0 || !/^sha256:[0-9a-f]{64}$/.test(String(digest)))
      throw damaged(`its manifest has no size or digest of ${name}`);
    if (place.kind === 'object' && place.digest !== digest)
      throw damaged(`${name} is not named by its digest`);
    if (names.has(name!)) throw damaged(`it has ${name} twice`);
    names.add(name!);
  }
  if (!names.has(`runs/${value.run}/run.json`)) throw damaged('it holds no record of its run');
  return value as Manifest;
}

export function damaged(reason: string): ProblemError {
  return ProblemError.of('archive-damaged', `the archive is damaged: ${reason}`, {
    hint: 'have it sent again; nothing was taken from it',
  });
}

export function unsafe(name: string): ProblemError {
  return ProblemError.of(
    'archive-unsafe',
    `the archive holds ${JSON.stringify(name.slice(0, 200))}, which no archive of a run does`,
    { hint: 'do not trust where it comes from; nothing was taken from it' },
  );
}
