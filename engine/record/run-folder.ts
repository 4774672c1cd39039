import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StepError } from '../problems.ts';
import { storeFailure } from '../store/failures.ts';
import { beatMs, isProcessAlive, silenceMs } from '../store/session.ts';
import { EventLog } from './event-log.ts';
import { type RunProcess, type RunRecord, serializeRecord } from './record.ts';
import { Redaction } from './redaction.ts';

/** `runs/<id>/`, made when a run starts. */
export class RunFolder {
  readonly id: string;
  /** Absolute path. */
  readonly path: string;
  readonly events: EventLog;
  readonly #redaction: Redaction;
  #beat: NodeJS.Timeout | undefined;

  private constructor(id: string, path: string, redaction: Redaction) {
    this.id = id;
    this.path = path;
    this.#redaction = redaction;
    this.events = new EventLog(join(path, 'events.ndjson'), redaction);
  }

  /**
   * Makes the folder of a new run under a name that no other run has, in whichever process.
   *
   * @param options.runsFolder absolute path of `runs/`, made if it is not there
   * @param options.workflow name of the workflow
   */
  static create(options: {
    runsFolder: string;
    workflow: string;
    now: Date;
    redaction?: Redaction;
  }): RunFolder {
    const { runsFolder, workflow, now, redaction = new Redaction() } = options;
    try {
      mkdirSync(runsFolder, { recursive: true });
      for (let attempt = 0; ; attempt++) {
        const id = newRunId(workflow, now);
        const path = join(runsFolder, id);
        try {
          mkdirSync(path);
          return new RunFolder(id, path, redaction);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 1000) throw error;
        }
      }
    } catch (error) {
      throw runsFailure(error, runsFolder);
    }
  }

  /**
   * Writes run.json at one stroke: whoever reads it sees the text before or the text after. With `durable` it also
   * survives a power failure: for the end of a run, not for its start. Until the run has ended the file is touched every
   * hour, by which other machines see that it goes on.
   */
  write(record: RunRecord, { durable }: { durable: boolean }): void {
    const path = join(this.path, 'run.json');
    const draft = `${path}.tmp`;
    clearInterval(this.#beat);
    if (record.status === 'running') this.#beat = setInterval(() => touch(path), beatMs).unref();
    const bytes = Buffer.from(serializeRecord(record, this.#redaction));
    try {
      const file = openSync(draft, 'w');
      try {
        for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
        if (durable) fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(draft, path);
    } catch (error) {
      rmSync(draft, { force: true });
      // The record holds what the run came to: a run whose record cannot be written has failed.
      throw runsFailure(error, this.path);
    }
  }
}

/** `20261121-091502-support_topics-3f9a` */
export function newRunId(workflow: string, now: Date): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const name =
    workflow
      .toLowerCase()
      .replace(/[^a-z0-9_]+/g, '_')
      .replace(/^_+|_+$/g, '')
      .slice(0, 60) || 'run';
  return `${time}-${name}-${randomBytes(2).toString('hex')}`;
}

/** This process, as `run.json` has it. */
export function thisProcess(): RunProcess {
  return { pid: process.pid, host: hostname(), start: processStart(process.pid) };
}

/**
 * Whether the process of a run may still be at work. One of this machine is looked for; one of another machine counts
 * as gone when the run's record was not touched for a day.
 *
 * @param runFolder absolute path of `runs/<id>`
 */
export function mayBeAlive({ pid, host, start }: RunProcess, runFolder: string): boolean {
  if (host !== hostname()) {
    const record = statSync(join(runFolder, 'run.json'), { throwIfNoEntry: false });
    return record !== undefined && Date.now() - record.mtimeMs < silenceMs;
  }
  if (!isProcessAlive(pid)) return false;
  const now = processStart(pid);
  return start === null || now === null || start === now;
}

function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // The run was removed, or its disk is gone: the end of the run says so.
  }
}

/** Ticks since boot when a process started: field 22 of `/proc/<pid>/stat` (proc(5)); the name before may hold anything. */
function processStart(pid: number): string | null {
  if (process.platform !== 'linux') return null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** A record or its folder cannot be written: nothing that another store could help. */
function runsFailure(error: unknown, folder: string): unknown {
  const failure = storeFailure(error, folder);
  if (!(failure instanceof StepError)) return failure;
  const hint =
    failure.code === 'disk-full'
      ? 'free some space, with `reprise cache gc` for one, and run again: what is done stays done'
      : 'every run writes its record there: make the folder writable for this user';
  return new StepError(failure.code, failure.message, hint);
}
