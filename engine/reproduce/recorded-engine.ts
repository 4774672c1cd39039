import { spawn } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type Digest, digestOf } from '../digest.ts';
import { StepError } from '../problems.ts';
import { findRepository } from '../record/git.ts';
import type { RunRecord } from '../record/record.ts';
import type { Workspace } from '../workspace.ts';
import { openCheckout } from './checkout.ts';
import { engineFromNpm, integrityIn, packageName } from './npm-engine.ts';
import { takeBlob } from './restore.ts';
import type { Sandbox } from './sandbox.ts';

/** The engine that made a run, as a program to be called with a command; null for the one that asks. */
export type RecordedEngine = { program: string[]; from: 'commit' | 'npm' } | null;

/**
 * Finds the engine that made a run: this one, if its version and the code of its step types are those of the record; else the
 * recorded commit's, with the patch, if the repository carries the engine and its packages are those that are installed; else
 * that version from npm. ProblemError `engine-not-available`.
 */
export async function findRecordedEngine(
  record: RunRecord,
  { root, store, registry, code }: Workspace,
  sandbox: Sandbox,
  engineVersion: string,
  signal: AbortSignal,
): Promise<RecordedEngine> {
  const codeNow = (use: string): Digest | undefined => {
    const source = registry.names.includes(use) ? registry.find(use) : undefined;
    const found = source && code.of(source.module, source.use);
    return found && 'digest' in found ? found.digest : undefined;
  };
  const same = record.steps.every(({ use, fingerprint }) => {
    const now = codeNow(use);
    return fingerprint === null || now === undefined || now === fingerprint.code;
  });
  if (same && record.environment.engine === engineVersion) return null;
  const repository = findRepository(root);
  const carried = await ofCommit(record, repository, store, sandbox);
  if (carried !== null) return carried;
  const version = record.environment.engine;
  const integrity = await recordedIntegrity(record, root, repository, sandbox);
  const launcher = await engineFromNpm({ version, integrity, root, folder: sandbox.file('npm'), signal });
  return { program: [process.execPath, launcher], from: 'npm' };
}

async function ofCommit(
  { git }: RunRecord,
  repository: string | null,
  store: Workspace['store'],
  sandbox: Sandbox,
): Promise<RecordedEngine> {
  if (repository === null || !git?.commit) return null;
  const folder = sandbox.file('engine');
  const checkout = await openCheckout(repository, folder, sandbox.file('engine-index')).catch(() => null);
  const manifest = (await checkout?.read(git.commit, 'package.json')) ?? null;
  if (checkout === null || manifest === null || nameIn(manifest) !== packageName) return null;
  await checkout.write(git.commit);
  if (git.patch !== null) {
    const patch = sandbox.file('engine-patch');
    const flaw = await takeBlob(store, git.patch.digest, sandbox.folder, patch);
    if (flaw !== null || (await checkout.apply(patch)) !== null) return null;
  }
  const [then, now] = [join(folder, 'package-lock.json'), join(repository, 'package-lock.json')];
  const packages = join(repository, 'node_modules');
  if (!existsSync(then) || !existsSync(now) || !existsSync(packages)) return null;
  if (!readFileSync(then).equals(readFileSync(now))) return null;
  if (!existsSync(join(folder, 'node_modules')))
    symlinkSync(packages, join(folder, 'node_modules'), 'junction');
  return { program: [process.execPath, join(folder, 'bin', 'reprise.mjs')], from: 'commit' };
}

function nameIn(manifest: string): unknown {
  try {
    return (JSON.parse(manifest) as { name?: unknown } | null)?.name;
  } catch {
    return undefined;
  }
}

/**
 * What the lockfile that the run was made with says of the package of the engine: the one in the project if it is still
 * the same, else that of the commit. Null if neither is, or if it has no such package.
 */
async function recordedIntegrity(
  { environment, git }: RunRecord,
  root: string,
  repository: string | null,
  sandbox: Sandbox,
): Promise<string | null> {
  const { lockfile, engine } = environment;
  if (lockfile === null) return null;
  const path = join(root, lockfile.path);
  const known = (text: string | null) =>
    text !== null && digestOf(text) === lockfile.digest ? integrityIn(text, engine) : null;
  const now = existsSync(path) ? readFileSync(path, 'utf8') : null;
  if (now !== null && digestOf(now) === lockfile.digest) return known(now);
  if (repository === null || !git?.commit) return null;
  const checkout = await openCheckout(
    repository,
    sandbox.file('lockfile'),
    sandbox.file('lockfile-index'),
  ).catch(() => null);
  const inside = relative(repository, path).split(sep).join('/');
  return known((await checkout?.read(git.commit, inside)) ?? null);
}

/**
 * Runs a command of another engine in a folder, with this process' terminal; gives its exit code, 130 if it was interrupted.
 * When the signal aborts, the engine is told to stop and its orderly end is waited for; if this process ends at once, so
 * does the engine.
 *
 * @throws StepError `engine-crashed` if any other signal ended it
 */
export function callEngine(
  [name, ...rest]: readonly string[],
  args: readonly string[],
  { cwd, signal }: { cwd: string; signal: AbortSignal },
): Promise<number> {
  return new Promise((done, failed) => {
    if (signal.aborted) return done(130);
    const child = spawn(name!, [...rest, ...args], { cwd, stdio: 'inherit' });
    // A Ctrl-C in the terminal reaches the engine as well: it takes what comes this soon for the same.
    const stop = () => child.kill('SIGTERM');
    const end = () => child.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    process.on('exit', end);
    child.on('error', failed);
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop);
      process.off('exit', end);
      if (code !== null) done(code);
      else if (signal.aborted || killedBy === 'SIGINT' || killedBy === 'SIGTERM') done(130);
      else
        failed(
          new StepError(
            'engine-crashed',
            `the engine that made the run was ended by ${killedBy}`,
            'was it killed, or short of memory? Nothing is known of how the run comes out',
          ),
        );
    });
  });
}
