import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commitAll, git, snapshot } from '../../test/git-project.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { openCheckout } from './checkout.ts';

/** A repository with all that could run, or write, when a commit is written out. */
function repository(): { top: string; commit: string } {
  const top = temporaryFolder();
  git(top, 'init', '-q');
  mkdirSync(join(top, 'sub'));
  writeFileSync(join(top, 'sub/a.txt'), 'first\n');
  writeFileSync(join(top, 'b.txt'), 'b\n');
  commitAll(top);
  const commit = git(top, 'rev-parse', 'HEAD').trim();
  writeFileSync(join(top, 'sub/a.txt'), 'second\n');
  commitAll(top, 'second');
  for (const hook of ['post-checkout', 'post-index-change', 'reference-transaction']) {
    const path = join(top, '.git/hooks', hook);
    mkdirSync(join(top, '.git/hooks'), { recursive: true });
    writeFileSync(path, `#!/bin/sh\ntouch "${top}/ran-${hook}"\n`, { mode: 0o755 });
  }
  git(top, 'config', 'core.splitIndex', 'true');
  git(top, 'config', 'core.sparseCheckout', 'true');
  mkdirSync(join(top, '.git/info'), { recursive: true });
  writeFileSync(join(top, '.git/info/sparse-checkout'), '/b.txt\n');
  return { top, commit };
}

it('writes a whole commit elsewhere: nothing in the repository changes, and nothing of it runs', async () => {
  const { top, commit } = repository();
  const before = snapshot(top);
  const folder = temporaryFolder();
  const checkout = await openCheckout(top, join(folder, 'tree'), join(folder, 'index'));
  expect(await checkout.hasCommit(commit)).toBe(true);
  expect(await checkout.hasCommit('0'.repeat(40))).toBe(false);
  expect(await checkout.has(commit, 'sub/a.txt')).toBe(true);
  expect(await checkout.has(commit, 'sub/none.txt')).toBe(false);
  expect(await checkout.read(commit, 'sub/a.txt')).toBe('first\n');
  await checkout.write(commit);
  expect(readdirSync(join(folder, 'tree')).sort()).toEqual(['b.txt', 'sub']);
  expect(readFileSync(join(folder, 'tree/sub/a.txt'), 'utf8')).toBe('first\n');
  expect(snapshot(top)).toEqual(before);
});

it('applies a patch, or says why it does not and changes nothing', async () => {
  const { top, commit } = repository();
  const folder = temporaryFolder();
  const checkout = await openCheckout(top, join(folder, 'tree'), join(folder, 'index'));
  await checkout.write(commit);
  writeFileSync(join(folder, 'patch'), git(top, 'diff', '--binary', commit, 'HEAD'));
  expect(await checkout.apply(join(folder, 'patch'))).toBeNull();
  expect(readFileSync(join(folder, 'tree/sub/a.txt'), 'utf8')).toBe('second\n');
  expect(await checkout.apply(join(folder, 'patch'))).toContain('patch');
  expect(readFileSync(join(folder, 'tree/sub/a.txt'), 'utf8')).toBe('second\n');
});

it('applies a patch without a repository', async () => {
  const { top } = repository();
  const empty = git(top, 'hash-object', '-t', 'tree', '/dev/null').trim();
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'patch'), git(top, 'diff', '--binary', empty, 'HEAD'));
  const checkout = await openCheckout(null, join(folder, 'tree'), join(folder, 'index'));
  expect(await checkout.apply(join(folder, 'patch'))).toBeNull();
  expect(existsSync(join(folder, 'tree/sub/a.txt'))).toBe(true);
  expect(await checkout.hasCommit('HEAD')).toBe(false);
});

it('leaves submodules alone, whatever the settings: their HEAD and settings are not in the index that is ours', async () => {
  const { top } = repository();
  const other = repository().top;
  git(top, 'sparse-checkout', 'disable');
  git(top, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', other, 'module');
  rmSync(join(top, '.git/hooks'), { recursive: true });
  commitAll(top, 'with a submodule');
  const commit = git(top, 'rev-parse', 'HEAD').trim();
  git(join(top, 'module'), 'commit', '-q', '--allow-empty', '-m', 'newer');
  commitAll(top, 'with a newer submodule');
  git(top, 'config', 'submodule.recurse', 'true');
  const before = snapshot(top);
  const folder = temporaryFolder();
  const checkout = await openCheckout(top, join(folder, 'tree'), join(folder, 'index'));
  await checkout.write(commit);
  expect(existsSync(join(folder, 'tree/sub/a.txt'))).toBe(true);
  expect(snapshot(top)).toEqual(before);
});
