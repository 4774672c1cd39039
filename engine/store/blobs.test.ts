import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOf, lineOf, runModule, temporaryFolder } from '../../test/temporary.ts';
import { type Digest, digestOf } from '../digest.ts';
import { ProblemError, StepError } from '../problems.ts';
import { BlobFolder } from './blobs.ts';
import { storeFailure } from './failures.ts';
import { DamagedBlobError, Store, storeFormat } from './store.ts';

/** Changes the file at a path as if the disk had, or as a program would. */
function rewrite(path: string, change: (bytes: Buffer) => Buffer, keepTime = false): void {
  const { atimeMs, mtimeMs } = statSync(path);
  chmodSync(path, 0o644);
  writeFileSync(path, change(readFileSync(path)));
  if (keepTime) utimesSync(path, atimeMs / 1000, (Math.floor(mtimeMs * 1000) + 0.5) / 1e6);
}

function flip(position: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const place = position % bytes.length;
    bytes[place] = bytes[place]! ^ 1;
    return bytes;
  };
}

async function statesOf(store: Store, expected: Digest[] = []): Promise<Map<Digest, string>> {
  const states = new Map<Digest, string>();
  for await (const { digest, state } of store.verify(expected)) states.set(digest, state);
  return states;
}

describe('blobs', () => {
  it('are read back by digest, before and after they are put on disk, by this and by other stores', async () => {
    const folder = temporaryFolder();
    const store = Store.open({ folder });
    const { digest, bytes } = await store.put('some text');
    expect({ digest, bytes }).toEqual({ digest: digestOf('some text'), bytes: 9 });
    expect(String(await store.read(digest))).toBe('some text');
    await store.sync();
    expect(String(await store.read(digest))).toBe('some text');
    expect(readFileSync(store.path(digest), 'utf8')).toBe('some text');
    await store.close();
    const other = Store.open({ folder });
    expect(String(Buffer.concat(await Array.fromAsync(other.stream(digest))))).toBe('some text');
    expect(other.check([{ digest, bytes }])).toEqual([]);
  });

  it('have no name before sync', async () => {
    const store = Store.open({ folder: temporaryFolder() });
    const { digest } = await store.put('x');
    expect(await Array.fromAsync(store.blobs())).toEqual([]);
    await store.sync();
    expect(await Array.fromAsync(store.blobs())).toMatchObject([{ digest, bytes: 1 }]);
    await store.close();
  });

  it('are published at once when a path is asked for, also while a group is being written', async () => {
    const store = Store.open({ folder: temporaryFolder() });
    const digests = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => (await store.put(`text ${i}`)).digest),
    );
    const syncing = store.sync();
    digests.forEach((digest, i) => void expect(readFileSync(store.path(digest), 'utf8')).toBe(`text ${i}`));
    await syncing;
    await store.sync();
    expect([...(await statesOf(store)).values()]).toEqual(digests.map(() => 'ok'));
    await store.close();
  });

  it('write nothing that is there already, and replace what is damaged', async () => {
    const store = Store.open({ folder: temporaryFolder() });
    const { digest, bytes } = await store.put('some text');
    await store.sync();
    const inode = statSync(store.path(digest)).ino;
    await store.put('some text');
    await store.sync();
    expect(statSync(store.path(digest)).ino).toBe(inode);
    rewrite(store.path(digest), flip(3));
    expect(store.check([{ digest, bytes }])).toEqual([{ digest, state: 'damaged' }]);
    await store.put('some text');
    await store.sync();
    expect(store.check([{ digest, bytes }])).toEqual([]);
    expect(String(await store.read(digest))).toBe('some text');
    await store.close();
  });

  it('replace damage that only a read can see', async () => {
    const folder = temporaryFolder();
    let store = Store.open({ folder });
    const { digest, bytes } = await store.put('some text');
    await store.close();
    store = Store.open({ folder });
    rewrite(store.path(digest), flip(3), true);
    // Size and time are as they were: the hit check passes, the read does not, and after it the check sees it too.
    expect(store.check([{ digest, bytes }])).toEqual([]);
    await expect(store.read(digest)).rejects.toMatchObject({ reason: 'changed', digest });
    expect(store.check([{ digest, bytes }])).toEqual([{ digest, state: 'damaged' }]);
    await store.put('some text');
    expect(String(await store.read(digest))).toBe('some text');
    await store.close();
  });

  it('that were copied without their times are read once and trusted again', async () => {
    const folder = temporaryFolder();
    let store = Store.open({ folder });
    const { digest, bytes } = await store.put('some text');
    await store.close();
    store = Store.open({ folder });
    const path = store.path(digest);
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    expect(store.check([{ digest, bytes }])).toEqual([]);
    const { mtimeMs } = statSync(path);
    expect(Math.floor(mtimeMs / 1000)).toBe(1_700_000_000);
    expect(mtimeMs % 1000).not.toBe(0);
    expect(store.check([{ digest, bytes }])).toEqual([]);
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    await store.close();
  });

  it.each(['stream', 'read'] as const)('of several pieces give nothing by %s when damaged', async (how) => {
    const store = Store.open({ folder: temporaryFolder() });
    const content = Buffer.alloc(9 * 2 ** 20, 'abcdefg');
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let start = 0; start < content.length; start += 1_000_000)
        yield content.subarray(start, start + 1_000_000);
    }
    const { digest } = await store.put(pieces());
    expect(digest).toBe(digestOf(content));
    const get = async (): Promise<Buffer> =>
      how === 'read'
        ? await store.read(digest)
        : Buffer.concat(await Array.fromAsync(store.stream(digest), (piece) => Buffer.from(piece)));
    expect((await get()).equals(content)).toBe(true);
    rewrite(store.path(digest), flip(content.length - 1), true);
    let seen = 0;
    await expect(async () => {
      if (how === 'read') await store.read(digest);
      else for await (const piece of store.stream(digest)) seen += piece.length;
    }).rejects.toThrow(DamagedBlobError);
    expect(seen).toBe(0);
    await store.close();
  });

  it('that are given to programs as paths are checked', async () => {
    const store = Store.open({ folder: temporaryFolder() });
    const writer = store.writeFiles();
    await writer.write('a/b.txt', 'some text');
    const files = store.readFiles(await writer.finish());
    expect(readFileSync(files.path('a/b.txt'), 'utf8')).toBe('some text');
    rewrite(files.path('a/b.txt'), flip(2), true);
    expect(() => files.path('a/b.txt')).toThrow(DamagedBlobError);
    await store.close();
  });
});

