import { rmSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { exampleRecord, exampleStep } from '../../../test/run-record.ts';
import { temporaryFolder } from '../../../test/temporary.ts';
import { digestOf } from '../../digest.ts';
import { Store } from '../../store/store.ts';
import type { RunRecord } from '../record.ts';
import { compareRuns } from './compare-runs.ts';

const section = (name: string, ...lines: string[]) =>
  [
    `diff --git a/${name} b/${name}`,
    `index 1..2 100644`,
    `--- a/${name}`,
    `+++ b/${name}`,
    ...lines,
    '',
  ].join('\n');

async function withPatch(store: Store, id: string, patch: string | null): Promise<RunRecord> {
  const record = exampleRecord({ id, steps: [] });
  if (patch === null) return { ...record, git: { ...record.git!, dirty: false, patch: null } };
  const { digest, bytes } = await store.put(patch);
  await store.sync();
  return { ...record, git: { ...record.git!, patch: { digest, bytes, redacted: false } } };
}

function openStore(): Store {
  const store = Store.open({ folder: temporaryFolder() });
  onTestFinished(() => store.close());
  return store;
}

it('compares what was not committed, file by file', async () => {
  const store = openStore();
  const binary = 'diff --git a/x.bin b/x.bin\nindex 1..2\nGIT binary patch\nliteral 3\n';
  const old = await withPatch(
    store,
    'old',
    section('same.ts', '@@ -1 +1 @@', '-a', '+b') +
      section('s.ts', '@@ -1 +1 @@', '-a', '+b') +
      `${binary}abc\n`,
  );
  const now = await withPatch(
    store,
    'now',
    section('same.ts', '@@ -1 +1 @@', '-a', '+b') +
      section('s.ts', '@@ -1 +1 @@', '-a', '+c') +
      `${binary}abd\n`,
  );
  const clean = await withPatch(store, 'clean', null);
  expect((await compareRuns(old, now, store)).patch).toEqual({
    unavailable: null,
    missing: [],
    files: [
      {
        path: 's.ts',
        change: 'changed',
        lines: [
          { kind: 'same', text: '@@ -1 +1 @@', old: 1, now: 1 },
          { kind: 'same', text: '-a', old: 2, now: 2 },
          { kind: 'removed', text: '+b', old: 3, now: null },
          { kind: 'added', text: '+c', old: null, now: 3 },
        ],
      },
      { path: 'x.bin', change: 'changed', lines: [] },
    ],
  });
  expect((await compareRuns(old, old, store)).patch).toBeNull();
  const { patch, git } = await compareRuns(clean, old, store);
  expect(patch!.files.map(({ path, change }) => [path, change])).toEqual([
    ['s.ts', 'added'],
    ['same.ts', 'added'],
    ['x.bin', 'added'],
  ]);
  expect(git).toEqual([{ path: 'dirty', old: false, now: true }]);
});

it('says which patches and outputs the store does not have any more', async () => {
  const store = openStore();
  const old = await withPatch(store, 'old', section('a.ts', '+b'));
  const now = await withPatch(store, 'now', null);
  rmSync(store.path(old.git!.patch!.digest));
  const writer = store.writeTable();
  await writer.write({ id: 'a' });
  const rows = await writer.finish();
  await store.sync();
  const gone = { ...rows, digest: digestOf('gone'), blob: digestOf('gone blob') };
  const diff = await compareRuns(
    { ...old, steps: [exampleStep('topics', { outputs: { rows: gone, more: rows } })] },
    { ...now, steps: [exampleStep('topics', { outputs: { rows } })] },
    store,
  );
  expect(diff.patch).toMatchObject({ files: [], missing: [old.git!.patch!.digest] });
  expect(diff.steps).toMatchObject([
    {
      id: 'topics',
      outputs: [
        { name: 'rows', change: 'changed', difference: { kind: 'unavailable', missing: [gone.blob] } },
        { name: 'more', change: 'removed', difference: null },
      ],
    },
  ]);
});
