import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PrecomputedCode } from '../engine/fingerprint/code.ts';

/** Folder of the package itself: above `cli/` in a checkout, above `dist/` when installed. */
export const packageRoot = findRoot(import.meta.dirname);

let version: string | undefined;

export function packageVersion(): string {
  version ??= (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string })
    .version;
  return version;
}

function findRoot(folder: string): string {
  let root = folder;
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  return root;
}

/** Digests of the built-in step types' code, made when the package was built; undefined in a checkout. */
export function builtCode(): PrecomputedCode | undefined {
  if (import.meta.filename.endsWith('.ts')) return undefined;
  return JSON.parse(readFileSync(join(packageRoot, 'dist', 'code.json'), 'utf8')) as PrecomputedCode;
}
