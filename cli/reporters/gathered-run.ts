import type { RunEvent, RunStatus, StepOutcome } from '../../engine/events.ts';

/** What a run's events came to, for reporters that tell of it when it is over. Times are milliseconds since the epoch. */
export interface GatheredRun {
  run: string;
  workflow: string;
  started: number;
  finished: number;
  status: RunStatus;
  /** Those that were decided on, in the workflow's order; the instances of `for_each` in place of their step. */
  steps: GatheredStep[];
  /** What concerns the run rather than a step. */
  notes: Note[];
}

export interface GatheredStep {
  id: string;
  needs: string[];
  started: number;
  finished: number;
  outcome: StepOutcome;
  /** What happened meanwhile: attempts that failed, warnings, waiting. */
  notes: Note[];
}

/** Something worth telling that happened at a moment. */
export interface Note {
  time: number;
  kind: 'retry' | 'warning' | 'waiting' | 'cache-damaged';
  message: string;
}

interface Step {
  id: string;
  needs: string[];
  started: number | null;
  finished: number | null;
  outcome: StepOutcome | null;
  notes: Note[];
}

/** Listens to one run. */
export class RunGatherer {
  #head: { run: string; workflow: string; started: number } | null = null;
  #end: { finished: number; status: RunStatus } | null = null;
  #steps = new Map<string, Step>();
  readonly #notes: Note[] = [];

  /** The run as far as it was heard of; null before it exists. One whose end was not heard has failed. */
  get run(): GatheredRun | null {
    if (this.#head === null) return null;
    const steps = [...this.#steps.values()].flatMap(({ started, finished, outcome, ...step }) =>
      outcome === null || finished === null
        ? []
        : [{ ...step, started: started ?? finished - outcome.duration_ms, finished, outcome }],
    );
    const latest = Math.max(this.#head.started, ...steps.map(({ finished }) => finished));
    return {
      ...this.#head,
      ...(this.#end ?? { finished: latest, status: 'failed' }),
      steps,
      notes: this.#notes,
    };
  }

  readonly on = (event: RunEvent): void => {
    const { time } = event;
    switch (event.type) {
      case 'run-started':
        this.#head = { run: event.run, workflow: event.workflow, started: time };
        this.#steps = new Map(event.steps.map((step) => [step.id, unstarted(step)]));
        break;
      case 'steps-added':
        this.#steps = new Map(
          [...this.#steps].flatMap(([id, step]): [string, Step][] =>
            id === event.step ? event.steps.map((added) => [added.id, unstarted(added)]) : [[id, step]],
          ),
        );
        break;
      case 'step-started':
        this.#with(event.step, (step) => {
          step.started ??= time;
        });
        break;
      case 'step-waiting':
        this.#note(event.step, { time, kind: 'waiting', message: `${event.holder} does the same work` });
        break;
      case 'step-held':
        this.#note(event.step, { time, kind: 'waiting', message: `for room in ${event.pools.join(', ')}` });
        break;
      case 'step-retry':
        this.#note(event.step, { time, kind: 'retry', message: event.message });
        break;
      case 'cache-damaged':
        this.#note(event.step, { time, kind: 'cache-damaged', message: event.message });
        break;
      case 'run-warning':
        this.#note(null, { time, kind: 'warning', message: event.message });
        break;
      case 'step-finished':
        this.#with(event.step, (step) => {
          // An outcome may be replaced later, when its result was lost; the work ended when it ended.
          step.finished ??= time;
          step.outcome = event.outcome;
        });
        break;
      case 'run-finished':
        this.#end = { finished: time, status: event.status };
        break;
    }
  };

  #with(id: string, change: (step: Step) => void): void {
    const step = this.#steps.get(id);
    if (step) change(step);
  }

  #note(id: string | null, note: Note): void {
    const step = id === null ? undefined : this.#steps.get(id);
    (step?.notes ?? this.#notes).push(note);
  }
}

function unstarted({ id, needs }: { id: string; needs: string[] }): Step {
  return { id, needs, started: null, finished: null, outcome: null, notes: [] };
}
