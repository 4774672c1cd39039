import { type ChildProcess, fork } from 'node:child_process';
import { type ProgramEnd, type ProgramOptions, runProgram } from './program.ts';

/** To launcher-process.ts: start a program, or stop it. */
export type Order =
  | { id: number; start: { run: readonly string[] | string; cwd: string; env: Record<string, string> } }
  | { id: number; stop: true };

/** From launcher-process.ts. */
export type Report =
  | { ready: true }
  | { id: number; pid: number }
  | { id: number; lines: string[] }
  | { id: number; end: ProgramEnd }
  | { id: number; error: { code: string | undefined; message: string } };

/**
 * A small process that starts programs for this one. A start is a fork, and a fork of a process of some 200 MB costs it
 * milliseconds: its page tables are copied, then each page that it writes to. And when this process is killed
 * outright, the small one sees that and takes the programs along.
 */
export class Launcher {
  ready = false;
  /** Fulfilled when it can take programs; rejected when it is lost before. */
  readonly isReady: Promise<void>;
  readonly #child: ChildProcess;
  readonly #running = new Map<
    number,
    { options: ProgramOptions; pid?: number; resolve(end: ProgramEnd): void; reject(reason: unknown): void }
  >();
  readonly #started = Promise.withResolvers<void>();
  #count = 0;

  constructor(onLost: () => void) {
    const file = import.meta.url.endsWith('.ts') ? './launcher-process.ts' : './launcher-process.js';
    // In a session of its own, so that a Ctrl-C in the terminal does not reach it.
    this.#child = fork(new URL(file, import.meta.url), {
      detached: true,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child.on('message', (report: Report) => this.#hear(report));
    this.isReady = this.#started.promise;
    this.isReady.catch(() => {}); // most do not wait for it
    const lost = () => {
      this.ready = false;
      onLost();
      this.#started.reject(new Error('the process that starts programs was lost'));
      for (const { pid, reject } of this.#running.values()) {
        if (pid !== undefined) killGroup(pid);
        reject(new Error('the process that starts programs was lost'));
      }
      this.#running.clear();
    };
    this.#child.on('error', lost);
    this.#child.on('exit', lost);
    this.#release();
  }

  run(options: ProgramOptions): Promise<ProgramEnd> {
    const { run, cwd, env, signal } = options;
    signal.throwIfAborted();
    const id = this.#count++;
    const stop = () => this.#order({ id, stop: true });
    signal.addEventListener('abort', stop, { once: true });
    const ended = new Promise<ProgramEnd>((resolve, reject) => {
      this.#running.set(id, { options, resolve, reject });
      this.#child.channel?.ref();
      this.#order({ id, start: { run, cwd, env } });
    });
    return ended.finally(() => signal.removeEventListener('abort', stop));
  }

  /** Ends it, and what it runs. */
  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #order(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => {}); // if it cannot be sent, `exit` follows
  }

  #hear(report: Report): void {
    if ('ready' in report) {
      this.ready = true;
      this.#started.resolve();
      return;
    }
    const program = this.#running.get(report.id);
    if (!program) return;
    if ('pid' in report) {
      program.pid = report.pid;
      return;
    }
    if ('lines' in report) {
      program.options.onLines(report.lines);
      return;
    }
    this.#running.delete(report.id);
    if (this.#running.size === 0) this.#release();
    const { signal } = program.options;
    if (signal.aborted) program.reject(signal.reason);
    else if ('end' in report) program.resolve(report.end);
    else program.reject(Object.assign(new Error(report.error.message), { code: report.error.code }));
  }

  /** Lets this process end: it does not wait for a launcher that has nothing to do. */
  #release(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

let launcher: Launcher | undefined;
let count = 0;

/** Starting the small process costs as much as it spares over so many programs. */
const worthwhile = 100;

/** As `runProgram`. When many programs are run it is a small process that starts them; see `Launcher`. */
export function launch(options: ProgramOptions): Promise<ProgramEnd> {
  if (launcher?.ready) return launcher.run(options);
  if (++count === worthwhile && process.platform !== 'win32') {
    launcher = new Launcher(() => {
      launcher = undefined;
    });
  }
  return runProgram(options);
}
