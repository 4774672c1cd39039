import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { RunEvent } from '../events.ts';
import type { Redaction } from './redaction.ts';

/** Bytes held back at most, and for how long: what a SIGKILL may take. */
const bufferedBytes = 64 * 1024;
const bufferedMs = 100;
/** A log that has filled the disk gives so many bytes back: what is still to be written counts for more. */
const roomForTheRest = 512 * 1024;

/**
 * events.ndjson: a line for each event, with its time first. Lines are written whole; the last one of a run that was
 * killed may be torn, which `readEvents` knows.
 */
export class EventLog {
  readonly #path: string;
  readonly #redaction: Redaction;
  #file: number | undefined;
  #lines: string[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Where the last lines that were handed over together end, as far back as may be cut off. */
  #ends: number[] = [0];
  /** Why events are missing from the file; null while none is. */
  failure: string | null = null;

  constructor(path: string, redaction: Redaction) {
    this.#path = path;
    this.#redaction = redaction;
  }

  append(event: RunEvent): void {
    const { time, ...rest } = event;
    const line = `${JSON.stringify(this.#redaction.json({ time: new Date(time).toISOString(), ...rest }))}\n`;
    this.#lines.push(line);
    this.#bytes += line.length;
    // What was spent is known from nowhere else if the process is killed.
    if (this.#bytes >= bufferedBytes || event.type === 'step-asked') this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), bufferedMs).unref();
  }

  /** Hands what is held back to the operating system. A full disk fails no run: it is told by `failure`. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0 || this.failure !== null) return;
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#bytes = 0;
    try {
      this.#file ??= openSync(this.#path, 'a');
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
      const end = this.#ends.at(-1)! + bytes.length;
      this.#ends.push(end);
      while (this.#ends[1]! + roomForTheRest <= end) this.#ends.shift();
    } catch (error) {
      this.failure = `events could not be written: ${(error as Error).message}`;
      this.#makeRoom();
    }
  }

  /** Cuts off a torn line and, of a log that is long, its last lines. */
  #makeRoom(): void {
    if (this.#file === undefined) return;
    const end = this.#ends.at(-1)! >= 2 * roomForTheRest ? this.#ends[0]! : this.#ends.at(-1)!;
    try {
      if (fstatSync(this.#file).size > end) ftruncateSync(this.#file, end);
    } catch {
      // The log is what it is; why it is not whole has been said.
    }
  }

  close(): void {
    this.flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/**
 * The events of a run, in order. What is none is left out: a torn line, or what an editor or an archive put there.
 *
 * @param types only events of these types: of a long log the others need not be parsed
 */
export function readEvents(path: string, types?: readonly RunEvent['type'][]): RunEvent[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  // What stands behind the last line end was not written whole.
  lines.pop();
  const marks = types?.map((type) => `"type":"${type}"`);
  return lines.flatMap((line) => {
    if (marks && !marks.some((mark) => line.includes(mark))) return [];
    try {
      const { time, ...rest } = JSON.parse(line) as { time: string; type?: unknown };
      const event = { time: Date.parse(time), ...rest } as RunEvent;
      const isWanted = types?.includes(event.type) ?? typeof rest.type === 'string';
      return isWanted && !Number.isNaN(event.time) ? [event] : [];
    } catch {
      return [];
    }
  });
}
