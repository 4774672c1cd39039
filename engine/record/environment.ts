import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import type { Digest } from '../digest.ts';

/** The machine and programs that a run ran on. */
export interface EnvironmentRecord {
  /** Version of the engine. */
  engine: string;
  node: string;
  os: { type: string; release: string };
  arch: string;
  cpu: { model: string; count: number };
  /** Names of NVIDIA GPUs, where Linux lists them. */
  gpus: string[];
  memory_bytes: number;
  /** The lockfile that stands at the project's root or nearest above it. */
  lockfile: { path: string; digest: Digest } | null;
  /** Versions of the packages that the steps' code imports. */
  packages: Record<string, string>;
}

const lockfiles = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'deno.lock',
];

/**
 * Describes the machine. Costs about a millisecond.
 *
 * @param options.root absolute path of the project's root
 * @param options.engine version of the engine
 * @param options.packages versions of the packages in play, as fingerprints have them
 * @param options.digestOf digest of the lockfile
 */
export async function readEnvironment(options: {
  root: string;
  engine: string;
  packages: Record<string, string>;
  digestOf(path: string): Digest | Promise<Digest>;
}): Promise<EnvironmentRecord> {
  const cores = cpus();
  const lockfile = findLockfile(options.root);
  return {
    engine: options.engine,
    node: process.versions.node,
    os: { type: type(), release: release() },
    arch: arch(),
    cpu: { model: cores[0]?.model.trim() || 'unknown', count: cores.length },
    gpus: nvidiaGpus(),
    memory_bytes: totalmem(),
    lockfile: lockfile && { path: lockfile.name, digest: await options.digestOf(lockfile.path) },
    packages: Object.fromEntries(Object.entries(options.packages).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Upward as far as the repository reaches: a workspace has one lockfile for all its packages. */
function findLockfile(root: string): { name: string; path: string } | null {
  for (let folder = root, up = ''; ; folder = dirname(folder), up += '../') {
    for (const name of lockfiles) {
      const path = join(folder, name);
      if (existsSync(path)) return { name: up + name, path };
    }
    if (existsSync(join(folder, '.git')) || dirname(folder) === folder) return null;
  }
}

function nvidiaGpus(): string[] {
  const folder = '/proc/driver/nvidia/gpus';
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => {
    try {
      return /^Model:\s*(.*)$/m.exec(readFileSync(join(folder, name, 'information'), 'utf8'))?.[1] ?? name;
    } catch {
      return name;
    }
  });
}
