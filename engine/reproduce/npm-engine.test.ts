import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { npmRegistry } from '../../test/npm-registry.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { engineFromNpm } from './npm-engine.ts';

it('nothing of a package runs before its integrity is known, not even what it says of its installation', async () => {
  const root = temporaryFolder();
  const mark = join(root, 'ran');
  const [version, bin] = ['0.0.9', { reprise: 'bin.mjs' }];
  const scripts = { postinstall: `echo ran > ${mark}` };
  mkdirSync(join(root, 'package'));
  writeFileSync(join(root, 'package/bin.mjs'), '');
  writeFileSync(
    join(root, 'package/package.json'),
    JSON.stringify({ name: 'reprise', version, bin, scripts }),
  );
  const tarball = join(root, 'reprise.tgz');
  execFileSync('tar', ['-czf', tarball, '-C', root, 'package']);
  using registry = await npmRegistry({ name: 'reprise', version, bin, scripts, tarball });
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('npm_config_registry', registry.url);
  vi.stubEnv('npm_config_cache', join(root, '.npm'));
  vi.stubEnv('npm_config_update_notifier', 'false');
  // As npm is unless somebody has set it up otherwise.
  vi.stubEnv('npm_config_ignore_scripts', 'false');
  const engine = (name: string, integrity: string) =>
    engineFromNpm({
      version,
      integrity,
      root,
      folder: join(root, name),
      signal: new AbortController().signal,
    });
  await expect(engine('other', `sha512-${Buffer.alloc(64).toString('base64')}`)).rejects.toThrow(
    `its package is ${registry.integrity}`,
  );
  expect(existsSync(mark)).toBe(false);
  expect(existsSync(await engine('same', registry.integrity))).toBe(true);
  expect(existsSync(mark)).toBe(false);
});
