import { join } from 'node:path';
import fc from 'fast-check';
import Keyv from 'keyv';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { temporaryFolder } from '../../test/temporary.ts';
import { openDatabase } from './database.ts';
import { keyvSqlite, keyvTable } from './keyv-sqlite.ts';

function open(folder = temporaryFolder(), options: { namespace?: string; ttl?: number } = {}): Keyv {
  const database = openDatabase(join(folder, 'keyv.sqlite'), {
    version: 1,
    migrate: (sql) => sql.exec(keyvTable('entries')),
  });
  onTestFinished(() => database.close());
  const keyv = new Keyv({ store: keyvSqlite(database, 'entries').store, ...options });
  keyv.on('error', (error: unknown) => {
    throw error;
  });
  return keyv;
}

/** What Keyv asks of a storage adapter, through Keyv itself. */
describe('Keyv over SQLite', () => {
  it('gets what was set, and says what it did', async () => {
    const keyv = open();
    expect(await keyv.get('a')).toBeUndefined();
    expect(await keyv.has('a')).toBe(false);
    expect(await keyv.set('a', { list: [1, 'two', null] })).toBe(true);
    expect(await keyv.get('a')).toEqual({ list: [1, 'two', null] });
    expect(await keyv.has('a')).toBe(true);
    await keyv.set('a', 2);
    expect(await keyv.get('a')).toBe(2);
    expect(await keyv.delete('a')).toBe(true);
    expect(await keyv.delete('a')).toBe(false);
    expect(await keyv.get('a')).toBeUndefined();
  });

  it('does the same for many', async () => {
    const keyv = open();
    const entries = Array.from({ length: 2500 }, (_, index) => ({ key: `k${index}`, value: index }));
    expect(await keyv.setMany(entries)).toEqual(entries.map(() => true));
    const values = await keyv.getMany(['k2499', 'none', 'k0']);
    expect(values).toEqual([2499, undefined, 0]);
    expect(await keyv.hasMany(['k1', 'none'])).toEqual([true, false]);
    await keyv.deleteMany(['k0', 'k1']);
    expect(await keyv.getMany(['k0', 'k1', 'k2'])).toEqual([undefined, undefined, 2]);
    const found = new Map<unknown, unknown>();
    for await (const [key, value] of keyv.iterator()) found.set(key, value);
    expect(found).toEqual(new Map(entries.slice(2).map(({ key, value }) => [key, value])));
    await keyv.clear();
    expect(await keyv.getMany(['k2'])).toEqual([undefined]);
  });

  it('forgets entries when their time is over', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const keyv = open();
    await keyv.set('short', 1, 1000);
    await keyv.set('long', 2, 5000);
    await keyv.setMany([{ key: 'many', value: 3, ttl: 1000 }]);
    await keyv.set('for ever', 4);
    const keys = ['short', 'long', 'many', 'for ever'];
    expect(await keyv.getMany(keys)).toEqual([1, 2, 3, 4]);
    vi.setSystemTime(Date.now() + 1001);
    // The adapter by itself, without Keyv's own check.
    expect(await keyv.store.getMany(keys.slice(0, 2))).toEqual([undefined, expect.any(String)]);
    expect(await keyv.getMany(keys)).toEqual([undefined, 2, undefined, 4]);
    expect(await keyv.has('short')).toBe(false);
    expect((await Array.fromAsync(keyv.iterator())).map(([key]) => key).sort()).toEqual(['for ever', 'long']);
  });

  it('keeps namespaces apart', async () => {
    const folder = temporaryFolder();
    const [a, b] = [open(folder, { namespace: 'a' }), open(folder, { namespace: 'b' })];
    await a.set('key', 1);
    await b.set('key', 2);
    expect([await a.get('key'), await b.get('key')]).toEqual([1, 2]);
    expect(await Array.fromAsync(b.iterator())).toEqual([['key', 2]]);
    await a.clear();
    expect([await a.get('key'), await b.get('key')]).toEqual([undefined, 2]);
  });

  it('holds any key and any JSON', async () => {
    const keyv = open();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', minLength: 1 }).filter((key) => key.isWellFormed()),
        fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
        async (key, value) => {
          fc.pre(value !== null);
          expect(await keyv.set(key, value)).toBe(true);
          expect(await keyv.get(key)).toEqual(value);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('emits an error for what it cannot hold', async () => {
    const database = openDatabase(join(temporaryFolder(), 'a.sqlite'), {
      version: 1,
      migrate: (sql) => sql.exec(keyvTable('entries')),
    });
    onTestFinished(() => database.close());
    const keyv = new Keyv({ store: keyvSqlite(database, 'entries').store });
    const errors: unknown[] = [];
    keyv.on('error', (error: unknown) => void errors.push(error));
    expect(
      await keyv.setMany([
        { key: 'good', value: 1 },
        { key: 'bad \ud800', value: 1 },
      ]),
    ).toEqual([false, false]);
    expect(errors).toHaveLength(1);
    expect(await keyv.get('good')).toBeUndefined();
  });
});
