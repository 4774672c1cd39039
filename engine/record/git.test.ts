import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { folderWith } from '../../test/run-step.ts';
import { digestOf } from '../digest.ts';
import { type GitOptions, readGit } from './git.ts';
import { Redaction } from './redaction.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function makeFolder(files: Record<string, string | Uint8Array> = {}): string {
  const folder = folderWith(files);
  folders.push(folder);
  return folder;
}

/** git as a fresh user has it: no settings but a name. */
function git(folder: string, ...args: string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@example.com',
  };
  return execFileSync('git', ['-c', 'protocol.file.allow=always', ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

const latin1 = Buffer.from('caf\u00e9\n', 'latin1');
const image = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919) % 256));

function makeRepository(): string {
  const folder = makeFolder({
    'workflow.yaml': 'name: a\n',
    'data/rows.csv': 'id,text\n1,a\n',
    'data/latin1.txt': latin1,
    'data/image.bin': image,
    'data/gone.txt': 'gone\n',
    'data/old name.txt': 'the same text\n'.repeat(20),
    'run.sh': 'true\n',
    '.gitignore': 'ignored/\n',
  });
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'add', '.');
  git(folder, 'commit', '-qm', 'first');
  return folder;
}

const read = (root: string, options: Partial<GitOptions> = {}) =>
  readGit({ root, files: [], digestOf: (path) => digestOf(readFileSync(path)), ...options });

