import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { SimpleGit } from 'simple-git';
import { type Digest, digestOf } from '../digest.ts';
import { isInside } from '../inside.ts';
import { binariesWithSecrets } from './binary-secrets.ts';
import { copiedIndex, gitFolder } from './git-index.ts';
import { Redaction } from './redaction.ts';

/** The state of the repository that a run was started in. */
export interface GitRecord {
  /** Null before the first commit. */
  commit: string | null;
  /** Null on a detached HEAD. */
  branch: string | null;
  /** URL of the branch's remote or else of `origin`, without credentials. */
  remote: string | null;
  /** Tracked files differ from the commit. */
  dirty: boolean;
  /** What was not committed, as `git diff --binary` writes it; a blob of the store. Null if there is nothing, or too much. */
  patch: { digest: Digest; bytes: number; redacted: boolean } | null;
  /** Files that the workflow uses and that the commit does not have: untracked, ignored, outside the repository. */
  untracked: { path: string; digest: Digest }[];
}

export interface GitState {
  /** Null without a repository, or if git cannot tell; `warnings` says why. */
  git: GitRecord | null;
  /** The bytes behind `git.patch`, for the store. */
  patch: Uint8Array | null;
  warnings: string[];
}

export interface GitOptions {
  /** Absolute path of the project's root. */
  root: string;
  /** Files that the workflow uses: absolute, or relative to the root. git is asked for its state before they are known. */
  files: readonly string[] | Promise<readonly string[]>;
  /** Digest of one of them. */
  digestOf(path: string): Digest | Promise<Digest>;
  redaction?: Redaction;
  /** Folder for a copy of the index that may be brought up to date; none is made if not given. */
  cacheFolder?: string | null;
  /** Bytes of a patch that is still kept. */
  patchLimit?: number;
}

/**
 * Reads the state of the repository around the project: a `git status` that looks at tracked files only, beside it
 * `git ls-files` for the workflow's own files and, where something changed, a `git diff`. Takes no lock of the
 * repository, so that it never stands in the way of the user's own git.
 */
export async function readGit(options: GitOptions): Promise<GitState> {
  const repository = findRepository(options.root);
  if (!repository) {
    return nothing('the project is not in a git repository: the record holds no commit to go back to');
  }
  try {
    return await readRepository(repository, options);
  } catch (error) {
    return nothing(`the state of the git repository is not in the record: ${gitsReason(error)}`);
  }
}

function nothing(warning: string): GitState {
  return { git: null, patch: null, warnings: [warning] };
}

/** Why a call of git failed, in one line. */
export function gitsReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/spawn git ENOENT/.test(message)) return 'git is not installed, or not on the PATH';
  const line = message.split('\n').find((text) => text.trim() !== '');
  return line?.replace(/^(fatal|error): /, '') ?? 'git failed without a message';
}

async function readRepository(top: string, options: GitOptions): Promise<GitState> {
  const { root, redaction = new Redaction(), cacheFolder = null, patchLimit = 10_000_000 } = options;
  const git = await openGit(top);
  const index = cacheFolder && copiedIndex(top, cacheFolder);
  const extra: Record<string, string> = index ? { GIT_INDEX_FILE: index } : { GIT_OPTIONAL_LOCKS: '0' };
  const state = (await openGit(top, { extra }))
    .raw(['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=no'])
    .then(parseStatus);
  // The patch is that of the start: which files the workflow uses is known only at its end.
  const [found, firstPatch, untracked] = await Promise.all([
    state,
    state.then(({ dirty, commit }) => (dirty ? readPatch(top, commit, patchLimit, extra) : null)),
    findUntracked(git, top, options),
  ]);
  const warnings: string[] = [];
  let patch: Uint8Array | null = firstPatch;
  if (found.dirty) {
    if (patch === null) {
      warnings.push(
        `what was not committed is more than ${patchLimit / 1e6} MB, so its patch is not in the record; commit it to make this run reproducible`,
      );
    }
  }
  for (const path of found.submodules)
    warnings.push(
      `changes inside the submodule ${path} are not in the record; commit them to make this run reproducible`,
    );
  const withSecrets =
    patch && !redaction.none && Buffer.from(patch).includes('\nGIT binary patch\n')
      ? await binariesWithSecrets(git, top, found.commit ?? emptyTree, redaction)
      : [];
  if (withSecrets.length > 0) patch = await readPatch(top, found.commit, patchLimit, extra, withSecrets);
  for (const path of withSecrets)
    warnings.push(`${path} contains a secret and is binary: what was changed in it is not in the record`);
  if (patch?.length === 0) patch = null;
  const clean = patch && redaction.bytes(patch);
  if (clean !== patch) {
    warnings.push(
      `what was not committed contains a secret; it stands as [secret] in the record, so the patch may not apply`,
    );
  }
  return {
    git: {
      commit: found.commit,
      branch: found.branch,
      remote: remoteOf(top, found.upstream, redaction),
      dirty: found.dirty,
      patch: clean && { digest: digestOf(clean), bytes: clean.length, redacted: clean !== patch },
      untracked: await Promise.all(
        untracked.map(async (path) => ({
          path: shownPath(root, path),
          digest: await options.digestOf(path),
        })),
      ),
    },
    patch: clean,
    warnings,
  };
}

