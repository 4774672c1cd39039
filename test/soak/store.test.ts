import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blobsOf } from '../../engine/artefacts.ts';
import { Caches } from '../../engine/store/caches.ts';
import { Store } from '../../engine/store/store.ts';
import { endOf, lineOf, moduleArguments, runModule, temporaryFolder } from '../temporary.ts';

describe('a million rows', () => {
  it('pass through write, read, filter and write in less than 400 MB', async () => {
    const text = `
      import { Store } from '#/engine/store/store.ts';
      const store = Store.open({ folder: process.argv[1] });
      const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
      let start = cpu();
      const first = store.writeTable();
      for (let index = 0; index < 1_000_000; index++)
        await first.write({ id: 'row-' + index, text: 'how do I change the pin of card ' + ((index * 7919) % 100_003) + ' now', label: 'l' + (index % 77), n: index * 0.37 });
      const table = await first.finish();
      await store.sync();
      const write = cpu() - start;
      start = cpu();
      const second = store.writeTable();
      for await (const row of store.readTable(table).read()) if (row.n >= 0) await second.write(row);
      const copy = await second.finish();
      const through = cpu() - start;
      await store.close();
      console.log(JSON.stringify({ write, through, same: copy.digest === table.digest, megabytes: process.resourceUsage().maxRSS / 1024 }));`;
    const result = JSON.parse(await endOf(runModule(text, [temporaryFolder()]))) as {
      write: number;
      through: number;
      same: boolean;
      megabytes: number;
    };
    console.log('1,000,000 rows', result);
    expect(result.same).toBe(true);
    expect(result.megabytes).toBeLessThan(400);
  });
});

