import { relative, sep } from 'node:path';
import type { RunEvent, StepStatus } from '../events.ts';
import type { LeftStep } from '../execute/wind-down.ts';
import { isInside } from '../inside.ts';
import type { ResolvedWorkflow } from '../workflow/resolved.ts';
import type { AttemptEnd, AttemptNews, AttemptRunner, RunningAttempt } from './attempt.ts';
import type { WatchEvent } from './events.ts';
import { LeftAttempts } from './left-attempts.ts';
import { type WatchAction, type WatchInput, WatchMachine, type Wish } from './machine.ts';
import { MetricHistory } from './metric-changes.ts';
import { Interest, mergedSets, type WatchSet } from './watch-set.ts';
import { WatchedFiles } from './watched-files.ts';

export interface WatchOptions {
  runner: AttemptRunner;
  /** Absolute path of the project's root. */
  root: string;
  listener(event: WatchEvent): void;
  now(): number;
}

/** How long a step that is stale has to come to its end, in milliseconds, and how long when the watch itself ends. */
const staleGraceMs = 3000;
const quitGraceMs = 500;

/** What is known of the attempt under way. */
interface Attempt {
  running: RunningAttempt;
  started: number;
  wish: Wish;
  /** Whether it has said what it reads: until then, any change makes it stale. */
  knowsReads: boolean;
  /** Its steps are done: nothing of it can be stale. */
  done: boolean;
  over: boolean;
  /** Ids of the steps that are done. */
  finished: Set<string>;
  /** Of steps with `for_each`, those that they stand for and that are not done. */
  open: Map<string, Set<string>>;
  run: string | null;
  steps: { [status in StepStatus]: number };
}

