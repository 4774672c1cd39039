import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exampleStep } from '../../../test/run-record.ts';
import { temporaryFolder } from '../../../test/temporary.ts';
import type { Artefact, Row, TableArtefact } from '../../artefacts.ts';
import { canonicalJson } from '../../json.ts';
import { idsDigest, Store } from '../../store/store.ts';
import { diffOutputs, type OutputDifference } from './output-diff.ts';
import { diffTables } from './table-diff.ts';

function openStore(): Store {
  const store = Store.open({ folder: temporaryFolder() });
  onTestFinished(() => store.close());
  return store;
}

async function table(store: Store, rows: readonly Row[]): Promise<TableArtefact> {
  const writer = store.writeTable();
  for (const row of rows) await writer.write(row);
  const artefact = await writer.finish();
  await store.sync();
  return artefact;
}

/** Compares the first artefacts of two runs; all of them are outputs of their runs. */
function difference(store: Store, old: Artefact[], now: Artefact[]): Promise<OutputDifference> {
  const side = (id: string, artefacts: Artefact[]) => ({
    record: {
      id,
      steps: artefacts.map((rows, index) => exampleStep(`step${index}`, { outputs: { rows } })),
    },
    artefact: artefacts[0]!,
  });
  return diffOutputs(side('old', old), side('now', now), store);
}

