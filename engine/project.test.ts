import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/temporary.ts';
import { findProject, type ProjectSettings, readSettings } from './project.ts';
import { bytesOf } from './size.ts';
import { defaultCacheBytes } from './store/size-cap.ts';

function folderTree(...files: string[]): string {
  const root = temporaryFolder();
  for (const file of files) {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  mkdirSync(join(root, 'a/b/c'), { recursive: true });
  return root;
}

describe('the root of a project', () => {
  it('is the nearest folder with reprise.yaml, even above a package.json', () => {
    const root = folderTree('reprise.yaml', 'a/package.json');
    expect(findProject(join(root, 'a/b/c'))).toEqual({ root, config: join(root, 'reprise.yaml') });
  });
  it('is the nearest with package.json or .git else', () => {
    const root = folderTree('package.json', 'a/.git');
    expect(findProject(join(root, 'a/b/c'))).toEqual({ root: join(root, 'a'), config: null });
  });
});

describe('reprise.yaml', () => {
  async function settingsOf(text: string): Promise<ProjectSettings & { root: string }> {
    const root = temporaryFolder();
    writeFileSync(join(root, 'reprise.yaml'), text);
    return { ...(await readSettings(findProject(root), root)), root };
  }
  it('may be empty', async () => {
    const { store, cacheSize, root } = await settingsOf('# nothing\n\n');
    expect([store, cacheSize]).toEqual([join(root, '.reprise'), defaultCacheBytes(root)]);
  });
  it.each([
    ['store: data/store\ncache_size: 500MB # small\n', 'data/store', 500e6],
    ['{ "store": "data/store", "cache_size": "1.5 GiB" }', 'data/store', 1.5 * 2 ** 30],
    ['store: "data/store"\ncache_size: 1000', 'data/store', 1000],
    ['store: 8B', '8B', defaultCacheBytes(tmpdir())],
  ])('%s', async (text, store, size) => {
    const settings = await settingsOf(text);
    expect([settings.store, settings.cacheSize]).toEqual([join(settings.root, store), size]);
  });
  it.each([
    [
      'store: s # a store\nremote: # shared\n  url: file:../cache\n  push: false\n  timeout: 2\ncache_size: 1GB',
      { url: 'file:../cache', push: false, timeoutMs: 2000 },
    ],
    ['remote: { url: "s3://bucket/a b" }', { url: 's3://bucket/a b', push: true, timeoutMs: 5000 }],
    [
      'remote:\n  url: "redis://localhost:6379"',
      { url: 'redis://localhost:6379', push: true, timeoutMs: 5000 },
    ],
    ['store: s', null],
  ])('%s', async (text, remote) => {
    expect((await settingsOf(text)).remote).toEqual(remote);
  });
  it('has a cap by default: 20 GB, or a tenth of the disk', () => {
    const cap = defaultCacheBytes(join(temporaryFolder(), 'not', 'there'));
    const { blocks, bsize } = statfsSync(tmpdir());
    expect(cap).toBe(Math.min(20e9, Math.floor(blocks * bsize * 0.1)));
  });
  it('has every mistake reported, with its place', async () => {
    await expect(
      settingsOf('stor: x\ncache_size: big\nremote: { url: ftp }\nnotify: {}\n'),
    ).rejects.toMatchObject({
      problems: [
        {
          code: 'unknown-key',
          message: 'reprise.yaml has no key "stor"',
          hint: 'did you mean "store"?',
          place: { file: 'reprise.yaml', line: 1 },
        },
        { code: 'wrong-format', place: { line: 2, column: 13 } },
        { code: 'wrong-format', place: { line: 3 } },
        { code: 'not-available', place: { line: 4 } },
      ],
    });
    await expect(settingsOf('store: [')).rejects.toMatchObject({ problems: [{ code: 'yaml-syntax' }] });
    await expect(settingsOf('a list')).rejects.toMatchObject({ problems: [{ code: 'wrong-type' }] });
  });
});

it('sizes', () => {
  expect(['1', '1B', '2KB', '2KiB', '1.5 GB', '1TiB', 'x', '1XB'].map(bytesOf)).toEqual([
    1,
    1,
    2000,
    2048,
    1.5e9,
    2 ** 40,
    undefined,
    undefined,
  ]);
});
