import type { Artefact, FilesArtefact, MatrixArtefact, TableArtefact } from '../../artefacts.ts';
import type { Digest } from '../../digest.ts';
import { DamagedBlobError, type Store } from '../../store/store.ts';
import type { RunRecord } from '../record.ts';
import { diffMatrices, type MatrixDiff, matrixLimit } from './matrix-diff.ts';
import { diffTables, type TableDiff } from './table-diff.ts';

/** Names of files that only one side has, or that have other bytes. */
export interface FilesDiff {
  kind: 'files';
  added: { name: string; bytes: number }[];
  removed: { name: string; bytes: number }[];
  changed: { name: string; bytes: { old: number; now: number } }[];
  same: number;
}

/** What differs between two outputs, or why that cannot be told. */
export type OutputDifference =
  | TableDiff
  | MatrixDiff
  | FilesDiff
  | { kind: 'unavailable'; reason: string; missing: Digest[] };

/** An output of a run: the artefact, and the run that it is in. */
export interface OutputOfRun {
  record: Pick<RunRecord, 'id' | 'steps'>;
  artefact: Artefact;
}

/**
 * Compares the content of two outputs: rows of tables by id, values of matrices, files by name. Nothing is thrown for
 * a blob that is gone or damaged: that is the answer.
 *
 * @param store the store that has both, or the store of each
 * @param options.examples rows of each kind that are given whole
 */
export async function diffOutputs(
  old: OutputOfRun,
  now: OutputOfRun,
  store: Store | { old: Store; now: Store },
  options: { examples?: number } = {},
): Promise<OutputDifference> {
  const stores = 'old' in store ? store : { old: store, now: store };
  try {
    const [before, after] = [old.artefact, now.artefact];
    if (before.kind === 'table' && after.kind === 'table')
      return await diffTables(stores.old.readTable(before), stores.now.readTable(after), options);
    if (before.kind === 'files' && after.kind === 'files') return diffFiles(before, after);
    if (before.kind === 'matrix' && after.kind === 'matrix')
      return await diffMatrixOutputs(old.record, before, now.record, after, stores);
    return unavailable(`a ${before.kind} became a ${after.kind}`);
  } catch (error) {
    if (!(error instanceof DamagedBlobError)) throw error;
    const gone = error.reason === 'missing' ? 'is not in the store any more' : 'was changed in the store';
    return unavailable(`what one of the runs made ${gone}`, [error.digest]);
  }
}

function unavailable(reason: string, missing: Digest[] = []): OutputDifference {
  return { kind: 'unavailable', reason, missing };
}

function diffFiles(old: FilesArtefact, now: FilesArtefact): FilesDiff {
  const before = new Map(old.files.map((file) => [file.name, file]));
  const names = new Set(now.files.map(({ name }) => name));
  const changed: FilesDiff['changed'] = [];
  const added: FilesDiff['added'] = [];
  let same = 0;
  for (const { name, digest, bytes } of now.files) {
    const file = before.get(name);
    if (file === undefined) added.push({ name, bytes });
    else if (file.digest === digest) same++;
    else changed.push({ name, bytes: { old: file.bytes, now: bytes } });
  }
  const removed = old.files
    .filter(({ name }) => !names.has(name))
    .map(({ name, bytes }) => ({ name, bytes }));
  return { kind: 'files', added, removed, changed, same };
}

async function diffMatrixOutputs(
  oldRecord: OutputOfRun['record'],
  old: MatrixArtefact,
  nowRecord: OutputOfRun['record'],
  now: MatrixArtefact,
  stores: { old: Store; now: Store },
): Promise<OutputDifference> {
  if (old.columns !== now.columns) return unavailable(`${old.columns} columns became ${now.columns}`);
  if (old.bytes > matrixLimit || now.bytes > matrixLimit)
    return unavailable('matrices of more than 1 GiB are compared by digest only');
  if (old.ids === now.ids) return diffMatrices(stores.old.readMatrix(old), stores.now.readMatrix(now), null);
  const ids = { old: await idsOf(oldRecord, old, stores.old), now: await idsOf(nowRecord, now, stores.now) };
  if (ids.old === null || ids.now === null)
    return unavailable('the ids of its rows changed, and no table of the run has them');
  return diffMatrices(stores.old.readMatrix(old), stores.now.readMatrix(now), { old: ids.old, now: ids.now });
}

/** Row ids of a matrix: a record has only their digest, so they are those of a table of that run with the same one. */
export async function idsOf(
  record: Pick<RunRecord, 'steps'>,
  matrix: MatrixArtefact,
  store: Store,
): Promise<string[] | null> {
  const tables = record.steps
    .flatMap(({ outputs }) => Object.values(outputs))
    .filter((output): output is TableArtefact => output.kind === 'table' && output.ids === matrix.ids)
    .sort((a, b) => a.bytes - b.bytes);
  for (const table of tables) {
    try {
      const ids: string[] = [];
      for await (const block of store.readTable(table).blocks()) for (const { id } of block) ids.push(id);
      return ids;
    } catch (error) {
      if (!(error instanceof DamagedBlobError)) throw error;
    }
  }
  return null;
}
