import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { digestOf, hexOf } from '../digest.ts';

/** A process on another machine that shares the folder counts as dead when it was silent for this long. */
export const silenceMs = 24 * 3_600_000;
/** How often a process says that it is alive. */
export const beatMs = 3_600_000;

/** This machine, in names of temporary folders. */
export const thisHost = hexOf(digestOf(hostname())).slice(0, 8);
/** Names of this process' own sessions: after a restart with the same process id, old names are not among them. */
const own = new Set<string>();

/**
 * A process at work in a store: the folder `<host>-<pid>-<random>` with its temporary files, and in `uses` the names
 * of the blobs that it relies on, which no other process' gc may remove. It goes away at the end; the folder of a
 * process that was killed is removed by a later one.
 */
export class Session {
  readonly folder: string;
  readonly #name: string;
  readonly #beat: NodeJS.Timeout;
  #files = 0;
  #uses: number | undefined;

  constructor(tmp: string) {
    this.#name = `${thisHost}-${process.pid}-${randomBytes(6).toString('hex')}`;
    this.folder = join(tmp, this.#name);
    own.add(this.#name);
    mkdirSync(this.folder, { recursive: true });
    this.#beat = setInterval(() => {
      try {
        const now = new Date();
        utimesSync(this.folder, now, now);
      } catch {
        // The folder was removed under us: the next write says so.
      }
    }, beatMs);
    this.#beat.unref();
  }

  /** A path for a new temporary file. */
  newFile(): string {
    this.#files++;
    return join(this.folder, String(this.#files));
  }

  /** Must be called before the blobs are looked at: then either gc sees the use, or we see that the blob is gone. */
  use(hexes: readonly string[]): void {
    if (hexes.length === 0) return;
    this.#uses ??= openSync(join(this.folder, 'uses'), 'a');
    writeSync(this.#uses, `${hexes.join('\n')}\n`);
  }

  end(): void {
    clearInterval(this.#beat);
    if (this.#uses !== undefined) closeSync(this.#uses);
    rmSync(this.folder, { recursive: true, force: true });
    own.delete(this.#name);
  }
}

function sessionsIn(tmp: string): string[] {
  try {
    return readdirSync(tmp);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function isAlive(tmp: string, name: string): boolean {
  const [theirHost, pid] = name.split('-');
  if (theirHost === thisHost && Number(pid) === process.pid) return own.has(name);
  if (theirHost === thisHost) return isProcessAlive(Number(pid));
  try {
    return Date.now() - statSync(join(tmp, name)).mtimeMs < silenceMs;
  } catch {
    return false;
  }
}

/** Whether a process of this machine runs. One of another user counts as running. */
export function isProcessAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A killed process whose parent has not taken notice, as in a container without an init process. */
function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    // pid (name) state …; the name may hold brackets.
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, ''));
  } catch {
    return false;
  }
}

/** Hex names of the blobs that running processes rely on. */
export function blobsInUse(tmp: string): Set<string> {
  const used = new Set<string>();
  for (const name of sessionsIn(tmp)) {
    if (!isAlive(tmp, name)) continue;
    let text: string;
    try {
      text = readFileSync(join(tmp, name, 'uses'), 'latin1');
    } catch {
      continue;
    }
    for (const hex of text.split('\n')) if (hex.length === 64) used.add(hex);
  }
  return used;
}

/** Removes what killed processes left behind; true if there was something. */
export function removeDeadSessions(tmp: string): boolean {
  const dead = sessionsIn(tmp).filter((name) => !isAlive(tmp, name));
  for (const name of dead) rmSync(join(tmp, name), { recursive: true, force: true });
  return dead.length > 0;
}