describe('verify', () => {
  it('finds every damaged blob: a flipped byte, a cut, a missing one, two that changed places', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 2000 }), {
          minLength: 6,
          maxLength: 8,
          selector: (bytes) => digestOf(bytes),
        }),
        fc.nat(),
        fc.boolean(),
        async (contents, position, keepTime) => {
          const folder = temporaryFolder();
          const store = Store.open({ folder });
          const digests: Digest[] = [];
          for (const content of contents) digests.push((await store.put(content)).digest);
          await store.sync();
          const path = (index: number): string => store.path(digests[index]!);
          rewrite(path(0), flip(position), keepTime);
          chmodSync(path(1), 0o644);
          truncateSync(path(1), position % contents[1]!.length);
          unlinkSync(path(2));
          renameSync(path(3), join(folder, 'x'));
          renameSync(path(4), path(3));
          renameSync(join(folder, 'x'), path(4));
          const states = await statesOf(store, digests);
          expect(digests.map((digest) => states.get(digest))).toEqual([
            'damaged',
            'damaged',
            'missing',
            'damaged',
            'damaged',
            ...digests.slice(5).map(() => 'ok'),
          ]);
          expect(
            new Set(store.check(digests.map((digest, i) => ({ digest, bytes: contents[i]!.length })))),
          ).toEqual(
            new Set(
              digests.slice(0, 5).map((digest, i) => ({ digest, state: i === 2 ? 'missing' : 'damaged' })),
            ),
          );
          await store.close();
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe('put, remove, damage and verify in any order', () => {
  type Step =
    | { do: 'put'; text: string }
    | { do: 'remove' | 'flip' | 'delete'; index: number }
    | { do: 'sync' | 'verify' | 'reopen' };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constant('put' as const), text: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
    fc.record({
      do: fc.constantFrom('remove' as const, 'flip' as const, 'delete' as const),
      index: fc.nat(4),
    }),
    fc.record({ do: fc.constantFrom('sync' as const, 'verify' as const, 'reopen' as const) }),
  );

  it('agree with a model', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const folder = temporaryFolder();
        let store = Store.open({ folder });
        const texts = ['a', 'b', 'c', 'd', 'e'];
        /** What each blob should be; blobs that this store used since it was opened are not removed. */
        const state = new Map<string, 'ok' | 'damaged'>();
        const used = new Set<string>();
        for (const action of steps) {
          if (action.do === 'put') {
            await store.put(action.text);
            state.set(action.text, 'ok');
            used.add(action.text);
          } else if (action.do === 'sync') await store.sync();
          else if (action.do === 'reopen') {
            await store.close();
            store = Store.open({ folder });
            used.clear();
          } else if (action.do === 'verify') {
            const expected = texts.map((text) => digestOf(text));
            const states = await statesOf(store, expected);
            for (const text of texts)
              expect([text, states.get(digestOf(text))]).toEqual([text, state.get(text) ?? 'missing']);
          } else if ('index' in action) {
            const text = texts[action.index]!;
            const path = join(folder, 'objects', digestOf(text).slice(7, 9), digestOf(text).slice(9));
            await store.sync();
            if (action.do === 'remove') {
              const removed = await store.remove(digestOf(text));
              expect(removed.length).toBe(state.has(text) && !used.has(text) ? 1 : 0);
              if (!used.has(text)) state.delete(text);
            } else if (state.has(text) && action.do === 'delete') {
              unlinkSync(path);
              state.delete(text);
            } else if (state.get(text) === 'ok') {
              rewrite(path, flip(0));
              state.set(text, 'damaged');
            }
          }
          for (const text of texts) {
            const wrong = store.check([{ digest: digestOf(text), bytes: 1 }])[0]?.state;
            used.add(text);
            expect(wrong ?? 'ok').toBe(state.get(text) ?? 'missing');
            if (wrong) await expect(store.read(digestOf(text))).rejects.toThrow(DamagedBlobError);
            else expect(String(await store.read(digestOf(text)))).toBe(text);
          }
        }
        await store.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe('a store', () => {
  it('writes nothing before the first write', async () => {
    const folder = join(temporaryFolder(), '.reprise');
    const store = Store.open({ folder });
    expect(store.writable).toBe(true);
    expect(store.check([{ digest: digestOf('x'), bytes: 1 }])).toEqual([
      { digest: digestOf('x'), state: 'missing' },
    ]);
    await expect(store.read(digestOf('x'))).rejects.toMatchObject({ reason: 'missing' });
    await store.close();
    expect(existsSync(folder)).toBe(false);
  });

  it('whose folder was deleted while it was open goes on', async () => {
    const folder = join(temporaryFolder(), '.reprise');
    const store = Store.open({ folder });
    const first = await store.put('one');
    await store.sync();
    rmSync(folder, { recursive: true });
    expect(store.check([first])).toEqual([{ digest: first.digest, state: 'missing' }]);
    const second = await store.put('two');
    await store.put('one');
    await store.sync();
    expect(store.check([first, second])).toEqual([]);
    await store.close();
  });

  it('fails until the next piece of work when a blob cannot be put on disk', async () => {
    const folder = temporaryFolder();
    const store = Store.open({ folder });
    store.hold();
    const { digest } = await store.put('one');
    // A file where the folder of the blob should be.
    const shard = join(folder, 'objects', digest.slice(7, 9));
    writeFileSync(shard, '');
    await expect(store.sync()).rejects.toThrow();
    rmSync(shard);
    // Whoever wrote the blob may only now be about to name it.
    await expect(store.sync()).rejects.toThrow();
    store.hold();
    await store.sync();
    expect(store.check([{ digest, bytes: 3 }])).toEqual([{ digest, state: 'missing' }]);
    await store.put('one');
    await store.sync();
    expect(store.check([{ digest, bytes: 3 }])).toEqual([]);
    await store.close();
  });

  it('of a newer format is refused', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'objects'));
    writeFileSync(join(folder, 'objects', 'format'), `${storeFormat + 1}\n`);
    expect(() => Store.open({ folder })).toThrow(ProblemError);
    expect(() => Store.open({ folder })).toThrow(
      /has format 2; this version of reprise knows formats up to 1/,
    );
  });

  it('of an older format becomes one of the current, if that can be read, and is refused if not', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'format'), '2\n');
    expect(() => new BlobFolder(folder, { current: 4, oldest: 3 })).toThrow(
      /has format 2; this version of reprise reads formats from 3 on/,
    );
    const blobs = new BlobFolder(folder, { current: 4, oldest: 2 });
    expect(readFileSync(join(folder, 'format'), 'utf8')).toBe('2\n');
    await blobs.addFrom('x');
    await blobs.sync();
    await blobs.close();
    expect(readFileSync(join(folder, 'format'), 'utf8')).toBe('4\n');
  });

  it('says what to do when the disk is full or read-only', () => {
    for (const code of ['ENOSPC', 'EDQUOT'])
      expect(storeFailure(Object.assign(new Error(code), { code }), '/s')).toMatchObject({
        code: 'disk-full',
      });
    for (const code of ['EROFS', 'EACCES'])
      expect(storeFailure(Object.assign(new Error(code), { code }), '/s')).toBeInstanceOf(StepError);
  });

  it('whose folder cannot be made gives an error with a remedy', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const store = Store.open({ folder: join(folder, 'file', '.reprise') });
    expect(store.writable).toBe(false);
    await expect(store.put('x')).rejects.toMatchObject({ code: 'store-read-only' });
  });
});

