import { blobsOf } from '../artefacts.ts';
import type { StepOutcome } from '../events.ts';
import type { DamagedBlobError } from '../store/failures.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';
import type { PreparedStep } from './prepare.ts';
import type { RunState } from './run-state.ts';

/** Computes a step again, for those that wait for it, and makes its result durable; gives its new outcome. */
type Compute = (
  prepared: PreparedStep,
  reason: string,
  readers: ReadonlySet<ResolvedStep>,
) => Promise<Partial<StepOutcome>>;

/** Computes the steps again whose stored results turn out to be damaged when somebody reads them. */
export class Mending {
  readonly #state: RunState;
  readonly #compute: Compute;
  /** Under way, by step, with the steps that wait for it. */
  readonly #running = new Map<string, { done: Promise<void>; readers: Set<ResolvedStep> }>();

  constructor(state: RunState, compute: Compute) {
    this.#state = state;
    this.#compute = compute;
  }

  /** Computes the step that made a damaged blob again, unless that was done meanwhile. Throws the error if it cannot be. */
  async mend(reader: ResolvedStep, error: DamagedBlobError): Promise<void> {
    const { outcomes } = this.#state;
    const made = (outcome: StepOutcome | undefined) =>
      Object.values(outcome?.outputs ?? {}).some((output) =>
        blobsOf(output).some(({ digest }) => digest === error.digest),
      );
    // Other steps may have come to the same bytes: what the reader names comes first.
    const maker = reader.needs.map((id) => outcomes.get(id)).find(made) ?? [...outcomes.values()].find(made);
    if (maker?.status === 'ran') return;
    if (maker?.status !== 'cached') throw error;
    let running = this.#running.get(maker.id);
    if (running === undefined) {
      const readers = new Set<ResolvedStep>();
      const done = this.#computeAgain(maker.id, error, readers).finally(() => this.#running.delete(maker.id));
      running = { done, readers };
      this.#running.set(maker.id, running);
    }
    running.readers.add(reader);
    await running.done;
  }

  async #computeAgain(
    id: string,
    error: DamagedBlobError,
    readers: ReadonlySet<ResolvedStep>,
  ): Promise<void> {
    const state = this.#state;
    const step = state.step(id);
    state.emit({ type: 'cache-damaged', step: id, message: error.message });
    try {
      state.replace(step, await this.#compute(state.prepared.get(id)!, damageOf(error), readers));
    } catch (failure) {
      if (!state.isInterrupted(step)) state.takeBack(step, failure);
      throw error;
    }
  }
}

/** What is wrong with a stored result, as the reason of a step. */
export function damageOf({ reason }: DamagedBlobError): string {
  return `a stored output is ${reason === 'missing' ? 'missing' : 'damaged'}`;
}
