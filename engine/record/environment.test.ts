import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../../test/run-step.ts';
import { digestOf } from '../digest.ts';
import { readEnvironment } from './environment.ts';

const read = (root: string) =>
  readEnvironment({
    root,
    engine: '0.1.0',
    packages: { b: '2', a: '1' },
    digestOf: (path) => digestOf(readFileSync(path)),
  });

describe('the environment of a run', () => {
  it('names engine, node, machine and packages', async () => {
    const root = folderWith({ 'package-lock.json': '{}', '.git/HEAD': '' });
    const environment = await read(root);
    expect(environment).toMatchObject({
      engine: '0.1.0',
      node: process.versions.node,
      arch: process.arch,
      cpu: { model: expect.stringMatching(/./), count: expect.any(Number) },
      lockfile: { path: 'package-lock.json', digest: digestOf('{}') },
    });
    expect(environment.cpu.count).toBeGreaterThan(0);
    expect(environment.memory_bytes).toBeGreaterThan(1e8);
    expect(Object.keys(environment.packages)).toEqual(['a', 'b']);
    rmSync(root, { recursive: true });
  });

  it('has the lockfile of the workspace, and none from beyond the repository', async () => {
    const root = folderWith({
      'yarn.lock': 'x',
      'repo/.git/HEAD': '',
      'repo/pnpm-lock.yaml': 'y',
      'repo/app/a/b.txt': '',
      'other/.git/HEAD': '',
    });
    expect((await read(join(root, 'repo/app/a'))).lockfile).toEqual({
      path: '../../pnpm-lock.yaml',
      digest: digestOf('y'),
    });
    expect((await read(join(root, 'other'))).lockfile).toBeNull();
    rmSync(root, { recursive: true });
  });
});