describe('tables', () => {
  it('are joined by id, with counts, fields and examples', async () => {
    const store = openStore();
    const old = await table(store, [
      { id: 'a', text: 'one', n: 1 },
      { id: 'b', text: 'two', n: 2 },
      { id: 'c', text: 'three', n: 3 },
      { id: 'd', text: 'four', n: 4 },
    ]);
    const now = await table(store, [
      { id: 'd', text: 'four', n: 4 },
      { id: 'b', n: 20, text: 'two' },
      { id: 'e', text: 'five', n: 5 },
      { id: 'a', text: 'One', n: 10, more: null },
    ]);
    expect(await difference(store, [old], [now])).toEqual({
      kind: 'table',
      rows: { old: 4, now: 4 },
      added: 1,
      removed: 1,
      changed: 2,
      same: 1,
      reordered: true,
      fields: {
        added: ['more'],
        removed: [],
        changed: [
          { field: 'n', rows: 2 },
          { field: 'text', rows: 1 },
          { field: 'more', rows: 1 },
        ],
      },
      examples: {
        added: [{ id: 'e', text: 'five', n: 5 }],
        removed: [{ id: 'c', text: 'three', n: 3 }],
        changed: [
          { id: 'b', fields: [{ field: 'n', old: 2, now: 20 }] },
          {
            id: 'a',
            fields: [
              { field: 'text', old: 'one', now: 'One' },
              { field: 'n', old: 1, now: 10 },
              { field: 'more', old: undefined, now: null },
            ],
          },
        ],
      },
    });
  });

  it('with the same rows in another order differ in their order only', async () => {
    const store = openStore();
    const rows = [
      { id: 'a', deep: { x: 1, y: [2] } },
      { id: 'b', deep: 'text' },
    ];
    const now = [
      { id: 'b', deep: 'text' },
      { id: 'a', deep: { y: [2], x: 1 } },
    ];
    expect(await difference(store, [await table(store, rows)], [await table(store, now)])).toMatchObject({
      added: 0,
      removed: 0,
      changed: 0,
      same: 2,
      reordered: true,
    });
  });

  it('of more than 32 fields are compared in all of them', async () => {
    const store = openStore();
    const wide = (last: number) => ({
      id: 'a',
      ...Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`f${index}`, index === 39 ? last : 0])),
    });
    expect(
      await difference(store, [await table(store, [wide(1)])], [await table(store, [wide(2)])]),
    ).toMatchObject({
      changed: 1,
      fields: { changed: [{ field: null, rows: 1 }] },
      examples: { changed: [{ id: 'a', fields: [{ field: 'f39', old: 1, now: 2 }] }] },
    });
  });

  it('give what a comparison of whole rows gives, whatever the rows', async () => {
    const store = openStore();
    const value = fc.oneof(fc.constantFrom(0, '0', null, true, '', [], {}), fc.jsonValue({ maxDepth: 1 }));
    const rows = fc.uniqueArray(
      fc
        .record({ id: fc.constantFrom(...'abcdefgh') }, { requiredKeys: ['id'] })
        .chain(({ id }) =>
          fc
            .dictionary(fc.constantFrom('x', 'y', 'z'), value as fc.Arbitrary<never>)
            .map((more) => ({ ...more, id })),
        ),
      { selector: ({ id }) => id, maxLength: 8 },
    ) as fc.Arbitrary<Row[]>;
    await fc.assert(
      fc.asyncProperty(rows, rows, async (old, now) => {
        const diff = await diffTables(
          store.readTable(await table(store, old)),
          store.readTable(await table(store, now)),
          { examples: 100 },
        );
        const before = new Map(old.map((row) => [row.id, canonicalJson(row)]));
        const ids = new Set(now.map(({ id }) => id));
        expect(diff.examples.added.map(({ id }) => id)).toEqual(
          now.filter(({ id }) => !before.has(id)).map(({ id }) => id),
        );
        expect(diff.examples.removed.map(({ id }) => id)).toEqual(
          old.filter(({ id }) => !ids.has(id)).map(({ id }) => id),
        );
        expect(diff.examples.changed.map(({ id }) => id)).toEqual(
          now.flatMap((row) =>
            before.has(row.id) && before.get(row.id) !== canonicalJson(row) ? [row.id] : [],
          ),
        );
        expect(diff.examples.changed.every(({ fields }) => fields.length > 0)).toBe(true);
        expect(diff).toMatchObject({
          added: diff.examples.added.length,
          removed: diff.examples.removed.length,
          changed: diff.examples.changed.length,
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('matrices', () => {
  const values = (store: Store, rows: number[][], ids: string[]) =>
    store.writeMatrix(
      { data: Float32Array.from(rows.flat()), rows: rows.length, columns: rows[0]!.length },
      idsDigest(ids),
    );

  it('are compared row by row, by the ids of a table of their run', async () => {
    const store = openStore();
    const old = await values(
      store,
      [
        [1, 0],
        [0, 1],
        [2, 2],
      ],
      ['a', 'b', 'c'],
    );
    const now = await values(
      store,
      [
        [1, 0],
        [1, 0],
      ],
      ['a', 'b'],
    );
    const tables = [
      await table(store, [{ id: 'a' }, { id: 'b' }, { id: 'c' }]),
      await table(store, [{ id: 'a' }, { id: 'b' }]),
    ] as const;
    await store.sync();
    expect(await difference(store, [old, tables[0]], [now, tables[1]])).toEqual({
      kind: 'matrix',
      rows: { old: 3, now: 2 },
      columns: { old: 2, now: 2 },
      added: 0,
      removed: 1,
      changed: 1,
      same: 1,
      max_abs_difference: 1,
      cosine: { mean: 0.5, min: 0 },
    });
    expect(await difference(store, [old], [now])).toMatchObject({
      kind: 'unavailable',
      reason: 'the ids of its rows changed, and no table of the run has them',
    });
  });

  it('with other columns are not compared', async () => {
    const store = openStore();
    const [old, now] = [await values(store, [[1, 2]], ['a']), await values(store, [[1]], ['a'])];
    expect(await difference(store, [old], [now])).toMatchObject({ reason: '2 columns became 1' });
  });
});

it('files are compared by name', async () => {
  const store = openStore();
  const folder = async (files: Record<string, string>) => {
    const writer = store.writeFiles();
    for (const [name, text] of Object.entries(files)) await writer.write(name, text);
    return writer.finish();
  };
  expect(
    await difference(
      store,
      [await folder({ a: '1', b: '2', c: '3' })],
      [await folder({ a: '1', b: '22', d: '4' })],
    ),
  ).toEqual({
    kind: 'files',
    added: [{ name: 'd', bytes: 1 }],
    removed: [{ name: 'c', bytes: 1 }],
    changed: [{ name: 'b', bytes: { old: 1, now: 2 } }],
    same: 1,
  });
});

it('what is gone is said, not thrown', async () => {
  const store = openStore();
  const [old, now] = [await table(store, [{ id: 'a' }]), await table(store, [{ id: 'b' }])];
  rmSync(store.path(old.blob));
  expect(await difference(store, [old], [now])).toEqual({
    kind: 'unavailable',
    reason: 'what one of the runs made is not in the store any more',
    missing: [old.blob],
  });
});
