import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endOf, lineOf, runModule, temporaryFolder } from '../../test/temporary.ts';
import { type Digest, digestOf } from '../digest.ts';
import { Caches } from './caches.ts';
import { collectGarbage, usage } from './gc.ts';
import { Store } from './store.ts';

const day = 24 * 3_600_000;

/** A store with results `name` → age in days, each with one file of 1,000 bytes, and rows of the same ages. */
async function filled(ages: { [name: string]: number }) {
  const folder = temporaryFolder();
  const store = Store.open({ folder });
  const caches = Caches.open({ folder });
  onTestFinished(async () => {
    await caches.close();
    await store.close();
  });
  const blobs: { [name: string]: Digest } = {};
  const namespace = caches.rows.namespace('n');
  for (const name of Object.keys(ages)) {
    const writer = store.writeFiles();
    await writer.write('file', name.padEnd(1000));
    const artefact = await writer.finish();
    blobs[name] = artefact.files[0]!.digest;
    await store.sync();
    const entry = {
      fingerprint: { name },
      outputs: { files: artefact },
      metrics: {},
      warnings: [],
      rows_failed: 0,
      duration_ms: 1,
      created: '2026-01-01T00:00:00Z',
    };
    await caches.steps.setMany([{ key: digestOf(name), entry }]);
    caches.rows.put(namespace, Buffer.from(name.padEnd(100)), new Float32Array(100));
  }
  await caches.rows.flush();
  await store.close();
  for (const [name, age] of Object.entries(ages)) {
    const time = Date.now() - age * day;
    const index = new DatabaseSync(join(folder, 'cache', 'index.sqlite'));
    index.prepare('UPDATE steps SET used = ? WHERE key = ?').run(time, digestOf(name));
    index.close();
    const rows = new DatabaseSync(join(folder, 'cache', 'rows.sqlite'));
    rows.prepare('UPDATE rows SET used = ? WHERE key = ?').run(time, Buffer.from(name.padEnd(100)));
    rows.close();
  }
  const left = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { digest } of store.blobs())
      names.push(Object.keys(blobs).find((name) => blobs[name] === digest) ?? 'other');
    return names.sort();
  };
  const results = async (): Promise<string[]> =>
    (await Array.fromAsync(caches.steps.all())).map(({ entry }) => String(entry.fingerprint['name'])).sort();
  const rows = (): number =>
    caches.rows
      .getMany(
        namespace,
        Object.keys(ages).map((name) => Buffer.from(name.padEnd(100))),
      )
      .filter((value) => value !== undefined).length;
  return { folder, store, caches, blobs, left, results, rows };
}

const none = async (): Promise<Set<Digest>> => new Set();

