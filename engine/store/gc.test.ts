import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endOf, lineOf, runModule, temporaryFolder } from '../../test/temporary.ts';
import { type Digest, digestOf } from '../digest.ts';
import { size } from '../size.ts';
import { keepInBounds } from './bounds.ts';
import { Caches } from './caches.ts';
import { collectGarbage } from './gc.ts';
import type { RunReferences } from './inventory.ts';
import { Store } from './store.ts';
import { usage } from './usage.ts';

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
  const namespace = caches.rows.namespace({ type: 'embed' });
  for (const name of Object.keys(ages)) {
    const writer = store.writeFiles();
    await writer.write('file', name.padEnd(1000));
    const artefact = await writer.finish();
    blobs[name] = artefact.files[0]!.digest;
    await store.sync();
    const entry = {
      fingerprint: { name, step_type: 'load' },
      made_by: { workflow: 'w.yaml', step: `step_${name}` },
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
  // What the index takes for each result.
  const entryBytes = [...(await Array.fromAsync(caches.steps.all()))].reduce(
    (sum, { bytes }) => sum + bytes,
    0,
  );
  const rows = (): number =>
    caches.rows
      .getMany(
        namespace,
        Object.keys(ages).map((name) => Buffer.from(name.padEnd(100))),
      )
      .filter((value) => value !== undefined).length;
  return { folder, store, caches, blobs, left, results, rows, entryBytes };
}

/** No runs, but for what is given. */
function references(given: Partial<RunReferences> = {}): RunReferences {
  return { pinned: () => new Set(), workflowUses: () => new Map(), namedBy: () => new Map(), ...given };
}

describe('gc', () => {
  it('evicts what was used longest ago until the rest fits, and says why', async () => {
    const { store, caches, left, results, rows, entryBytes } = await filled({ a: 40, b: 10, c: 3, d: 0 });
    const options = { store, caches, references: references(), capBytes: 3000 + entryBytes / 2 };
    const plan = await collectGarbage({ ...options, dryRun: true });
    expect(await left()).toEqual(['a', 'b', 'c', 'd']);
    expect(plan).toMatchObject({ before: 6000 + entryBytes, after: 3000 + entryBytes / 2, kept: 0 });
    expect(plan.removed.map(({ what, bytes }) => `${what} ${bytes}`).sort()).toEqual([
      `result ${1000 + entryBytes / 4}`,
      `result ${1000 + entryBytes / 4}`,
      'rows 500',
      'rows 500',
    ]);
    const first = plan.removed.find(({ what }) => what === 'result');
    expect(first).toEqual({
      what: 'result',
      name: digestOf('a'),
      use: 'load',
      step: 'step_a',
      workflow: 'w.yaml',
      bytes: 1000 + entryBytes / 4,
      count: 1,
      created: '2026-01-01T00:00:00.000Z',
      last_used: expect.stringMatching(/^20/),
      reason: `used longest ago (40 days); the store is larger than ${size(options.capBytes)}`,
    });
    expect(await collectGarbage(options)).toEqual(plan);
    expect(await left()).toEqual(['c', 'd']);
    expect(await results()).toEqual(['c', 'd']);
    expect(rows()).toBe(2);
    expect((await collectGarbage(options)).removed).toEqual([]);
    expect(caches.size.get()).toEqual({ held: plan.after, isStuck: false });
  });

  it('takes the last results of a workflow to be as recent as its last run', async () => {
    const { store, caches, left } = await filled({ a: 40, b: 10 });
    caches.steps.setLast('w.yaml', { step_a: digestOf('a') });
    const uses = new Map([['w.yaml', Date.now() - day]]);
    await collectGarbage({
      store,
      caches,
      references: references({ workflowUses: () => uses }),
      capBytes: 2000,
    });
    expect(await left()).toEqual(['a']);
  });

  it('forgets what was not used for long, even if there is room', async () => {
    const { store, caches, left } = await filled({ a: 40, b: 10 });
    await collectGarbage({ store, caches, references: references(), capBytes: 1e9, maxAgeDays: 30 });
    expect(await left()).toEqual(['b']);
  });

  it('keeps what runs pin and removes what nothing names', async () => {
    const { store, caches, blobs, left, results } = await filled({ a: 40, b: 10 });
    const pinned = await store.put('a source file');
    await store.put('nobody names this');
    await store.close();
    const pins = new Set([pinned.digest, blobs['a']!]);
    const { removed, kept } = await collectGarbage({
      store,
      caches,
      references: references({ pinned: () => pins }),
      capBytes: 0,
    });
    expect(kept).toBe(1013);
    expect(await left()).toEqual(['a', 'other']);
    expect(removed.map(({ reason }) => reason)).toContain('no result and no run names it');
    // The result whose blob is pinned can still be used.
    expect(await results()).toEqual(['a']);
  });

  it('keeps outputs that only a run names until it is their turn', async () => {
    const { store, caches, blobs, left, entryBytes } = await filled({ a: 40, b: 10 });
    const { digest } = await store.put('output of a step that is not cached');
    await store.close();
    const runs = references({
      namedBy: () => new Map([[digest, { run: 'r', usedMs: Date.now() - 20 * day }]]),
    });
    const options = { store, caches, references: runs };
    const old = Date.now() / 1000 - 20 * 24 * 3600;
    utimesSync(store.path(digest), old, old);
    expect((await collectGarbage({ ...options, capBytes: 1e9 })).removed).toEqual([]);
    await collectGarbage({ ...options, capBytes: 1500 + entryBytes / 2 });
    expect(await left()).toEqual(['b']);
    expect(store.check([{ digest: blobs['b']!, bytes: 1000 }])).toEqual([]);
  });

  it('keeps a blob that several results have until the last of them goes', async () => {
    const { store, caches, blobs, left } = await filled({ a: 40, b: 0 });
    const [first] = await caches.steps.getMany([digestOf('a')]);
    await caches.steps.setMany([{ key: digestOf('same'), entry: first! }]);
    const options = { store, caches, references: references(), capBytes: 1e9, maxAgeDays: 30 };
    const plan = await collectGarbage({ ...options, dryRun: true });
    expect(plan.removed.map(({ what, count }) => `${what} ${count}`).sort()).toEqual(['result 0', 'rows 1']);
    await collectGarbage(options);
    expect(await left()).toEqual(['a', 'b']);
    expect(store.check([{ digest: blobs['a']!, bytes: 1000 }])).toEqual([]);
  });

  it('keeps what a running process relies on, and puts back what a run named meanwhile', async () => {
    const { folder, store, caches, blobs, left, entryBytes } = await filled({ a: 40, b: 10, c: 5 });
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
    const runs = references({ pinned: () => new Set(asked++ === 0 ? [] : [blobs['b']!]) });
    const { after } = await collectGarbage({ store, caches, references: runs, capBytes: 0 });
    expect(asked).toBe(2);
    expect(await left()).toEqual(['a', 'b']);
    // Both blobs, and the entry of the one that was in use all the time.
    expect(after).toBe(2000 + entryBytes / 3);
    const end = endOf(child);
    child.stdin!.write('end\n');
    await end;
    await collectGarbage({ store, caches, references: references(), capBytes: 0 });
    expect(await left()).toEqual([]);
  });

  it('takes answers of language models last, and by their age only if asked to', async () => {
    const { folder, store, caches, left, rows } = await filled({ a: 40, d: 0 });
    const { answers } = caches;
    const [model, key] = [
      answers.namespace({ provider: 'openai', model: 'small' }),
      Buffer.from('k'.repeat(32)),
    ];
    answers.put(model, key, { text: 'x'.repeat(2000) });
    await answers.flush();
    const database = new DatabaseSync(join(folder, 'cache', 'answers.sqlite'));
    database.prepare('UPDATE rows SET used = ?').run(Date.now() - 90 * day);
    database.close();
    const { kinds, types } = await usage(store, caches, references());
    expect(kinds).toContainEqual(expect.objectContaining({ name: 'answers', count: 1 }));
    expect(types.map(({ name }) => name)).toContain('answers of openai/small');
    const gc = (more: object) =>
      collectGarbage({ store, caches, references: references(), capBytes: 1e6, ...more });
    expect((await gc({ maxAgeDays: 30 })).removed.map(({ what }) => what).sort()).toEqual(['result', 'rows']);
    expect((await gc({ maxAgeDays: 30, answers: true, dryRun: true })).removed).toMatchObject([
      { what: 'answers', name: 'openai/small', count: 1 },
    ]);
    // Older than all else, and yet the last to go.
    await gc({ capBytes: 2500 });
    expect([await left(), rows(), answers.groups().length]).toEqual([[], 0, 1]);
    await gc({ capBytes: 100 });
    expect(answers.groups()).toEqual([]);
  });

  it('tells sizes by kind, workflow, step type and age', async () => {
    const { store, caches, entryBytes } = await filled({ a: 40, b: 10, c: 3, d: 0 });
    const { digest } = await store.put('a source file');
    const other = await store.put('nobody names this');
    await store.sync();
    const old = Date.now() / 1000 - 8 * 24 * 3600;
    utimesSync(store.path(other.digest), old, old);
    const pins = new Set([digest]);
    const { bytes, kinds, workflows, types, pinnedBytes } = await usage(
      store,
      caches,
      references({ pinned: () => pins }),
    );
    expect(kinds).toEqual(
      expect.arrayContaining([
        { name: 'files', count: 4, bytes: 4000, ages: { day: 1000, week: 1000, month: 1000, older: 1000 } },
        { name: 'pinned', count: 1, bytes: 13, ages: { day: 13, week: 0, month: 0, older: 0 } },
        { name: 'unreferenced', count: 1, bytes: 17, ages: { day: 0, week: 0, month: 17, older: 0 } },
      ]),
    );
    expect(kinds.find(({ name }) => name === 'rows')).toMatchObject({ count: 4, bytes: 2000 });
    expect(kinds.find(({ name }) => name === 'index')).toMatchObject({ count: 4, bytes: entryBytes });
    expect(workflows).toMatchObject([{ name: 'w.yaml', count: 4, bytes: 4000 + entryBytes }]);
    expect(types).toMatchObject([
      { name: 'load', count: 4, bytes: 4000 + entryBytes },
      { name: 'rows of embed', count: 4, bytes: 2000 },
    ]);
    expect(pinnedBytes).toBe(13);
    expect(bytes).toBe(6030 + entryBytes);
  });
});

describe('the cap', () => {
  it('is kept at the end of a run, by an estimate that knows when to count', async () => {
    const { store, caches, left } = await filled({ a: 40, b: 10, c: 3, d: 0 });
    let walks = 0;
    const runs = async (): Promise<RunReferences> => {
      walks++;
      return references();
    };
    const options = { store, caches, references: runs };
    // The first call counts, the next knows.
    expect(await keepInBounds({ ...options, capBytes: 1e6 })).toBeNull();
    expect(await keepInBounds({ ...options, capBytes: 1e6 })).toBeNull();
    expect(walks).toBe(1);
    const { after } = (await keepInBounds({ ...options, capBytes: 5000 }))!;
    expect(after).toBeLessThanOrEqual(4500);
    expect(walks).toBe(2);
    expect(await left()).toEqual(['c', 'd']);
    expect(await keepInBounds({ ...options, capBytes: 5000 })).toBeNull();
    // What is written is added, and the oldest goes when the sum is over the cap.
    await store.put('x'.repeat(3000));
    await store.sync();
    const result = await keepInBounds({ ...options, capBytes: 5000 });
    expect(result!.after).toBeLessThanOrEqual(5000);
    // The new blob is in use by this process until the store is closed.
    expect(await left()).toEqual(['other']);
    expect(walks).toBe(3);
  });

  it('counts anew after a process that was killed, whose blobs nobody counted', async () => {
    const { folder, store, caches } = await filled({ a: 40 });
    let walks = 0;
    const runs = async (): Promise<RunReferences> => {
      walks++;
      return references();
    };
    const bounds = (given: Store) => keepInBounds({ store: given, caches, references: runs, capBytes: 1e6 });
    await bounds(store);
    const child = runModule(
      `import { Store } from '#/engine/store/store.ts';
       const store = Store.open({ folder: process.argv[1] });
       store.hold();
       await store.put('y'.repeat(5000));
       await store.sync();
       console.log('ready');
       process.stdin.resume();`,
      [folder],
    );
    await lineOf(child);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    const next = Store.open({ folder });
    next.hold();
    await bounds(next);
    expect(walks).toBe(2);
    expect(caches.size.get()!.held).toBeGreaterThan(6000);
    await next.close();
  });

  it('is not tried for again in vain while nothing was stored', async () => {
    const { store, caches, blobs } = await filled({ a: 40, b: 10 });
    let walks = 0;
    const pins = new Set(Object.values(blobs));
    const runs = async (): Promise<RunReferences> => {
      walks++;
      return references({ pinned: () => pins });
    };
    const options = { store, caches, references: runs, capBytes: 1000 };
    expect((await keepInBounds(options))!.after).toBeGreaterThan(1000);
    expect(await keepInBounds(options)).toBeNull();
    expect(walks).toBe(1);
  });
});
