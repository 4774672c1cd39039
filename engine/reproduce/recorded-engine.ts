import { spawn } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Digest } from '../digest.ts';
import { ProblemError } from '../problems.ts';
import { findRepository } from '../record/git.ts';
import type { RunRecord } from '../record/record.ts';
import type { Workspace } from '../workspace.ts';
import { openCheckout } from './checkout.ts';
import { takeBlob } from './restore.ts';
import type { Sandbox } from './sandbox.ts';

/** The engine that made a run, as a program to be called with a command; null for the one that asks. */
export type RecordedEngine = { program: string[]; from: 'commit' | 'npm' } | null;

const packageName = 'reprise';

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
  return (await ofCommit(record, repository, store, sandbox)) ?? (await ofNpm(record.environment.engine));
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

/** npm fetches the package, or has it; asking it for its version shows which. */
async function ofNpm(version: string): Promise<RecordedEngine> {
  const program = [
    ...['npm', 'exec', '--yes', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'],
    ...[`--package=${packageName}@${version}`, '--', packageName],
  ];
  const { execFile } = await import('node:child_process');
  const [name, ...rest] = program;
  try {
    const { stdout } = await promisify(execFile)(name!, [...rest, '--version'], { encoding: 'utf8' });
    if (stdout.trim().endsWith(version)) return { program, from: 'npm' };
    throw new Error(`it says that it is version ${stdout.trim()}`);
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const reason = stderr.split('\n').find((line) => /npm (error|ERR!) (?!code)/.test(line));
    throw ProblemError.of(
      'engine-not-available',
      `the engine that made the run, ${packageName} ${version}, is not to be had: the recorded commit does not carry it with the packages installed here, and npm says: ${(reason ?? message.split('\n')[0]!).replace(/^npm (error|ERR!) /, '')}`,
      {
        hint: 'without --engine recorded it is reproduced with this engine, and the verdict says what that changes; nothing was run',
      },
    );
  }
}

/** Runs a command of another engine in a folder, with this process' terminal; gives its exit code. */
export function callEngine(
  [name, ...rest]: readonly string[],
  args: readonly string[],
  { cwd, signal }: { cwd: string; signal: AbortSignal },
): Promise<number> {
  return new Promise((done, failed) => {
    const child = spawn(name!, [...rest, ...args], { cwd, stdio: 'inherit' });
    const stop = () => child.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    child.on('error', failed);
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop);
      done(code ?? 130);
    });
  });
}
