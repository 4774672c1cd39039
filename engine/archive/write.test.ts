import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleRecord } from '../../test/run-record.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { digestOf } from '../digest.ts';
import { Store } from '../store/store.ts';
import { type Contents, contentsOf, writeArchive } from './write.ts';

const entry = { name: 'runs/a/run.json', bytes: 4, digest: digestOf('text') };

function contents(text = 'text'): Contents {
  return {
    manifest: { format: 1, run: 'a', engine: '0.1.0', entries: [entry] },
    sizes: { record: 4, data: 0, outputs: 0, models: 0 },
    notes: [],
    async *open() {
      yield Buffer.from(text);
    },
  };
}

const { signal } = new AbortController();

it('an archive is not written over a file, unless that is wanted', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'run.tgz');
  writeFileSync(path, 'all that is left');
  await expect(writeArchive(contents(), path, signal)).rejects.toMatchObject({
    problems: [{ code: 'file-exists', hint: expect.stringContaining('--force') }],
  });
  expect(readFileSync(path, 'utf8')).toBe('all that is left');
  expect(await writeArchive(contents(), path, signal, { force: true })).toBeGreaterThan(50);
  mkdirSync(join(folder, 'sub'));
  await expect(writeArchive(contents(), join(folder, 'sub'), signal)).rejects.toMatchObject({
    problems: [{ code: 'file-exists', hint: expect.stringContaining('run.tgz') }],
  });
  expect(readdirSync(folder).sort()).toEqual(['run.tgz', 'sub']);
});

it.each(['other', 'texts and more', ''])(
  'an archive of a file that changed meanwhile is none (%s)',
  async (text) => {
    const folder = temporaryFolder();
    await expect(writeArchive(contents(text), join(folder, 'run.tgz'), signal)).rejects.toMatchObject({
      problems: [{ code: 'archive-incomplete', message: expect.stringContaining('changed while') }],
    });
    expect(readdirSync(folder)).toEqual([]);
  },
);

it('a run that is not over is not packed', async () => {
  const folder = temporaryFolder();
  const store = Store.open({ folder: join(folder, '.reprise') });
  const record = exampleRecord({ status: 'running', steps: [] });
  const options = {
    record,
    runsFolder: folder,
    root: folder,
    store,
    engineVersion: '0.1.0',
    outputs: false,
    models: [],
  };
  await expect(contentsOf(options)).rejects.toMatchObject({ problems: [{ code: 'run-is-running' }] });
  await store.close();
});