describe('the state of a repository', () => {
  it('of a clean one is commit and branch, and nothing else', async () => {
    const root = makeRepository();
    expect(await read(root, { files: ['workflow.yaml', join(root, 'data/rows.csv')] })).toEqual({
      git: {
        commit: git(root, 'rev-parse', 'HEAD'),
        branch: 'main',
        remote: null,
        dirty: false,
        patch: null,
        untracked: [],
      },
      patch: null,
      warnings: [],
    });
  });

  it('is that of the repository above the project, with paths of the project', async () => {
    const top = makeRepository();
    writeFileSync(join(top, 'data/new.csv'), 'id\n');
    const { git: state } = await read(join(top, 'data'), { files: ['rows.csv', 'new.csv'] });
    expect(state).toMatchObject({
      branch: 'main',
      untracked: [{ path: 'new.csv', digest: digestOf('id\n') }],
    });
  });

  it('has a patch that makes the files again, byte for byte', async () => {
    const root = makeRepository();
    const copy = makeFolder();
    git(copy, 'clone', '-q', root, '.');
    writeFileSync(join(root, 'data/rows.csv'), 'id,text\r\n1,ä\r\n2,no line end');
    writeFileSync(join(root, 'data/latin1.txt'), Buffer.concat([latin1, latin1]));
    writeFileSync(join(root, 'data/image.bin'), Buffer.from(image).reverse());
    rmSync(join(root, 'data/gone.txt'));
    renameSync(join(root, 'data/old name.txt'), join(root, 'data/new näme.txt'));
    chmodSync(join(root, 'run.sh'), 0o755);
    writeFileSync(join(root, 'staged.txt'), 'staged\n');
    git(root, 'add', 'staged.txt', 'data/new näme.txt');
    git(root, 'config', 'color.ui', 'always');
    git(root, 'config', 'diff.noprefix', 'true');
    git(root, 'config', 'diff.context', '0');
    git(root, 'config', 'diff.external', 'false');
    const { git: state, patch, warnings } = await read(root);
    expect(warnings).toEqual([]);
    expect(state).toMatchObject({
      dirty: true,
      patch: { digest: digestOf(patch!), bytes: patch!.length, redacted: false },
    });
    writeFileSync(join(copy, '../patch'), patch!);
    folders.push(join(copy, '../patch'));
    git(copy, 'apply', '--binary', '../patch');
    expect(contentOf(copy)).toEqual(contentOf(root));
  });

  it('names the files of the workflow that the commit does not have', async () => {
    const root = makeRepository();
    const outside = makeFolder({ 'x.csv': 'x' });
    mkdirSync(join(root, 'ignored'));
    const names = ['untracked.csv', 'ignored/rows.csv', 'data/[a]*.csv', 'data/ünï code.csv'];
    for (const name of [...names, 'not used.csv']) writeFileSync(join(root, name), name);
    git(root, 'add', 'data/ünï code.csv');
    const { git: state } = await read(root, {
      files: Promise.resolve([...names, 'workflow.yaml', join(outside, 'x.csv')]),
    });
    expect(state!.untracked.map(({ path }) => path).sort()).toEqual(
      ['data/[a]*.csv', 'ignored/rows.csv', 'untracked.csv', join(outside, 'x.csv')].sort(),
    );
    // The staged file is in the patch.
    expect(state!.dirty).toBe(true);
    const many = Array.from({ length: 400 }, (_, index) => `many/${index}.csv`);
    mkdirSync(join(root, 'many'));
    for (const name of many) writeFileSync(join(root, name), name);
    git(root, 'add', 'many/7.csv');
    expect((await read(root, { files: many })).git!.untracked).toHaveLength(399);
  });

  it('before the first commit has none, and everything in the patch', async () => {
    const root = makeFolder({ 'a.txt': 'a\n' });
    git(root, 'init', '-q', '-b', 'trunk');
    expect((await read(root)).git).toMatchObject({
      commit: null,
      branch: 'trunk',
      dirty: false,
      patch: null,
    });
    git(root, 'add', '.');
    const { git: state, patch } = await read(root);
    expect(state).toMatchObject({ commit: null, dirty: true });
    expect(Buffer.from(patch!).toString()).toContain('+a\n');
  });

  it('on a detached HEAD has no branch', async () => {
    const root = makeRepository();
    git(root, 'checkout', '-q', '--detach');
    expect((await read(root)).git).toMatchObject({ branch: null, dirty: false });
  });

  it('in the middle of a merge is dirty', async () => {
    const root = makeRepository();
    git(root, 'checkout', '-qb', 'other');
    writeFileSync(join(root, 'workflow.yaml'), 'name: b\n');
    git(root, 'commit', '-qam', 'other');
    git(root, 'checkout', '-q', 'main');
    writeFileSync(join(root, 'workflow.yaml'), 'name: c\n');
    git(root, 'commit', '-qam', 'mine');
    expect(() => git(root, 'merge', 'other')).toThrow();
    const { git: state, patch } = await read(root);
    expect(state).toMatchObject({ branch: 'main', dirty: true });
    expect(Buffer.from(patch!).toString()).toContain('<<<<<<<');
  });

  it('of a worktree is its own, with the remote of the repository', async () => {
    const root = makeRepository();
    git(root, 'remote', 'add', 'origin', 'git@example.com:me/project.git');
    const tree = join(makeFolder(), 'tree');
    git(root, 'worktree', 'add', '-q', '-b', 'side', tree);
    expect((await read(tree)).git).toMatchObject({
      branch: 'side',
      remote: 'git@example.com:me/project.git',
    });
  });

  it('says that a submodule has changes of its own', async () => {
    const root = makeRepository();
    git(root, 'submodule', 'add', '-q', makeRepository(), 'sub');
    git(root, 'commit', '-qam', 'sub');
    writeFileSync(join(root, 'sub/workflow.yaml'), 'name: changed\n');
    expect(await read(root)).toMatchObject({
      git: { dirty: true, patch: null },
      warnings: [expect.stringContaining('submodule sub')],
    });
    expect((await read(join(root, 'sub'))).git).toMatchObject({ dirty: true, patch: { redacted: false } });
  });

  it.each([
    ['https://user:token@example.com/me/project.git?x=1', 'https://example.com/me/project.git'],
    ['https://token@example.com/me/project.git', 'https://example.com/me/project.git'],
    ['ssh://git:word@example.com:22/me/project.git', 'ssh://git@example.com:22/me/project.git'],
    ['https://example.com/hunter2/project.git', 'https://example.com/[secret]/project.git'],
    ['/srv/git/project.git', '/srv/git/project.git'],
  ])('has the remote %s as %s', async (url, shown) => {
    const root = makeRepository();
    git(root, 'remote', 'add', 'elsewhere', 'https://example.com/elsewhere.git');
    git(root, 'remote', 'add', 'origin', url);
    expect((await read(root, { redaction: new Redaction(['hunter2']) })).git!.remote).toBe(shown);
  });

  it('takes no secret into the patch', async () => {
    const root = makeRepository();
    const secrets = [
      'hunter2-hunter2',
      'schlüssel',
      '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----',
    ];
    writeFileSync(join(root, 'workflow.yaml'), `a: ${secrets.join('\n')}\n`);
    const { git: state, patch, warnings } = await read(root, { redaction: new Redaction(secrets) });
    const text = Buffer.from(patch!).toString();
    expect(text).toContain('+a: [secret]');
    expect(text).not.toMatch(/hunter2|schlüssel|MIIE/);
    expect(state!.patch).toEqual({ digest: digestOf(patch!), bytes: patch!.length, redacted: true });
    expect(warnings).toEqual([expect.stringContaining('contains a secret')]);
  });

  it('leaves out binary files with a secret, then or now: in the patch they are compressed', async () => {
    const root = makeRepository();
    const withSecret = Buffer.concat([Buffer.from('\0hunter2-hunter2'), image]);
    writeFileSync(join(root, 'was [1].bin'), withSecret);
    writeFileSync(join(root, 'is.bin'), image);
    git(root, 'add', '.');
    git(root, 'commit', '-q', '-m', 'binaries');
    writeFileSync(join(root, 'was [1].bin'), image);
    writeFileSync(join(root, 'is.bin'), withSecret);
    writeFileSync(join(root, 'data/image.bin'), Buffer.from(image).reverse());
    const { patch, warnings } = await read(root, { redaction: new Redaction(['hunter2-hunter2']) });
    const changed = Buffer.from(patch!)
      .toString()
      .match(/^diff --git .*$/gm);
    expect(changed).toEqual(['diff --git a/data/image.bin b/data/image.bin']);
    expect(warnings).toEqual(
      ['is.bin', 'was [1].bin'].map(
        (path) => `${path} contains a secret and is binary: what was changed in it is not in the record`,
      ),
    );
  });

  it('leaves out a patch that is too big, and says so', async () => {
    const root = makeRepository();
    writeFileSync(join(root, 'data/rows.csv'), 'x\n'.repeat(50_000));
    expect(await read(root, { patchLimit: 20_000 })).toMatchObject({
      git: { dirty: true, patch: null },
      patch: null,
      warnings: [expect.stringContaining('more than 0.02 MB')],
    });
  });

  it('takes no lock, and writes nothing', async () => {
    const root = makeRepository();
    // A file touched since makes git want to refresh its index.
    utimesSync(join(root, 'run.sh'), 1, 1);
    const before = readFileSync(join(root, '.git/index'));
    expect((await read(root)).git).toMatchObject({ dirty: false });
    expect(readFileSync(join(root, '.git/index')).equals(before)).toBe(true);
    writeFileSync(join(root, '.git/index.lock'), '');
    writeFileSync(join(root, 'workflow.yaml'), 'name: b\n');
    expect((await read(root)).git).toMatchObject({ dirty: true, patch: { redacted: false } });
  });

  it.skipIf(process.platform === 'win32')('takes names for what they are', async () => {
    const root = makeRepository();
    const name = '# branch.head evil';
    writeFileSync(join(root, name), 'a text that git finds again\n'.repeat(9));
    writeFileSync(join(root, ':(odd).csv'), 'x');
    git(root, 'add', '.');
    git(root, 'commit', '-qm', 'odd names');
    git(root, 'mv', name, 'renamed');
    const { git: state } = await read(root, { files: [':(odd).csv', 'renamed'] });
    expect(state).toMatchObject({ branch: 'main', dirty: true, untracked: [] });
  });
});

