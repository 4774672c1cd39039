import {
  type ChildProcess,
  execFile,
  type SpawnOptionsWithStdioTuple,
  type StdioNull,
  type StdioPipe,
  spawn,
} from 'node:child_process';

/** How a program ended. */
export interface ProgramEnd {
  /** Null if a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines of standard error; of standard output if it wrote no errors. */
  lastLines: string[];
}

export interface ProgramOptions {
  /** The program and its arguments, or one line for the shell. */
  run: readonly string[] | string;
  cwd: string;
  env: Record<string, string>;
  signal: AbortSignal;
  /** Hears what the program prints, on both of its outputs, some lines at a time. */
  onLines(lines: string[]): void;
  /** Hears the program's process id, which is that of its group too. */
  onStart?(pid: number): void;
}

/** Time that a program has to tidy up after SIGTERM; the engine leaves a cancelled step behind after a second. */
const graceMs = 800;
/** Time that what the program left running in the background has to finish what it writes. */
const lingerMs = 1000;
const keptLines = 20;
/** A longer line is cut: what a program prints goes into the run's events. */
const longestLine = 8192;

const windows = process.platform === 'win32';

/** Programs running now. They do not outlive this process. */
const running = new Set<ChildProcess>();
let watchingExit = false;

/**
 * Runs a program to its end, in a process group of its own. When `signal` is aborted the whole group gets SIGTERM, then
 * SIGKILL, and the promise is rejected with the signal's reason. What is left of the group when the program has ended
 * is killed too. Rejects with the system's error if the program cannot be started.
 */
export function runProgram({ run, cwd, env, signal, onLines, onStart }: ProgramOptions): Promise<ProgramEnd> {
  signal.throwIfAborted();
  if (!watchingExit) {
    watchingExit = true;
    process.on('exit', () => {
      for (const child of running) killTree(child, 'SIGKILL');
    });
  }
  return new Promise((resolve, reject) => {
    const options: SpawnOptionsWithStdioTuple<StdioNull, StdioPipe, StdioPipe> = {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: !windows,
      windowsHide: true,
    };
    const child =
      typeof run === 'string'
        ? spawn(run, [], { ...options, shell: true })
        : spawn(run[0]!, run.slice(1), options);
    running.add(child);
    if (child.pid !== undefined) onStart?.(child.pid);

    const output = new LastLines(onLines);
    const errors = new LastLines(onLines);
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));

    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      killTree(child, 'SIGTERM');
      timer ??= setTimeout(() => killTree(child, 'SIGKILL'), graceMs);
    };
    signal.addEventListener('abort', stop, { once: true });
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      running.delete(child);
    };
    child.on('error', (error) => {
      if (child.pid !== undefined) return; // a signal could not be sent; the end is still to come
      finish();
      reject(error);
    });
    child.on('exit', () => {
      timer ??= setTimeout(() => {
        killTree(child, 'SIGKILL');
        child.stdout.destroy();
        child.stderr.destroy();
      }, lingerMs);
    });
    child.on('close', (code, by) => {
      killTree(child, 'SIGKILL');
      finish();
      output.end();
      errors.end();
      if (signal.aborted) reject(signal.reason);
      else resolve({ code, signal: by, lastLines: errors.last.length > 0 ? errors.last : output.last });
    });
  });
}

/** Sends a signal to a program and all that it started. */
function killTree(child: ChildProcess, signal: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (windows) {
    if (child.exitCode === null) execFile('taskkill', ['/pid', String(pid), '/t', '/f'], () => {});
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') child.kill(signal);
  }
}

/** Cuts a stream of text into lines, hands them on and remembers the last ones. */
class LastLines {
  readonly last: string[] = [];
  readonly #onLines: (lines: string[]) => void;
  #rest = '';
  /** The beginning of an overlong line was handed on; what follows up to its end is not. */
  #skipping = false;

  constructor(onLines: (lines: string[]) => void) {
    this.#onLines = onLines;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    if (this.#skipping && lines.length > 0) {
      lines.shift();
      this.#skipping = false;
    }
    if (this.#rest.length > longestLine) {
      if (!this.#skipping) lines.push(this.#rest);
      this.#rest = '';
      this.#skipping = true;
    }
    this.#add(lines);
  }

  end(): void {
    if (!this.#skipping) this.#add([this.#rest]);
    this.#rest = '';
  }

  #add(lines: string[]): void {
    const shown: string[] = [];
    for (const raw of lines) {
      // A progress bar writes over its line: what stands at the end counts.
      const line = raw.replace(/\r$/, '').replace(/^.*\r/s, '');
      if (line !== '') shown.push(line.length > longestLine ? `${line.slice(0, longestLine)}…` : line);
    }
    if (shown.length === 0) return;
    this.last.push(...shown.slice(-keptLines));
    this.last.splice(0, this.last.length - keptLines);
    this.#onLines(shown);
  }
}
