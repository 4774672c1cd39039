import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ProblemError } from '../problems.ts';

export const packageName = 'reprise';

/**
 * A version of the engine as npm has it: fetched into npm's own cache of programs, or there already. Gives its launcher,
 * which is run without npm, so that signals reach it.
 *
 * @param options.integrity what the project's lockfile said of the package, in the form of Subresource Integrity; null if
 * nothing is known. A package with another one is refused before anything of it runs.
 * @param options.folder a folder of our own that npm is called in; its `.npmrc` is that of the project
 * @throws ProblemError `engine-not-available`
 */
export async function engineFromNpm(options: {
  version: string;
  integrity: string | null;
  root: string;
  folder: string;
  signal: AbortSignal;
}): Promise<string> {
  const { version, integrity, root, folder, signal } = options;
  // A project of its own: what is installed in the user's project is of another version, or is what is running now.
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  if (existsSync(join(root, '.npmrc'))) symlinkSync(join(root, '.npmrc'), join(folder, '.npmrc'));
  const args = [
    // Scripts of packages would run before anything can be compared, and no package of the engine needs one.
    ...['exec', '--yes', '--ignore-scripts', '--no-audit', '--no-fund'],
    ...['--fetch-retries=1', '--fetch-retry-mintimeout=1000'],
    // npm puts the folder of the package's program first. Its own program is not started yet.
    ...[`--package=${packageName}@${version}`, '--', 'node', '-p', 'process.env.PATH'],
  ];
  try {
    const { stdout } = await promisify(execFile)('npm', args, {
      cwd: folder,
      encoding: 'utf8',
      signal,
      // A script, which Windows starts through its shell only; no argument has a space.
      shell: process.platform === 'win32',
    });
    const modules = stdout
      .trim()
      .split(delimiter)
      .map((bin) => join(bin, '..'))
      .find((place) => installed(place, version) !== undefined);
    if (modules === undefined) throw new Error('it installed no such version');
    const found = installed(modules, version)!;
    if (integrity !== null && found.integrity !== integrity)
      throw new Error(
        `its package is ${found.integrity ?? 'of unknown content'}, and the lockfile of the run has ${integrity}`,
      );
    return found.launcher;
  } catch (error) {
    if (signal.aborted) throw error;
    const { stderr = '', message } = error as Error & { stderr?: string };
    const reason = stderr.split('\n').find((line) => /npm (error|ERR!) (?!code)/.test(line));
    throw ProblemError.of(
      'engine-not-available',
      `the engine that made the run, ${packageName} ${version}, is not to be had: the recorded commit does not carry it with the packages installed here, and of npm: ${(reason ?? message.split('\n')[0]!).replace(/^npm (error|ERR!) /, '')}`,
      {
        hint: 'without --engine recorded it is reproduced with this engine, and the verdict says what that changes; nothing was run',
      },
    );
  }
}

/** The engine in a `node_modules`, if it is of this version. */
function installed(
  modules: string,
  version: string,
): { launcher: string; integrity: string | null } | undefined {
  const own = membersOf(join(modules, packageName, 'package.json'));
  if (own?.['version'] !== version) return undefined;
  const bin = own['bin'];
  const program =
    typeof bin === 'string' ? bin : ((bin as Record<string, string> | undefined)?.[packageName] ?? '');
  // npm's own list of what it installed there.
  const lock = readText(join(modules, '.package-lock.json'));
  return {
    launcher: join(modules, packageName, program),
    integrity: lock === null ? null : integrityIn(lock, version),
  };
}

/** What a `package-lock.json` says of this version of the engine; null if nothing. */
export function integrityIn(lockfile: string, version: string): string | null {
  try {
    const { packages } = JSON.parse(lockfile) as {
      packages?: Record<string, { version?: unknown; integrity?: unknown } | undefined>;
    };
    const entry = packages?.[`node_modules/${packageName}`];
    return entry?.version === version && typeof entry.integrity === 'string' ? entry.integrity : null;
  } catch {
    // A lockfile of another kind.
    return null;
  }
}

function membersOf(path: string): Record<string, unknown> | null {
  try {
    return JSON.parse(readText(path) ?? 'null') as Record<string, unknown> | null;
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
