import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { folderWith } from '../../test/run-step.ts';
import type { Artefact } from '../artefacts.ts';
import { type Digest, digestOf, hexOf } from '../digest.ts';
import { linkOutputs, pruneOutputs } from './outputs-folder.ts';

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

/** A project with a store as far as links need it: blobs in files. */
function makeProject() {
  const root = folderWith({});
  roots.push(root);
  const storeFolder = join(root, '.reprise');
  const runsFolder = join(root, 'runs');
  const pathOf = (digest: Digest) =>
    join(storeFolder, 'objects', hexOf(digest).slice(0, 2), hexOf(digest).slice(2));
  const put = (content: string): Digest => {
    const digest = digestOf(content);
    mkdirSync(dirname(pathOf(digest)), { recursive: true });
    writeFileSync(pathOf(digest), content);
    return digest;
  };
  const link = (run: string, steps: Record<string, Record<string, Artefact>>) => {
    const runFolder = join(runsFolder, run);
    mkdirSync(runFolder, { recursive: true });
    linkOutputs({
      storeFolder,
      runFolder,
      draft: join(root, 'draft'),
      pathOf,
      steps: Object.entries(steps).map(([id, outputs]) => ({ id, outputs })),
    });
    return join(runFolder, 'outputs');
  };
  return { root, storeFolder, runsFolder, put, link };
}

const table = (blob: Digest): Artefact => ({
  kind: 'table',
  digest: blob,
  blob,
  bytes: 1,
  rows: 1,
  ids: blob,
  fields: [],
});
const matrix = (blob: Digest): Artefact => ({
  kind: 'matrix',
  digest: blob,
  blob,
  bytes: 1,
  rows: 1,
  columns: 1,
  ids: blob,
});
const files = (named: Record<string, Digest>): Artefact => ({
  kind: 'files',
  digest: digestOf('files'),
  bytes: 1,
  files: Object.entries(named).map(([name, digest]) => ({ name, digest, bytes: 1 })),
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !lstatSync(join(folder, name)).isDirectory())
    .sort();
}

describe('the outputs of a run', () => {
  it('lie in its folder under names that people know', () => {
    const { put, link } = makeProject();
    const outputs = link('r1', {
      unique: { rows: table(put('rows')), duplicates: table(put('duplicates')) },
      vectors: { vectors: matrix(put('numbers')) },
      page: { page: files({ 'report.html': put('<p>'), 'data/x.json': put('{}') }) },
      'answers[model=a/b,p="x"]': { rows: table(put('answers')) },
      none: {},
    });
    expect(filesOf(outputs)).toEqual([
      'answers[model=a_b,p=_x_].jsonl.zst',
      'page/data/x.json',
      'page/report.html',
      'unique.duplicates.jsonl.zst',
      'unique.jsonl.zst',
      'vectors.npy',
    ]);
    expect(readFileSync(join(outputs, 'unique.jsonl.zst'), 'utf8')).toBe('rows');
    expect(readFileSync(join(outputs, 'page/data/x.json'), 'utf8')).toBe('{}');
  });

  it('are one link, to a folder that runs with the same outputs share', () => {
    const { storeFolder, put, link } = makeProject();
    const steps = { a: { rows: table(put('a')) }, b: { rows: table(put('b')) } };
    const first = link('r1', steps);
    expect(lstatSync(first).isSymbolicLink()).toBe(true);
    const made = readdirSync(join(storeFolder, 'outputs'));
    link('r2', steps);
    link('r2', steps);
    expect(readdirSync(join(storeFolder, 'outputs'))).toEqual(made);
    link('r3', { ...steps, b: { rows: table(put('other')) } });
    expect(readdirSync(join(storeFolder, 'outputs'))).toHaveLength(2);
  });

  it('are still there when the project was moved', () => {
    const { root, put, link } = makeProject();
    link('r1', { a: { rows: table(put('a')) } });
    renameSync(root, `${root}-moved`);
    roots.push(`${root}-moved`);
    expect(readFileSync(join(`${root}-moved`, 'runs/r1/outputs/a.jsonl.zst'), 'utf8')).toBe('a');
  });

  it('have names of their own where two would be the same', () => {
    const { put, link } = makeProject();
    const outputs = link('r1', {
      'a[x=1/2]': { rows: table(put('1')) },
      'a[x=1?2]': { rows: table(put('2')) },
      [`long[x=${'y'.repeat(300)}]`]: { rows: table(put('3')) },
    });
    const names = filesOf(outputs);
    expect(names.slice(0, 2)).toEqual(['a[x=1_2].jsonl.zst', 'a[x=1_2]~2.jsonl.zst']);
    expect(names[2]).toMatch(/^long\[x=y{100,}~[0-9a-f]{16}\.jsonl\.zst$/);
  });

  it('of runs that are gone are pruned, and no others', () => {
    const { storeFolder, runsFolder, put, link } = makeProject();
    const kept = link('r1', { a: { rows: table(put('a')) } });
    link('r2', { a: { rows: table(put('b')) } });
    mkdirSync(join(storeFolder, 'outputs/tmp-left'));
    rmSync(join(runsFolder, 'r2'), { recursive: true });
    pruneOutputs(storeFolder, runsFolder);
    expect(readdirSync(join(storeFolder, 'outputs'))).toHaveLength(1);
    expect(existsSync(join(kept, 'a.jsonl.zst'))).toBe(true);
  });
});