/** git in a folder, with nothing in its environment that changes its answers but what `extra` sets. */
export async function openGit(
  folder: string,
  {
    abort,
    extra = {},
    unsafe,
  }: { abort?: AbortSignal; extra?: Record<string, string>; unsafe?: object } = {},
): Promise<SimpleGit> {
  const { simpleGit } = await import('simple-git');
  // What git needs to find its settings, and nothing that changes its answers (GIT_DIR inside a hook, a pager).
  const env: Record<string, string> = { LC_ALL: 'C', GIT_CEILING_DIRECTORIES: dirname(folder), ...extra };
  for (const name of [
    'PATH',
    'Path',
    'HOME',
    'USERPROFILE',
    'SystemRoot',
    'XDG_CONFIG_HOME',
    'TMPDIR',
    'TEMP',
  ]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return simpleGit({
    baseDir: folder,
    allowEnvironment: Object.keys(env),
    ...(abort && { abort }),
    ...(unsafe && { unsafe }),
  }).env(env);
}

/** The nearest folder upward with a `.git`, which is a file in a worktree or submodule. */
export function findRepository(folder: string): string | null {
  for (;;) {
    if (existsSync(join(folder, '.git'))) return folder;
    const parent = dirname(folder);
    if (parent === folder) return null;
    folder = parent;
  }
}

interface Status {
  commit: string | null;
  branch: string | null;
  upstream: string | null;
  dirty: boolean;
  /** Submodules with changes of their own. */
  submodules: string[];
}

/** https://git-scm.com/docs/git-status#_porcelain_format_version_2 with `-z` */
function parseStatus(text: string): Status {
  const status: Status = { commit: null, branch: null, upstream: null, dirty: false, submodules: [] };
  const entries = text.split('\0');
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!;
    const header = /^# branch\.(\w+) (.*)$/s.exec(entry);
    if (header) {
      const [, name, value] = header;
      if (name === 'oid' && value !== '(initial)') status.commit = value!;
      if (name === 'head' && value !== '(detached)') status.branch = value!;
      if (name === 'upstream') status.upstream = value!;
      continue;
    }
    const kind = entry[0];
    if (kind !== '1' && kind !== '2' && kind !== 'u') continue;
    status.dirty = true;
    // "<kind> <XY> <sub> …": the path is the last of 9, 10 or 11 fields. A rename's old path is an entry of its own.
    const fields = entry.split(' ');
    if (/^S.(M|.U)/.test(fields[2] ?? ''))
      status.submodules.push(fields.slice(kind === '1' ? 8 : kind === '2' ? 9 : 10).join(' '));
    if (kind === '2') index++;
  }
  return status;
}