describe('a process that is killed', () => {
  it('at 40 random moments leaves no wrong blob and no index entry without its blobs', async () => {
    const folder = temporaryFolder();
    const text = `
      import { Caches } from '#/engine/store/caches.ts';
      import { digestOf } from '#/engine/digest.ts';
      import { Store } from '#/engine/store/store.ts';
      const folder = process.argv[1];
      const [store, caches] = [Store.open({ folder }), Caches.open({ folder })];
      store.hold();
      for (let round = 0; ; round++) {
        const table = store.writeTable();
        for (let row = 0; row < 1000; row++) await table.write({ id: String(row), text: 'text '.repeat(20) + Math.random() });
        const rows = await table.finish();
        await store.sync();
        const entry = { fingerprint: {}, outputs: { rows }, metrics: {}, warnings: [], rows_failed: 0, duration_ms: 1, created: '' };
        await caches.steps.setMany([{ key: digestOf(String(Math.random())), entry }]);
        caches.rows.put(caches.rows.namespace('n'), Buffer.from(String(Math.random())), new Float32Array(300));
        if (round === 0) console.log('ready');
      }`;
    for (let round = 0; round < 40; round++) {
      const child = runModule(text, [folder]);
      await lineOf(child);
      const end = performance.now() + Math.random() * 60;
      while (performance.now() < end) await new Promise(setImmediate);
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    const store = Store.open({ folder });
    const caches = Caches.open({
      folder,
      onDamage: (message) => {
        throw new Error(message);
      },
    });
    let entries = 0;
    for await (const { entry } of caches.steps.all()) {
      entries++;
      expect(store.check(blobsOf(entry.outputs['rows']!))).toEqual([]);
    }
    expect(entries).toBeGreaterThan(40);
    for await (const { state } of store.verify()) expect(state).toBe('ok');
    store.hold();
    expect(readdirSync(join(folder, 'objects', 'tmp'))).toHaveLength(1);
    await caches.close();
    await store.close();
  });
});

/** Runs a module with `folder` on a disk of its own of one megabyte. Needs Linux and the right to make namespaces. */
function onSmallDisk(
  folder: string,
  before: string,
  text: string,
): { status: number | null; stdout: string; stderr: string } {
  const [program, ...rest] = moduleArguments(text, [folder]);
  const quoted = [program!, ...rest].map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
  return spawnSync(
    'unshare',
    ['-rm', 'sh', '-c', `mount -t tmpfs -o size=1m tmpfs '${folder}' && ${before}${quoted}`],
    {
      encoding: 'utf8',
    },
  );
}

const canMount = existsSync('/usr/bin/unshare') && spawnSync('unshare', ['-rm', 'true']).status === 0;

describe.skipIf(!canMount)('a disk of one megabyte', () => {
  it('that gets full gives an error with a remedy, and holds no wrong blob', () => {
    const { stdout, stderr } = onSmallDisk(
      temporaryFolder(),
      '',
      `
      import { randomBytes } from 'node:crypto';
      import { Caches } from '#/engine/store/caches.ts';
      import { Store } from '#/engine/store/store.ts';
      const folder = process.argv[1];
      const store = Store.open({ folder });
      const errors = [];
      try {
        for (let index = 0; index < 500; index++) { await store.put(randomBytes(10_000)); await store.sync(); }
      } catch (error) { errors.push(error.code); }
      try { await store.put(randomBytes(10_000)); } catch (error) { errors.push(error.code); }
      const table = store.writeTable();
      try { for (let index = 0; index < 100_000; index++) await table.write({ id: String(index), text: randomBytes(50).toString('hex') }); } catch (error) { errors.push(error.code); }
      const caches = Caches.open({ folder });
      try { caches.rows.put(caches.rows.namespace(1), randomBytes(32), new Float32Array(100_000)); await caches.rows.flush(); } catch (error) { errors.push(error.code); }
      const states = {};
      for await (const { state } of store.verify()) states[state] = (states[state] ?? 0) + 1;
      console.log(JSON.stringify({ errors, states }));
      process.exit();`,
    );
    const { errors, states } = JSON.parse(stdout || stderr) as {
      errors: string[];
      states: Record<string, number>;
    };
    expect(errors).toEqual(['disk-full', 'disk-full', 'disk-full', 'disk-full']);
    expect(Object.keys(states)).toEqual(['ok']);
    expect(states['ok']).toBeGreaterThan(50);
  });

  it('that becomes read-only is still read; writing gives an error with a remedy', () => {
    const folder = temporaryFolder();
    const fill = moduleArguments(
      `
      import { Caches } from '#/engine/store/caches.ts';
      import { Store } from '#/engine/store/store.ts';
      const folder = process.argv[1];
      const store = Store.open({ folder });
      await store.put('some text');
      await store.close();
      const caches = Caches.open({ folder });
      caches.rows.put(caches.rows.namespace(1), Buffer.from('a'), 'value');
      await caches.close();`,
      [folder],
    )
      .map((part) => `'${part.replaceAll("'", "'\\''")}'`)
      .join(' ');
    const { stdout, stderr } = onSmallDisk(
      folder,
      `${fill} && mount -o remount,ro '${folder}' && `,
      `
      import { Caches } from '#/engine/store/caches.ts';
      import { digestOf } from '#/engine/digest.ts';
      import { Store } from '#/engine/store/store.ts';
      const folder = process.argv[1];
      const store = Store.open({ folder });
      store.hold();
      const digest = digestOf('some text');
      const result = { writable: store.writable, check: store.check([{ digest, bytes: 9 }]), text: String(await store.read(digest)) };
      try { await store.put('other text'); } catch (error) { result.error = error.code; }
      const caches = Caches.open({ folder });
      caches.rows.put(caches.rows.namespace(1), Buffer.from('b'), 'other');
      await caches.rows.flush();
      await caches.steps.getMany([digest]);
      (await caches.leases.acquire('key')).release();
      result.rows = caches.rows.getMany(caches.rows.namespace(1), [Buffer.from('a'), Buffer.from('b')]);
      await caches.close();
      await store.close();
      console.log(JSON.stringify(result));`,
    );
    expect(JSON.parse(stdout || stderr)).toEqual({
      writable: false,
      check: [],
      text: 'some text',
      error: 'store-read-only',
      rows: ['value', null],
    });
  });
});
