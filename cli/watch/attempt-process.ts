import { enableCompileCache } from 'node:module';
import { HeldElsewhere, type Resources } from '../../engine/execute/gates.ts';
import { WindDown } from '../../engine/execute/wind-down.ts';
import type { AttemptEnd, AttemptNews, AttemptRequest } from '../../engine/watch/attempt.ts';
import type { ResolvedWorkflow } from '../../engine/workflow/resolved.ts';
import type { Cli } from '../command.ts';
import type { WatchCall } from './attempt.ts';

/**
 * The process in which one attempt is made, and no other: so the code of step files, with all that it imports, is read
 * as it is now, in threads as well. It is started ahead of time, loads what every attempt needs, and waits.
 */

/** What the watch says to it. */
export type ToAttempt =
  /** What will be asked, so that it can be rehearsed. */
  | { type: 'prepare'; call: WatchCall; cwd: string }
  | { type: 'begin'; call: WatchCall; request: AttemptRequest; cwd: string }
  | { type: 'cancel' }
  /** Nothing more is to begin, and these steps are to stop. */
  | { type: 'wind-down'; stale: string[] }
  /** What others hold of the pools now. */
  | { type: 'hold'; resources: Resources };
/** What it says to the watch. */
export type FromAttempt = { type: 'news'; news: AttemptNews } | { type: 'ended'; end: AttemptEnd };

enableCompileCache();
const stop = new AbortController();
const windDown = new WindDown();
const held = new HeldElsewhere();
/** What is run, once it is known. */
let workflow: ResolvedWorkflow | null = null;
const send = (message: FromAttempt, sent?: () => void) =>
  void process.send!(message, undefined, undefined, sent);

process.on('message', (message: ToAttempt) => {
  if (message.type === 'cancel') stop.abort(new Error('interrupted'));
  else if (message.type === 'wind-down') void wind(message.stale);
  else if (message.type === 'hold') held.set(message.resources);
  else if (message.type === 'begin') void begin(message);
  else void prepare(message);
});
// A watch that was killed needs no result.
process.on('disconnect', () => {
  if (!begun) process.exit();
  stop.abort(new Error('interrupted'));
});
let begun = false;

/** Loads and compiles to machine code what an attempt needs, until there is one. */
async function prepare({ call, cwd }: ToAttempt & { type: 'prepare' }): Promise<void> {
  await loading;
  const { rehearse } = await import('./rehearse.ts');
  if (!begun) await rehearse(call, quietCli(cwd), () => begun);
}

/** Winds the run down; where there is none yet, there is nothing to go on. */
async function wind(stale: string[]): Promise<void> {
  const steps = await windDown.begin(stale);
  if (steps === null || workflow === null) stop.abort(new Error('interrupted'));
  else send({ type: 'news', news: { type: 'left', steps, workflow } });
}

async function begin({ call, request, cwd }: ToAttempt & { type: 'begin' }): Promise<void> {
  begun = true;
  held.set(request.held);
  // Waiting for the watch must not hide that a step waits for nothing at all; but steps wait for what it says of the pools.
  process.channel?.unref();
  held.onAwaited = (awaited) => (awaited ? process.channel?.ref() : process.channel?.unref());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => stop.abort(new Error('interrupted')));
  const { attempt } = await loading;
  const result = await attempt(call, request, quietCli(cwd), {
    tell: (news) => send({ type: 'news', news }),
    onWorkflow(resolved) {
      workflow = resolved;
    },
    windDown,
    held,
  });
  // Whatever timers or connections the code of steps left behind.
  if (process.connected) send({ type: 'ended', end: result }, () => process.exit());
  else process.exit();
}

/** The command line as an attempt sees it: it says what it has to say as news. */
function quietCli(cwd: string): Cli {
  return {
    cwd,
    env: process.env,
    out() {},
    async outAll() {},
    err: (text) => void process.stderr.write(text),
    terminal: { out: false, err: false },
    paint: (_, text) => text,
    columns: 100,
    signal: stop.signal,
  };
}

/** Everything that an attempt loads sooner or later, but for step types: what a person waits for is the work. */
async function load() {
  const [own] = await Promise.all([
    import('./attempt.ts'),
    import('../../engine/workflow/front-end.ts'),
    import('../../engine/execute/run-step.ts'),
    import('../../engine/execute/pool.ts'),
    import('../../engine/execute/guard.ts'),
    import('../../engine/workflow/schema-check.ts'),
    import('../../engine/workflow/yaml.ts'),
    import('p-queue'),
    import('../../engine/cel.ts').then(({ loadCel }) => loadCel()),
  ]);
  return own;
}
const loading = load();
