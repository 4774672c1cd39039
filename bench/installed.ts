import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Installed {
  /** Absolute path of bin/reprise.mjs. */
  program: string;
  /** What it is: for the notes of a table. */
  what: string;
}

const root = join(import.meta.dirname, '..');

/**
 * The product as a user has it: the built package in a node_modules, which is how bin/reprise.mjs knows that it is no
 * checkout. A checkout that was not built is measured as it is, from source.
 */
function install(): Installed {
  const build = join(root, 'dist/cli/main.js');
  if (!existsSync(build)) return { program: join(root, 'bin/reprise.mjs'), what: 'from source' };
  const place = mkdtempSync(join(tmpdir(), 'reprise-installed-'));
  process.on('exit', () => rmSync(place, { recursive: true, force: true }));
  const folder = join(place, 'node_modules/reprise');
  mkdirSync(folder, { recursive: true });
  for (const path of ['bin', 'dist', 'schemas', 'package.json'])
    if (existsSync(join(root, path))) cpSync(join(root, path), join(folder, path), { recursive: true });
  // Nothing writes to these, so they need no copy.
  for (const path of ['models', 'node_modules']) symlinkSync(join(root, path), join(folder, path));
  return { program: join(folder, 'bin/reprise.mjs'), what: staleNote(statSync(build).mtimeMs) };
}

function staleNote(built: number): string {
  const newer = ['engine', 'steps', 'cli', 'models', 'numerics'].some((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).some(
      (file) =>
        file.endsWith('.ts') &&
        !file.endsWith('.test.ts') &&
        statSync(join(root, folder, file)).mtimeMs > built,
    ),
  );
  return newer ? 'built package, OLDER THAN ITS SOURCE: run npm run build' : 'built package';
}

export const installed: Installed = install();
