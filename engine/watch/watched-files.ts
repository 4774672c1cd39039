import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { FSWatcher } from 'chokidar';
import { failureOf } from '../execute/failure.ts';
import type { Interest } from './watch-set.ts';

export interface WatchedFilesOptions {
  /** Files whose bytes are others than they were: changed, new or gone. */
  onChange(paths: string[]): void;
  /** What keeps files from being watched, such as the system's limit of watches. */
  onProblem(message: string): void;
  now(): number;
}

/** What was last seen of a file; a file that is not there has no content. */
interface Seen {
  content: string | null;
  /** Size, times and inode when it was read; null if it could change again without these changing. */
  state: string | null;
}

/** A file changed this shortly before it was read may change again within the clock's grain, unseen. */
const grainMs = 50;
/** A file that is empty or gone is looked at once more after this time. */
const halfSaveMs = 30;
const emptyContent = createHash('sha256').digest('hex');
/** chokidar tells of a file every 50 ms at most: whoever must be up to date looks at what changed lately himself. */
const latelyMs = 200;

/**
 * The files of an `Interest`, watched by chokidar, of which only folder trees that can hold them are looked into.
 * chokidar says where to look; whether a file has changed its bytes decide.
 */
export class WatchedFiles {
  readonly #options: WatchedFilesOptions;
  #interest: Interest | null = null;
  #watcher: FSWatcher | null = null;
  readonly #seen = new Map<string, Seen>();
  /** When chokidar last spoke of a file. */
  readonly #spoken = new Map<string, number>();
  readonly #looks = new Map<string, Promise<void>>();
  /** Files to look at once more when the look under way is done. */
  readonly #again = new Set<string>();
  #following: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: WatchedFilesOptions) {
    this.#options = options;
  }

  get interest(): Interest | null {
    return this.#interest;
  }

  /** Resolves when everything that was asked for is watched. */
  get following(): Promise<void> {
    return this.#following;
  }

  /** How many files are watched that are there. */
  get count(): number {
    return [...this.#seen.values()].filter(({ content }) => content !== null).length;
  }

  /**
   * Watches other files from now on. What is first seen now is as it should be, unless it was changed at `since` or
   * later. Resolves when everything is watched.
   */
  follow(interest: Interest, since: number): Promise<void> {
    const same = this.#interest && JSON.stringify(this.#interest.set) === JSON.stringify(interest.set);
    if (same || this.#closed) return this.#following;
    this.#interest = interest;
    this.#following = this.#following.then(() => this.#replace(interest, since));
    return this.#following;
  }

  async #replace(interest: Interest, since: number): Promise<void> {
    if (this.#closed) return;
    const { watch } = await import('chokidar');
    for (const path of [...this.#seen.keys()]) if (!interest.wants(path)) this.#seen.delete(path);
    const first: Promise<void>[] = [];
    let ready = false;
    const watcher = watch(interest.tops, { ignored: (path) => !interest.watches(path) });
    watcher.on('all', (_, path) => {
      if (!interest.wants(path)) return;
      if (!ready && !this.#seen.has(path)) first.push(this.#firstLook(path, since));
      else this.#speak(path);
    });
    watcher.on('error', (error) => this.#options.onProblem(failureOf(error).message));
    await new Promise<void>((resolve) => watcher.once('ready', resolve));
    ready = true;
    await Promise.all(first);
    // What is named and not there will be new when it comes; what is there was found above, or has just come.
    for (const path of interest.files)
      if (!this.#seen.has(path)) this.#seen.set(path, { content: null, state: null });
    for (const path of this.#seen.keys()) this.#look(path);
    const before = this.#watcher;
    this.#watcher = watcher;
    await before?.close();
    if (this.#closed) await watcher.close();
  }

  /** Looks at everything that may have changed lately. */
  async catchUp(): Promise<void> {
    const recent = this.#options.now() - latelyMs;
    for (const [path, at] of this.#spoken) {
      if (at < recent) this.#spoken.delete(path);
      else this.#look(path);
    }
    await Promise.all(this.#looks.values());
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#watcher?.close();
  }

  #speak(path: string): void {
    this.#spoken.set(path, this.#options.now());
    this.#look(path);
  }

  async #firstLook(path: string, since: number): Promise<void> {
    this.#seen.set(path, { content: null, state: null });
    const seen = await read(path);
    const changed = statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0;
    this.#seen.set(path, seen);
    // The clock of a file system runs behind by some milliseconds.
    if (changed >= since - 20) this.#options.onChange([path]);
  }

  #look(path: string): void {
    if (this.#looks.has(path)) {
      this.#again.add(path);
      return;
    }
    const look = this.#compare(path).finally(() => {
      this.#looks.delete(path);
      if (this.#again.delete(path)) this.#look(path);
    });
    this.#looks.set(path, look);
  }

  async #compare(path: string): Promise<void> {
    const before = this.#seen.get(path);
    if (before?.state && before.state === stateOf(path)) return;
    let now = await read(path);
    if (before?.content && (now.content === null || now.content === emptyContent)) {
      // Half a save: a file is emptied, or gone, before it is written anew.
      await delay(halfSaveMs);
      now = await read(path);
    }
    if (this.#closed || !this.#interest?.wants(path)) return;
    this.#seen.set(path, now);
    if ((before?.content ?? null) !== now.content) this.#options.onChange([path]);
  }
}

function stateOf(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat?.isFile() ? `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}` : null;
}

async function read(path: string): Promise<Seen> {
  const state = stateOf(path);
  if (state === null) return { content: null, state: null };
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch {
    // Gone meanwhile, or not to be read: a step that needs it says so.
    return { content: null, state: null };
  }
  const changed = statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0;
  const settled = changed < Date.now() - grainMs && state === stateOf(path);
  return { content: hash.digest('hex'), state: settled ? state : null };
}
