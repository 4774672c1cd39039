import type { Metrics } from '../artefacts.ts';
import type { StepOutcome } from '../events.ts';

/** A metric that a run changed. */
export interface MetricChange {
  step: string;
  metric: string;
  before: number | string | boolean;
  after: number | string | boolean;
}

/** Remembers the metrics of steps from run to run. */
export class MetricHistory {
  /** As they were last told. */
  readonly #told = new Map<string, Metrics>();
  readonly #now = new Map<string, Metrics>();

  note({ id, status, metrics }: StepOutcome): void {
    if (status === 'ran' || status === 'cached') this.#now.set(id, metrics);
  }

  /** What is different since it was last asked. A metric that is new changed from nothing: it is not told. */
  changes(): MetricChange[] {
    const changes: MetricChange[] = [];
    for (const [step, metrics] of this.#now) {
      const before = this.#told.get(step) ?? {};
      for (const [metric, after] of Object.entries(metrics)) {
        const old = Object.hasOwn(before, metric) ? before[metric] : undefined;
        if (old !== undefined && old !== after) changes.push({ step, metric, before: old, after });
      }
      this.#told.set(step, metrics);
    }
    return changes;
  }
}
