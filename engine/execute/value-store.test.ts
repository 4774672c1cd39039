import { mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary.ts';
import { Caches } from '../store/caches.ts';
import { scratchesRemoved } from './scratch.ts';
import { type Value, ValueStore } from './value-store.ts';

const keys = Array.from({ length: 60 }, (_, index) => Buffer.alloc(32, index));
const values: Value[] = keys.map((_, index) =>
  index % 3 === 0
    ? new Float32Array([index, 0.5, -index])
    : index % 3 === 1
      ? { text: 'ä'.repeat(index), list: [index, null, true] }
      : `text ${index}`,
);

const spills = () =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`reprise-`) && name.includes(`-${process.pid}-`));

/** Puts all values into a store with room for some of them, and reads them back. */
function expectKept(store: ValueStore): void {
  values.forEach((value, piece) => void store.put(piece, value));
  values.forEach((value, piece) => {
    expect(store.has(piece)).toBe(true);
    expect(store.get(piece)).toEqual(value);
  });
}

it.each([0, 1000, 1e6])('keeps values in %i bytes of memory, without a cache', async (memory) => {
  const store = new ValueStore({ filing: null, keys, replace: false, memory });
  const before = spills();
  expectKept(store);
  expect(spills().length).toBe(before.length + (memory < 1e6 ? 1 : 0));
  store.close();
  await scratchesRemoved();
  expect(spills()).toEqual(before);
});

it('keeps them with a cache that cannot be written', async () => {
  const folder = temporaryFolder();
  // A folder in the place of the database: nobody can write it, root neither.
  mkdirSync(join(folder, 'cache/rows.sqlite'), { recursive: true });
  const caches = Caches.open({ folder, onDamage: () => {} });
  const namespace = caches.rows.namespace('n');
  const store = new ValueStore({
    filing: { cache: caches.rows, namespace },
    keys,
    replace: false,
    memory: 1000,
  });
  expectKept(store);
  store.close();
  await caches.close().catch(() => {});
});

it('gives what was filed before, and what was removed from the cache meanwhile', async () => {
  const caches = Caches.open({ folder: temporaryFolder() });
  const namespace = caches.rows.namespace('n');
  const filing = { cache: caches.rows, namespace };
  const first = new ValueStore({ filing, keys, replace: false, memory: 1000 });
  expectKept(first);
  await first.flush();
  first.close();
  const second = new ValueStore({ filing, keys, replace: false, memory: 1000 });
  expect(await second.lookUp(keys.map((_, piece) => piece))).toEqual([]);
  caches.rows.evict(caches.rows.groups());
  values.forEach((value, piece) => void expect(second.get(piece)).toEqual(value));
  second.close();
  const third = new ValueStore({ filing, keys, replace: false });
  expect(await third.lookUp([0, 1])).toEqual([0, 1]);
  await caches.close();
});
