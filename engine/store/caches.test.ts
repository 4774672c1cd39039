import { appendFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endOf, lineOf, runModule, temporaryFolder } from '../../test/temporary.ts';
import { digestOf } from '../digest.ts';
import type { Json } from '../json.ts';
import { Caches } from './caches.ts';
import type { StepEntry } from './step-index.ts';

function openCaches(folder = temporaryFolder()): Caches {
  const caches = Caches.open({ folder });
  onTestFinished(() => caches.close());
  return caches;
}

function entry(text: string): StepEntry {
  return {
    fingerprint: { step: 'load', with: { text, ':colon': ':text' } },
    outputs: {},
    metrics: { rows: 3 },
    warnings: [],
    rows_failed: 0,
    duration_ms: 1,
    created: '2026-01-01T00:00:00Z',
  };
}

/** Changes the database beside the open one, as a failing disk or an old clock would. */
function sql(folder: string, name: string, text: string, ...values: (string | number)[]): void {
  const database = new DatabaseSync(join(folder, 'cache', `${name}.sqlite`), { timeout: 5000 });
  database.prepare(text).run(...values);
  database.close();
}

describe('the step index', () => {
  it('gives back what was stored, in the order asked for', async () => {
    const { steps } = openCaches();
    await steps.setMany(['a', 'b', 'c'].map((name) => ({ key: digestOf(name), entry: entry(name) })));
    expect(await steps.getMany([digestOf('c'), digestOf('x'), digestOf('a')])).toEqual([
      entry('c'),
      undefined,
      entry('a'),
    ]);
    await steps.delete([digestOf('a')]);
    expect(await steps.getMany([digestOf('a')])).toEqual([undefined]);
    expect((await Array.fromAsync(steps.all())).map(({ entry }) => entry)).toEqual(
      expect.arrayContaining([entry('b'), entry('c')]),
    );
  });

  it('treats a changed entry as missing', async () => {
    const folder = temporaryFolder();
    const { steps } = openCaches(folder);
    await steps.setMany([{ key: digestOf('a'), entry: entry('some text') }]);
    sql(folder, 'index', "UPDATE steps SET value = replace(value, 'some', 'same')");
    expect(await steps.getMany([digestOf('a')])).toEqual([undefined]);
  });

  it('throws what Keyv would hide', async () => {
    const { steps } = openCaches();
    const bad = { ...entry('x'), metrics: { n: 1n as unknown as number } };
    await expect(steps.setMany([{ key: digestOf('a'), entry: bad }])).rejects.toThrow(/BigInt/);
    await steps.setMany([{ key: digestOf('a'), entry: entry('x') }]);
    expect(await steps.getMany([digestOf('a')])).toEqual([entry('x')]);
  });

  it('remembers the last success of each step', () => {
    const { steps } = openCaches();
    steps.setLast('a.yaml', { load: digestOf('1'), embed: digestOf('2') });
    steps.setLast('a.yaml', { load: digestOf('3') });
    steps.setLast('b.yaml', { load: digestOf('4') });
    expect(steps.getLast('a.yaml', ['embed', 'load', 'none'])).toEqual([
      digestOf('2'),
      digestOf('3'),
      undefined,
    ]);
  });

  it('marks entries as used once a day', async () => {
    const folder = temporaryFolder();
    const { steps } = openCaches(folder);
    const keys = [digestOf('a'), digestOf('b')];
    await steps.setMany(keys.map((key) => ({ key, entry: entry('x') })));
    const old = Date.now() - 25 * 3_600_000;
    sql(folder, 'index', 'UPDATE steps SET used = ?', old);
    await steps.getMany(keys);
    steps.touch([keys[0]!]);
    const used = new Map((await Array.fromAsync(steps.all())).map(({ key, usedMs }) => [key, usedMs]));
    expect(used.get(keys[0]!)).toBeGreaterThan(old);
    expect(used.get(keys[1]!)).toBe(old);
  });

  it('loses no write of two processes', async () => {
    const folder = temporaryFolder();
    const text = `
      import { Caches } from '#/engine/store/caches.ts';
      import { digestOf } from '#/engine/digest.ts';
      const caches = Caches.open({ folder: process.argv[1] });
      for (let index = 0; index < 30; index++) {
        await caches.steps.setMany([{ key: digestOf(process.argv[2] + index), entry: ${JSON.stringify(entry('x'))} }]);
        caches.steps.setLast('w.yaml', { ['s' + index]: digestOf(process.argv[2]) });
        caches.rows.put(caches.rows.namespace('n'), Buffer.from(process.argv[2] + index), index);
      }
      await caches.close();`;
    const names = ['a', 'b', 'c'];
    await Promise.all(names.map((name) => endOf(runModule(text, [folder, name]))));
    const { steps, rows } = openCaches(folder);
    const numbers = Array.from({ length: 30 }, (_, index) => index);
    for (const name of names) {
      const found = await steps.getMany(numbers.map((index) => digestOf(name + index)));
      expect(found.filter((one) => one !== undefined)).toHaveLength(30);
      const keys = numbers.map((index) => Buffer.from(name + index));
      expect(rows.getMany(rows.namespace('n'), keys)).toEqual(numbers);
    }
  });
});