const writerModule = `
  import { Store } from '#/engine/store/store.ts';
  const store = Store.open({ folder: process.argv[1] });
  store.hold();
  for (let round = 0; ; round++) {
    const table = store.writeTable();
    for (let row = 0; row < 2000; row++) await table.write({ id: String(row), round, text: 'text '.repeat(50) + Math.random() });
    await table.finish();
    for (let blob = 0; blob < 5; blob++) await store.put(round + ' ' + blob);
    await store.sync();
    if (round === 0) console.log('ready');
  }`;

describe('processes', () => {
  it('killed at any time leave no wrong blob, and the next one removes their temporary files', async () => {
    const folder = temporaryFolder();
    for (let round = 0; round < 2; round++) {
      const child = runModule(writerModule, [folder]);
      await lineOf(child);
      const more = Math.random() * 40;
      const end = performance.now() + more;
      while (performance.now() < end) await new Promise(setImmediate);
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      const store = Store.open({ folder });
      const states = await statesOf(store);
      expect(states.size).toBeGreaterThan(5);
      expect(new Set(states.values())).toEqual(new Set(['ok']));
      expect(readdirSync(join(folder, 'objects', 'tmp'))).toHaveLength(1);
      store.hold();
      expect(readdirSync(join(folder, 'objects', 'tmp'))).toHaveLength(1);
      expect(readdirSync(join(folder, 'objects', 'tmp'))[0]).toContain(`-${process.pid}-`);
      await store.close();
      expect(readdirSync(join(folder, 'objects', 'tmp'))).toEqual([]);
    }
  });

  it('keep the blobs that they rely on from being removed by others', async () => {
    const folder = temporaryFolder();
    let store = Store.open({ folder });
    const used = await store.put('used by the other process');
    const unused = await store.put('used by nobody');
    await store.close();
    store = Store.open({ folder });
    const child = runModule(
      `import { Store } from '#/engine/store/store.ts';
       const store = Store.open({ folder: process.argv[1] });
       store.hold();
       store.check([JSON.parse(process.argv[2])]);
       const fresh = await store.put('written by the other process');
       await store.sync();
       console.log(JSON.stringify(fresh));
       process.stdin.once('data', async () => { await store.close(); process.exit(); });`,
      [folder, JSON.stringify(used)],
    );
    const fresh = JSON.parse(await lineOf(child)) as { digest: Digest };
    const all = [used.digest, unused.digest, fresh.digest];
    expect(await store.remove(all)).toEqual([unused.digest]);
    const end = endOf(child);
    child.stdin!.write('end\n');
    await end;
    expect(await store.remove(all, async () => new Set([used.digest]))).toEqual([fresh.digest]);
    expect(String(await store.read(used.digest))).toBe('used by the other process');
    await store.close();
  });

  it('write the same blobs at the same time', async () => {
    const folder = temporaryFolder();
    const text = `import { Store } from '#/engine/store/store.ts';
      const store = Store.open({ folder: process.argv[1] });
      for (let i = 0; i < 60; i++) { await store.put('blob ' + i); if (i % 7 === 0) await store.sync(); }
      await store.close();`;
    await Promise.all([endOf(runModule(text, [folder])), endOf(runModule(text, [folder]))]);
    const store = Store.open({ folder });
    const states = await statesOf(
      store,
      Array.from({ length: 60 }, (_, i) => digestOf(`blob ${i}`)),
    );
    expect([...states.values()]).toEqual(Array.from({ length: 60 }, () => 'ok'));
    await store.close();
  });
});

it('a blob that something was appended to is damaged', async () => {
  const store = Store.open({ folder: temporaryFolder() });
  const { digest, bytes } = await store.put('x');
  await store.sync();
  chmodSync(store.path(digest), 0o644);
  appendFileSync(store.path(digest), 'y');
  expect(store.check([{ digest, bytes }])).toEqual([{ digest, state: 'damaged' }]);
  await store.close();
});
