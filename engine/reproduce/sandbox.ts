import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isProcessAlive, thisHost } from '../store/session.ts';

/** A temporary folder apart from the project, in which a run is restored and done again. Dispose it at the end. */
export interface Sandbox extends Disposable {
  /** Absolute path; everything lies below it. */
  readonly folder: string;
  /** A path in it for a file of its own, which is not part of what is restored. */
  file(name: string): string;
}

const prefix = 'reprise-reproduce-';

/** Makes the folder, and removes those of processes that were killed. */
export function openSandbox(parent = resolve(tmpdir())): Sandbox {
  removeDead(parent);
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `${prefix}${thisHost}-${process.pid}-`));
  return {
    folder,
    file: (name) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function removeDead(parent: string): void {
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch {
    return;
  }
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const [host, pid] = name.slice(prefix.length).split('-');
    if (host !== thisHost || isProcessAlive(Number(pid))) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Somebody else's: theirs to remove.
    }
  }
}
