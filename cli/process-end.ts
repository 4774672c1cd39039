/** Signals that come this soon after the first are the same Ctrl-C: npm and the launcher pass it on as well. */
const sameKeyMs = 250;

let stop: AbortController | undefined;

/** Whether a signal was heard that a command had asked for. */
export function wasInterrupted(): boolean {
  return stop?.signal.aborted === true;
}

/**
 * A signal that Ctrl-C, SIGTERM or the closing of the terminal aborts, so that the command comes to an orderly end. The
 * second Ctrl-C ends the process at once. Until it is first asked for, they end the process as the system has it.
 */
export function interruptSignal(): AbortSignal {
  stop ??= listen();
  return stop.signal;
}

function listen(): AbortController {
  const stop = new AbortController();
  let first = 0;
  const interrupt = () => {
    const now = performance.now();
    if (!stop.signal.aborted) {
      first = now;
      stop.abort(new Error('interrupted'));
    } else if (now - first > sameKeyMs) endAtOnce();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // Without a terminal somebody may have asked, as `nohup` does, that nothing happens when the session ends.
  if (process.stderr.isTTY) process.on('SIGHUP', interrupt);
  return stop;
}

/**
 * By the signal itself, which shells show as 130: `process.exit` would wait for threads, and one that is ended inside
 * native code takes the process down with a message of its own.
 */
function endAtOnce(): void {
  // Programs that steps started end with the process by this event.
  process.emit('exit', 130);
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}

/**
 * Ends the process as soon as what was printed is out, whatever timers, connections or promises the code of steps left
 * behind.
 */
export function leave(code: number): void {
  process.exitCode = code;
  let open = 2;
  const closed = () => {
    if (--open === 0) process.exit(code);
  };
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength === 0 || stream.destroyed) closed();
    else stream.write('', closed);
  }
}
