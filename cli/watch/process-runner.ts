import { type ChildProcess, fork } from 'node:child_process';
import { extname, join } from 'node:path';
import type {
  AttemptEnd,
  AttemptNews,
  AttemptRequest,
  AttemptRunner,
  RunningAttempt,
} from '../../engine/watch/attempt.ts';
import type { WatchCall } from './attempt.ts';
import type { FromAttempt, ToAttempt } from './attempt-process.ts';

/** A started attempt is left alone for this long before the process of the next one is started beside it. */
const aheadMs = 1000;

/** Makes every attempt in a process of its own, which was started ahead of time. */
export class ProcessRunner implements AttemptRunner {
  readonly #call: WatchCall;
  readonly #cwd: string;
  #ahead: ChildProcess | null = null;
  #closed = false;

  constructor(call: WatchCall, cwd: string) {
    this.#call = call;
    this.#cwd = cwd;
  }

  start(request: AttemptRequest, hear: (news: AttemptNews) => void): RunningAttempt {
    const child = this.#ahead ?? this.#startProcess();
    this.#ahead = null;
    const later = setTimeout(() => this.#startAhead(), aheadMs);
    const { promise: ended, resolve } = Promise.withResolvers<AttemptEnd>();
    let end: AttemptEnd | null = null;
    let cancelled = false;
    let wound = false;
    let killer: NodeJS.Timeout | undefined;
    child.on('message', (message: FromAttempt) => {
      if (message.type === 'news') {
        // What was to stop has stopped: what it does now, and be it to write down its end, takes its time.
        if (message.news.type === 'left' && !cancelled) clearTimeout(killer);
        hear(message.news);
      } else end = message.end;
    });
    child.once('exit', (code, signal) => {
      clearTimeout(later);
      clearTimeout(killer);
      this.#startAhead();
      resolve(end ?? lost(cancelled || wound, code, signal));
    });
    const begin: ToAttempt = { type: 'begin', call: this.#call, request, cwd: this.#cwd };
    child.send(begin);
    const tell = (message: ToAttempt) => {
      // It may have ended meanwhile.
      if (child.connected) child.send(message, () => {});
    };
    const killAfter = (graceMs: number) => {
      clearTimeout(killer);
      killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    };
    return {
      ended,
      cancel(graceMs) {
        if (!cancelled) tell({ type: 'cancel' });
        cancelled = true;
        killAfter(graceMs);
      },
      windDown(stale, graceMs) {
        tell({ type: 'wind-down', stale: [...stale] });
        wound = true;
        if (!cancelled) killAfter(graceMs);
      },
      hold: (resources) => tell({ type: 'hold', resources }),
    };
  }

  close(): void {
    this.#closed = true;
    this.#ahead?.kill('SIGKILL');
  }

  #startAhead(): void {
    if (this.#closed || this.#ahead) return;
    const child = this.#startProcess();
    this.#ahead = child;
    child.once('exit', () => {
      if (this.#ahead === child) this.#ahead = null;
    });
    const prepare: ToAttempt = { type: 'prepare', call: this.#call, cwd: this.#cwd };
    child.send(prepare, () => {});
  }

  #startProcess(): ChildProcess {
    const file = join(import.meta.dirname, `attempt-process${extname(import.meta.filename)}`);
    // Results of a watch are its events: nothing that a step's code writes past them may come between.
    const child = fork(file, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'json' });
    // What is sent to a process that is just ending is of no use to it.
    child.on('error', () => {});
    return child;
  }
}

function lost(cancelled: boolean, code: number | null, signal: NodeJS.Signals | null): AttemptEnd {
  return {
    outcome: cancelled ? 'interrupted' : 'crashed',
    failures: [],
    folder: null,
    pages: [],
    workflow: null,
    error: cancelled
      ? null
      : {
          message: `the process of the run ended ${signal === null ? `with code ${code}` : `by ${signal}`}`,
          hint: 'was it killed, or short of memory? What is done stays done',
        },
  };
}