describe('gc', () => {
  it('evicts what was used longest ago until the rest fits, and says why', async () => {
    const { store, caches, blobs, left, results, rows } = await filled({ a: 40, b: 10, c: 3, d: 0 });
    const options = { store, caches, keep: none, capBytes: 3100 };
    const plan = await collectGarbage({ ...options, dryRun: true });
    expect(await left()).toEqual(['a', 'b', 'c', 'd']);
    // Rows of a day are as old as its beginning, so they go before the results of the same day.
    expect(plan).toMatchObject({ before: 6000, after: 3000 });
    expect(plan.removed.map(({ what, bytes }) => `${what} ${bytes}`)).toEqual([
      'rows 500',
      'step 0',
      'blob 1000',
      'rows 500',
      'step 0',
      'blob 1000',
    ]);
    expect(plan.removed[2]).toEqual({
      what: 'blob',
      name: blobs['a'],
      bytes: 1000,
      reason: 'used longest ago (40 days); the store is larger than 3100 bytes',
    });
    expect(await collectGarbage(options)).toEqual(plan);
    expect(await left()).toEqual(['c', 'd']);
    expect(await results()).toEqual(['c', 'd']);
    expect(rows()).toBe(2);
    expect((await collectGarbage(options)).removed).toEqual([]);
  });

  it('forgets what was not used for long, even if there is room', async () => {
    const { store, caches, left } = await filled({ a: 40, b: 10 });
    await collectGarbage({ store, caches, keep: none, capBytes: 1e9, maxAgeDays: 30 });
    expect(await left()).toEqual(['b']);
  });

  it('keeps what runs pin and removes what nothing names', async () => {
    const { store, caches, blobs, left, results } = await filled({ a: 40, b: 10 });
    const pinned = await store.put('a source file');
    await store.put('nobody names this');
    await store.close();
    const keep = async (): Promise<Set<Digest>> => new Set([pinned.digest, blobs['a']!]);
    const { removed } = await collectGarbage({ store, caches, keep, capBytes: 0 });
    expect(await left()).toEqual(['a', 'other']);
    expect(removed.map(({ reason }) => reason)).toContain('no result and no run names it');
    // The result whose blob is pinned can still be used.
    expect(await results()).toEqual(['a']);
  });

  it('keeps a blob that several results have until the last of them goes', async () => {
    const { store, caches, blobs, left } = await filled({ a: 40, b: 0 });
    const [first] = await caches.steps.getMany([digestOf('a')]);
    await caches.steps.setMany([{ key: digestOf('same'), entry: first! }]);
    const options = { store, caches, keep: none, capBytes: 1e9, maxAgeDays: 30 };
    const plan = await collectGarbage({ ...options, dryRun: true });
    expect(plan.removed.map(({ what }) => what)).toEqual(['rows', 'step']);
    await collectGarbage(options);
    expect(await left()).toEqual(['a', 'b']);
    expect(store.check([{ digest: blobs['a']!, bytes: 1000 }])).toEqual([]);
  });

  it('keeps what a running process relies on, and puts back what a run named meanwhile', async () => {
    const { folder, store, caches, blobs, left } = await filled({ a: 40, b: 10, c: 5 });
    const child = runModule(
      `import { Store } from '#/engine/store/store.ts';
       const store = Store.open({ folder: process.argv[1] });
       store.hold();
       store.check([{ digest: process.argv[2], bytes: 1000 }]);
       console.log('ready');
       process.stdin.once('data', async () => { await store.close(); process.exit(); });`,
      [folder, blobs['a']!],
    );
    await lineOf(child);
    let asked = 0;
    const keep = async (): Promise<Set<Digest>> => new Set(asked++ === 0 ? [] : [blobs['b']!]);
    const { after, removed } = await collectGarbage({ store, caches, keep, capBytes: 0 });
    expect(asked).toBe(2);
    expect(await left()).toEqual(['a', 'b']);
    expect(after).toBe(2000);
    expect(removed.filter(({ what }) => what === 'blob').map(({ name }) => name)).toEqual([blobs['c']]);
    const end = endOf(child);
    child.stdin!.write('end\n');
    await end;
    await collectGarbage({ store, caches, keep: none, capBytes: 0 });
    expect(await left()).toEqual([]);
  });

  it('tells sizes by type and age', async () => {
    const { store, caches } = await filled({ a: 40, b: 10, c: 3, d: 0 });
    const { digest } = await store.put('a source file');
    const other = await store.put('nobody names this');
    await store.sync();
    const old = Date.now() / 1000 - 8 * 24 * 3600;
    utimesSync(store.path(other.digest), old, old);
    const lines = await usage(store, caches, new Set([digest]));
    expect(lines).toEqual(
      expect.arrayContaining([
        { type: 'files', count: 4, bytes: 4000, ages: { day: 1000, week: 1000, month: 1000, older: 1000 } },
        { type: 'pinned', count: 1, bytes: 13, ages: { day: 13, week: 0, month: 0, older: 0 } },
        { type: 'unreferenced', count: 1, bytes: 17, ages: { day: 0, week: 0, month: 17, older: 0 } },
      ]),
    );
    expect(lines.find(({ type }) => type === 'rows')).toMatchObject({ count: 4, bytes: 2000 });
    expect(lines.find(({ type }) => type === 'index')).toMatchObject({ count: 4 });
  });
});