/** Absolute paths of the workflow's files that git does not track, sorted. */
async function findUntracked(git: SimpleGit, top: string, { root, files }: GitOptions): Promise<string[]> {
  const paths = [...new Set((await files).map((path) => resolve(root, path)))].sort();
  const inside = paths.filter((path) => path.startsWith(top + sep)).map((path) => gitPath(top, path));
  if (inside.length === 0) return paths;
  // Beyond a few hundred names a command line may be too long: then all tracked files are listed.
  const named = inside.length <= 300 ? ['--', ...inside] : [];
  const list = await git.raw(['--literal-pathspecs', 'ls-files', '-z', ...named]);
  const tracked = new Set(list.split('\0'));
  return paths.filter((path) => !tracked.has(gitPath(top, path)));
}

function gitPath(top: string, path: string): string {
  return relative(top, path).replaceAll(sep, '/');
}

function shownPath(root: string, path: string): string {
  return isInside(root, path) ? relative(root, path).replaceAll(sep, '/') : path;
}

/** Object name of the empty tree: what a repository without commits is compared to. */
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** What was not committed, staged or not, as `git apply --binary` takes it; null if it is more than `limit` bytes. */
async function readPatch(
  top: string,
  commit: string | null,
  limit: number,
  extra: Record<string, string>,
  leftOut: readonly string[] = [],
): Promise<Uint8Array | null> {
  const stop = new AbortController();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const git = await openGit(top, { abort: stop.signal, extra });
  // Taken as bytes: files need not be UTF-8.
  git.outputHandler((_command, stdout) => {
    stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) stop.abort();
      else chunks.push(chunk);
    });
  });
  try {
    await git.raw([
      'diff',
      '--binary',
      '--full-index',
      '--no-color',
      '--no-ext-diff',
      '--no-textconv',
      '--src-prefix=a/',
      '--dst-prefix=b/',
      // Settings of the user's (diff.context, diff.submodule) can make a diff that `git apply` does not take.
      '--unified=3',
      '--inter-hunk-context=0',
      '--submodule=short',
      // A dirty submodule has no object name that a patch could hold.
      '--ignore-submodules=dirty',
      commit ?? emptyTree,
      '--',
      // It holds secrets, also such as this workflow does not name.
      ':(top,exclude,glob)**/.env',
      ...leftOut.map((path) => `:(top,exclude,literal)${path}`),
    ]);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  return bytes > limit ? null : Buffer.concat(chunks);
}

/** URL of a remote as the repository's own config has it, without credentials. */
function remoteOf(top: string, upstream: string | null, redaction: Redaction): string | null {
  const urls = new Map<string, string>();
  try {
    let section: string | null = null;
    for (const line of readFileSync(join(commonFolder(top), 'config'), 'utf8').split('\n')) {
      const heading = /^\s*\[(.*?)\]/.exec(line);
      if (heading) section = /^remote "(.*)"$/.exec(heading[1]!)?.[1] ?? null;
      const url = /^\s*url\s*=\s*"?(.*?)"?\s*$/.exec(line)?.[1];
      if (section !== null && url && !urls.has(section)) urls.set(section, url);
    }
  } catch {
    // A config that cannot be read names no remote; git itself has just worked with it.
    return null;
  }
  const tracked = [...urls.keys()].find((name) => upstream?.startsWith(`${name}/`));
  const url = urls.get(tracked ?? 'origin') ?? [...urls.values()][0];
  return url === undefined ? null : redaction.text(withoutCredentials(url));
}

/** The folder that holds the config: of a worktree, that of the repository it belongs to. */
function commonFolder(top: string): string {
  const folder = gitFolder(top);
  const common = join(folder, 'commondir');
  return existsSync(common) ? resolve(folder, readFileSync(common, 'utf8').trim()) : folder;
}

/** Of `ssh://git@host` the name stays, since it is no secret; what stands before the host of other URLs may be a token. */
function withoutCredentials(url: string): string {
  const [, scheme, user, rest] = /^([a-z][a-z0-9+.-]*:\/\/)([^/@]*@)?(.*)$/i.exec(url) ?? [];
  if (scheme === undefined) return url;
  const kept = user && /ssh/i.test(scheme) ? `${user.slice(0, -1).split(':')[0]}@` : '';
  return `${scheme}${kept}${rest!.replace(/[?#].*$/, '')}`;
}