describe('without a state', () => {
  it('outside of a repository the record has none, and a warning', async () => {
    expect(await read(makeFolder())).toEqual({
      git: null,
      patch: null,
      warnings: [expect.stringContaining('not in a git repository')],
    });
  });

  it('with a .git that is none, it does not take the repository above it', async () => {
    const top = makeRepository();
    mkdirSync(join(top, 'data/.git'));
    expect(await read(join(top, 'data'))).toEqual({
      git: null,
      patch: null,
      warnings: [expect.stringContaining('not a git repository')],
    });
  });

  it('without git it says that git is missing', async () => {
    const root = makeRepository();
    const path = process.env['PATH'];
    process.env['PATH'] = makeFolder();
    try {
      expect(await read(root)).toMatchObject({
        git: null,
        warnings: [expect.stringContaining('git is not installed')],
      });
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('inside a hook, with git’s own variables set, it looks at the project all the same', async () => {
    const [root, other] = [makeRepository(), makeRepository()];
    process.env['GIT_DIR'] = join(other, '.git');
    process.env['GIT_INDEX_FILE'] = join(other, '.git/nothing');
    try {
      expect((await read(root)).git).toMatchObject({ commit: git(root, 'rev-parse', 'HEAD'), dirty: false });
    } finally {
      delete process.env['GIT_DIR'];
      delete process.env['GIT_INDEX_FILE'];
    }
  });
});

function contentOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/.git/'));
  return Object.fromEntries(
    entries.map((path) => [relative(folder, path), readFileSync(path, 'latin1')]).sort() as [
      string,
      string,
    ][],
  );
}

describe('with a copy of the index', () => {
  it('sees a change of the same size in the moment of the commit, and leaves the index of the user alone', async () => {
    const root = makeRepository();
    const cacheFolder = join(root, 'cache');
    const index = () => {
      const { ino, mtimeNs, ctimeNs } = statSync(join(root, '.git/index'), { bigint: true });
      return { ino, mtimeNs, ctimeNs };
    };
    const state = async () =>
      (await readGit({ root, files: [], digestOf: () => digestOf(''), cacheFolder })).git!;
    const before = index();
    expect((await state()).dirty).toBe(false);
    writeFileSync(join(root, 'workflow.yaml'), 'name: b\n');
    // The racy case: neither size nor time tell it from the committed file.
    const time = Number(before.mtimeNs) / 1e9;
    utimesSync(join(root, 'workflow.yaml'), time, time);
    expect(await state()).toMatchObject({ dirty: true, patch: { redacted: false } });
    expect(index()).toEqual(before);

    git(root, 'commit', '-qam', 'b');
    expect(await state()).toMatchObject({ dirty: false, commit: git(root, 'rev-parse', 'HEAD') });
  });

  it('works in a linked worktree', async () => {
    const root = makeRepository();
    const tree = join(root, 'tree');
    git(root, 'worktree', 'add', '-q', tree);
    writeFileSync(join(tree, 'workflow.yaml'), 'name: c\n');
    const options = { files: [], digestOf: () => digestOf(''), cacheFolder: join(root, 'cache') };
    expect((await readGit({ ...options, root: tree })).git).toMatchObject({ dirty: true, branch: 'tree' });
    expect((await readGit({ ...options, root })).git).toMatchObject({ dirty: false });
  });
});