describe('the row cache', () => {
  const key = (text: string): Uint8Array => Buffer.from(digestOf(text).slice(7), 'hex');

  it('gives any JSON and any float32 vector back, at once and after it was written', async () => {
    const folder = temporaryFolder();
    let caches = Caches.open({ folder });
    const value = fc.oneof(
      fc.jsonValue().map((one) => JSON.parse(JSON.stringify(one)) as Json),
      fc.string({ unit: 'binary' }),
      fc.float32Array({ maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string()),
        fc.array(value, { minLength: 30, maxLength: 30 }),
        async (names, values) => {
          const namespace = caches.rows.namespace({ step: 'embed', names });
          names.forEach((name, index) => void caches.rows.put(namespace, key(name), values[index % 30]!));
          const expected = names.map((_, index) => values[index % 30]);
          expect(caches.rows.getMany(namespace, names.map(key))).toEqual(expected);
          await caches.rows.flush();
          expect(caches.rows.getMany(namespace, names.map(key))).toEqual(expected);
          await caches.close();
          caches = Caches.open({ folder });
          expect(
            caches.rows.getMany(caches.rows.namespace({ names, step: 'embed' }), names.map(key)),
          ).toEqual(expected);
          expect(
            caches.rows.getMany(caches.rows.namespace({ names, step: 'other' }), names.map(key)),
          ).toEqual(names.map(() => undefined));
        },
      ),
      { numRuns: 10 },
    );
    await caches.close();
  });

  it('keeps the first value of a key, and copies what it is given', async () => {
    const { rows } = openCaches();
    const namespace = rows.namespace(1);
    const vector = new Float32Array([1, 2]);
    rows.put(namespace, key('a'), vector);
    vector[0] = 9;
    await rows.flush();
    rows.put(namespace, key('a'), 'another');
    await rows.flush();
    expect(rows.getMany(namespace, [key('a')])).toEqual([new Float32Array([1, 2])]);
  });

  it('commits by itself within some milliseconds: what was put survives SIGKILL', async () => {
    const folder = temporaryFolder();
    const child = runModule(
      `import { Caches } from '#/engine/store/caches.ts';
       const { rows } = Caches.open({ folder: process.argv[1] });
       rows.put(rows.namespace('n'), Buffer.from('k'), 'value');
       setTimeout(() => console.log('ready'), 100);
       setInterval(() => {}, 1000);`,
      [folder],
    );
    await lineOf(child);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const { rows } = openCaches(folder);
    expect(rows.getMany(rows.namespace('n'), [Buffer.from('k')])).toEqual(['value']);
  });

  it('treats a changed value as missing, and takes a new one', async () => {
    const folder = temporaryFolder();
    const { rows } = openCaches(folder);
    const namespace = rows.namespace('n');
    rows.put(namespace, key('a'), 'some text');
    rows.put(namespace, key('b'), 'other text');
    await rows.flush();
    sql(folder, 'rows', `UPDATE rows SET value = replace(value, 'some', 'same')`);
    expect(rows.getMany(namespace, [key('a'), key('b')])).toEqual([undefined, 'other text']);
    rows.put(namespace, key('a'), 'some text');
    await rows.flush();
    expect(rows.getMany(namespace, [key('a')])).toEqual(['some text']);
  });

  it('forgets what was not used, and knows its sizes', async () => {
    const folder = temporaryFolder();
    const { rows } = openCaches(folder);
    const namespace = rows.namespace({ use: 'embed' });
    for (const name of ['a', 'b', 'c']) rows.put(namespace, key(name), new Float32Array(10));
    await rows.flush();
    expect(rows.takeWritten()).toBe(3 * 72);
    expect(rows.groups()).toMatchObject([{ identity: '{"use":"embed"}', rows: 3, bytes: 3 * 72 }]);
    sql(folder, 'rows', 'UPDATE rows SET used = 1000');
    // Reading marks it as used again.
    rows.getMany(namespace, [key('b')]);
    await rows.flush();
    const [old] = rows.groups();
    expect(old).toMatchObject({ hour: 0, usedMs: 1000, rows: 2, bytes: 144 });
    rows.evict([old!]);
    expect(rows.getMany(namespace, ['a', 'b', 'c'].map(key)).map((value) => value !== undefined)).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe('leases', () => {
  it('are had by one at a time, in the order of release', async () => {
    const folder = temporaryFolder();
    const [a, b] = [openCaches(folder).leases, openCaches(folder).leases];
    const first = await a.acquire('key');
    const waits: unknown[] = [];
    const second = b.acquire('key', { onWait: (holder) => void waits.push(holder) });
    expect((await b.acquire('another')).held).toBe(true);
    expect(first.held).toBe(true);
    first.release();
    first.release();
    const lease = await second;
    expect(waits).toEqual([{ pid: process.pid, host: expect.any(String) }]);
    await expect(a.acquire('key', { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
    lease.release();
    (await a.acquire('key')).release();
  });

  it('that are released wake those who wait in the same process', async () => {
    const { leases } = openCaches();
    const lease = await leases.acquire('key');
    const next = Array.from({ length: 20 }, () => leases.acquire('key').then((one) => one.release()));
    const start = performance.now();
    lease.release();
    await Promise.all(next);
    // Twenty polls would take two seconds.
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('of a killed process are free at once', async () => {
    const folder = temporaryFolder();
    const child = runModule(
      `import { Caches } from '#/engine/store/caches.ts';
       await Caches.open({ folder: process.argv[1] }).leases.acquire('key');
       console.log('ready');
       setInterval(() => {}, 1000);`,
      [folder],
    );
    await lineOf(child);
    const { leases } = openCaches(folder);
    let holder: number | undefined;
    const acquired = leases.acquire('key', {
      onWait: ({ pid }) => {
        holder = pid;
      },
    });
    while (holder === undefined) await new Promise(setImmediate);
    expect(holder).toBe(child.pid);
    child.kill('SIGKILL');
    const start = performance.now();
    (await acquired).release();
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('of another machine end when they are not renewed', async () => {
    const folder = temporaryFolder();
    const { leases } = openCaches(folder);
    (await leases.acquire('key')).release();
    const insert = 'INSERT INTO leases (key, holder, pid, host, expires_ms) VALUES (?, ?, 1, ?, ?)';
    sql(folder, 'leases', insert, 'gone', 'x', 'another.host', Date.now() - 1);
    sql(folder, 'leases', insert, 'there', 'y', 'another.host', Date.now() + 8000);
    expect((await leases.acquire('gone')).held).toBe(true);
    await expect(leases.acquire('there', { signal: AbortSignal.timeout(150) })).rejects.toThrow(/timeout/);
  });

  it('let two processes count without losing one', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'count');
    writeFileSync(file, '0');
    const text = `
      import { readFileSync, writeFileSync } from 'node:fs';
      import { Caches } from '#/engine/store/caches.ts';
      const caches = Caches.open({ folder: process.argv[1] });
      for (let index = 0; index < 15; index++) {
        const lease = await caches.leases.acquire('count');
        const count = Number(readFileSync(process.argv[2], 'utf8'));
        await new Promise(setImmediate);
        writeFileSync(process.argv[2], String(count + 1));
        lease.release();
      }
      await caches.close();`;
    await Promise.all([endOf(runModule(text, [folder, file])), endOf(runModule(text, [folder, file]))]);
    expect(readFileSync(file, 'utf8')).toBe('30');
  });

  it('hinder nobody where no database can be written', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const { leases, steps, rows } = openCaches(join(folder, 'file'));
    await leases.acquire('key');
    await leases.acquire('key');
    await steps.setMany([{ key: digestOf('a'), entry: entry('a') }]);
    expect(await steps.getMany([digestOf('a')])).toEqual([undefined]);
    rows.put(rows.namespace(1), Buffer.from('a'), 1);
    await rows.flush();
  });
});

describe('digests of files', () => {
  const old = Date.now() / 1000 - 60;

  it('are remembered while the file is unchanged', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'some text');
    utimesSync(path, old, old);
    const first = Caches.open({ folder });
    expect(await first.files.digestOf(path)).toEqual({ digest: digestOf('some text'), bytes: 9 });
    await first.close();
    const { files } = openCaches(folder);
    // Not a promise: it was not opened.
    expect(files.digestOf(path)).toEqual({ digest: digestOf('some text'), bytes: 9 });
    appendFileSync(path, '!');
    utimesSync(path, old, old);
    expect(await files.digestOf(path)).toEqual({ digest: digestOf('some text!'), bytes: 10 });
    writeFileSync(path, 'other text');
    utimesSync(path, old, old);
    expect(await files.digestOf(path)).toEqual({ digest: digestOf('other text'), bytes: 10 });
  });

  it('of a file that was just written are not remembered', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'one');
    const { files } = openCaches(folder);
    expect(await files.digestOf(path)).toMatchObject({ digest: digestOf('one') });
    const again = files.digestOf(path);
    expect(again).toBeInstanceOf(Promise);
    await again;
  });

  it('of many files come in their order; what is no file is an error', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'in'));
    const paths = Array.from({ length: 40 }, (_, index) => join(folder, 'in', String(index)));
    paths.forEach((path, index) => void writeFileSync(path, `text ${index}`));
    const { files } = openCaches(folder);
    const expected = paths.map((_, index) => ({
      digest: digestOf(`text ${index}`),
      bytes: `text ${index}`.length,
    }));
    expect(await files.many(paths)).toEqual(expected);
    expect(await files.many([join(folder, 'none'), ...paths, folder])).toEqual([
      expect.objectContaining({ code: 'file-missing' }),
      ...expected,
      expect.objectContaining({ code: 'not-a-file' }),
    ]);
    // Files that have not just been written are known from then on, and answered for at once.
    for (const path of paths) utimesSync(path, 1e9, 1e9);
    await files.many(paths);
    expect(files.many(paths)).toEqual(expected);
    writeFileSync(paths[7]!, 'other');
    expect(await files.many(paths)).toEqual(expected.with(7, { digest: digestOf('other'), bytes: 5 }));
  });
});
