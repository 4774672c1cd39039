import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where bench/install-peers.sh puts things; REPRISE_BENCH_PEERS names another folder with the same layout. */
const peers = process.env['REPRISE_BENCH_PEERS'] ?? join(import.meta.dirname, '.work/peers');

/** A program of a Python engine: of ours, else of the PATH. */
export function pythonProgram(name: string): string {
  const own = join(peers, 'python/bin', name);
  return existsSync(own) ? own : name;
}

/** Folder of the npm engines, with its node_modules. */
export const npmFolder = join(peers, 'npm');

/** What a program says about its version: the first number with a dot in it. Null if the program is not there. */
export function versionOf(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: 'utf8' }, (error, output) => {
      resolve(error ? null : (/\d+(\.\d+)+/.exec(output)?.[0] ?? output.trim()));
    });
  });
}