/** A watch: gives what happens to the state machine, and does what it says. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #machine = new WatchMachine();
  readonly #files: WatchedFiles;
  readonly #metrics = new MetricHistory();
  readonly #over = Promise.withResolvers<void>();
  #attempt: Attempt | null = null;
  readonly #left: LeftAttempts;
  #timer: NodeJS.Timeout | undefined;
  /** Told with `watching`. */
  #told = -1;
  /** What the workflow read when it had no problems. */
  #goodSet: WatchSet | null = null;
  #lastGood: ResolvedWorkflow | null = null;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#left = new LeftAttempts({
      graceMs: staleGraceMs,
      onHeld: (resources) => this.#attempt?.running.hold(resources),
    });
    this.#files = new WatchedFiles({
      onChange: (paths) => this.#changed(paths),
      onProblem: (message) => this.#tell({ type: 'watch-problem', time: options.now(), message }),
      now: options.now,
    });
  }

  /** Runs and watches until `quit`. */
  async run(): Promise<void> {
    this.#take({ type: 'start', at: this.#options.now() });
    await this.#over.promise;
    clearTimeout(this.#timer);
    await this.#left.ended;
    this.#options.runner.close();
    await this.#files.close();
    this.#tell({ type: 'watch-ended', time: this.#options.now() });
  }

  ask(wish: Wish): void {
    this.#take({ type: 'asked', at: this.#options.now(), wish });
  }

  quit(): void {
    this.#take({ type: 'quit' });
    // It may have been asked to end before, with more time.
    this.#attempt?.running.cancel(quitGraceMs);
    this.#left.cancel(quitGraceMs);
  }

  #take(input: WatchInput): void {
    for (const action of this.#machine.take(input)) this.#do(action);
  }

  #do(action: WatchAction): void {
    switch (action.type) {
      case 'attempt':
        clearTimeout(this.#timer);
        this.#begin(action);
        break;
      case 'cancel':
        this.#tell({
          type: 'attempt-cancelled',
          time: this.#options.now(),
          files: action.files.map((path) => this.#shown(path)),
        });
        if (action.cause !== 'saved') this.#attempt?.running.cancel(staleGraceMs);
        break;
      case 'wait':
        this.#wait(action.until);
        break;
      case 'over':
        this.#over.resolve();
    }
  }

  #wait(until: number): void {
    clearTimeout(this.#timer);
    const timer = setTimeout(
      async () => {
        // What was saved a moment ago and not told yet belongs to this attempt, not to the next.
        await this.#files.catchUp();
        if (this.#timer === timer) this.#take({ type: 'time-up', at: this.#options.now() });
      },
      Math.max(0, until - this.#options.now()),
    );
    this.#timer = timer;
  }

  #begin({ wish, cause, files, failures }: WatchAction & { type: 'attempt' }): void {
    const started = this.#options.now();
    const shown = files.map((path) => this.#shown(path));
    this.#tell({ type: 'attempt-started', time: started, wish, cause, files: shown });
    const data = files.some((path) => this.#files.interest?.isSource(path) !== true);
    // Who asks for a run wants all of it done anew.
    if (cause === 'asked' && wish !== 'plan') this.#left.cancel(staleGraceMs);
    const running = this.#options.runner.start(
      { wish, cause, failures, lastGood: data ? this.#lastGood : null, held: this.#left.held },
      (news) => this.#hear(attempt, news),
    );
    const attempt: Attempt = {
      running,
      started,
      wish,
      knowsReads: false,
      done: false,
      over: false,
      finished: new Set(),
      open: new Map(),
      run: null,
      steps: { ran: 0, cached: 0, skipped: 0, failed: 0, interrupted: 0 },
    };
    this.#attempt = attempt;
    void running.ended.then((end) => {
      if (!this.#left.ends(running)) void this.#ended(attempt, end);
    });
  }

  #hear(attempt: Attempt, news: AttemptNews): void {
    const time = this.#options.now();
    if (this.#left.hear(attempt.running, news)) return;
    switch (news.type) {
      case 'reads': {
        if (news.complete) this.#goodSet = news.set;
        const set = this.#goodSet && !news.complete ? mergedSets(this.#goodSet, news.set) : news.set;
        void this.#files.follow(new Interest(set), attempt.started);
        attempt.knowsReads = true;
        break;
      }
      case 'problems':
        this.#tell({ type: 'workflow-refused', time, problems: news.problems, last_good: news.lastGood });
        break;
      case 'planned':
        this.#tell({ type: 'attempt-planned', time, steps: news.steps });
        this.#left.keep(new Set(news.keys));
        break;
      case 'left':
        if (news.steps.length > 0) this.#leave(attempt, news.steps, news.workflow);
        break;
      case 'event':
        this.#note(attempt, news.event);
        this.#tell(news.event);
    }
  }

  /** What of an attempt is not stale goes on beside the next one. */
  #leave(attempt: Attempt, steps: readonly LeftStep[], workflow: ResolvedWorkflow): void {
    this.#left.add(attempt.running, steps);
    this.#tell({ type: 'attempt-left', time: this.#options.now(), steps: steps.map(({ id }) => id) });
    void this.#ended(attempt, {
      outcome: 'interrupted',
      failures: [],
      folder: null,
      pages: [],
      workflow,
      error: null,
    });
  }

  #note(attempt: Attempt, event: RunEvent): void {
    const { finished, open, steps } = attempt;
    if (event.type === 'run-started') attempt.run = event.run;
    if (event.type === 'run-finished') attempt.done = true;
    if (event.type === 'steps-added') open.set(event.step, new Set(event.steps.map(({ id }) => id)));
    if (event.type !== 'step-finished') return;
    const { outcome } = event;
    // A step that is damaged may finish twice.
    if (!finished.has(outcome.id)) steps[outcome.status]++;
    finished.add(outcome.id);
    for (const [id, others] of open) if (others.delete(outcome.id) && others.size === 0) finished.add(id);
    this.#metrics.note(outcome);
  }

  async #ended(attempt: Attempt, end: AttemptEnd): Promise<void> {
    attempt.over = true;
    if (end.workflow) this.#lastGood = end.workflow;
    // Whoever hears that it has ended may rely on being watched.
    await this.#files.following;
    this.#attempt = null;
    const time = this.#options.now();
    if (this.#files.count !== this.#told) {
      this.#told = this.#files.count;
      this.#tell({ type: 'watching', time, files: this.#told });
    }
    this.#tell({
      type: 'attempt-ended',
      time,
      outcome: end.outcome,
      duration_ms: time - attempt.started,
      run: attempt.run,
      steps: attempt.steps,
      metrics: end.outcome === 'interrupted' ? [] : this.#metrics.changes(),
      pages: end.pages,
      error: end.error,
    });
    this.#take({ type: 'ended', at: time, failures: end.failures });
  }

  #changed(paths: string[]): void {
    const { interest } = this.#files;
    const attempt = this.#attempt;
    const busy = attempt !== null && !attempt.over;
    const excuses = paths.some((path) => interest!.excuses(path));
    const staleBut = (done: ReadonlySet<string>) => paths.flatMap((path) => interest!.staleBy(path, done));
    const steps = staleBut(attempt?.finished ?? new Set());
    const source = paths.some((path) => interest!.isSource(path));
    const stale = busy && !attempt.done && (!attempt.knowsReads || source || steps.length > 0);
    this.#tell({
      type: 'files-saved',
      time: this.#options.now(),
      files: paths.map((path) => this.#shown(path)),
      leads_to: stale ? 'cancel' : busy ? 'attempt-later' : 'attempt',
    });
    // What counts in no key may have changed the work of any step.
    if (excuses) this.#left.cancel(staleGraceMs);
    else this.#left.stop(staleBut(new Set()));
    this.#take({ type: 'saved', at: this.#options.now(), files: paths, stale, excuses });
    if (!stale) return;
    if (excuses || !attempt.knowsReads) attempt.running.cancel(staleGraceMs);
    else attempt.running.windDown(steps, staleGraceMs);
  }

  #shown(path: string): string {
    const { root } = this.#options;
    return isInside(root, path) ? relative(root, path).split(sep).join('/') : path;
  }

  #tell(event: WatchEvent): void {
    this.#options.listener(event);
  }
}
