import type { Digest } from '../digest.ts';
import type { StepEntry } from '../store/step-index.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';
import type { Workspace } from '../workspace.ts';

/** So long a result waits for others to be synced with it; what a power failure may take. */
const groupMs = 10;

interface Waiting {
  step: ResolvedStep;
  result: { key: Digest; entry: StepEntry } | null;
  done(): void;
  failed(error: unknown): void;
}

/**
 * Makes results durable, in groups: the blobs of all steps that finished meanwhile are synced together, then the
 * index names them. So a hundred small steps cost a few syncs, not a hundred, and an index entry never points to a
 * blob that a power failure could take away.
 */
export class Publisher {
  readonly #workspace: Workspace;
  readonly #workflowPath: string;
  readonly #last: { [step: string]: Digest } = {};
  readonly #touched: Digest[] = [];
  #waiting: Waiting[] = [];
  #busy: Promise<void> | null = null;
  /** Ends the wait for more results. */
  #hurry: () => void = () => {};

  constructor(workspace: Workspace, workflowPath: string) {
    this.#workspace = workspace;
    this.#workflowPath = workflowPath;
  }

  /**
   * Resolves when the step's blobs are safe and, with a result, the index names them. An index that cannot be
   * written is told to `warn` and fails nothing; a blob that cannot be written is an error.
   */
  publish(step: ResolvedStep, result: Waiting['result'], warn: (message: string) => void): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ step, result, done, failed });
      this.#busy ??= this.#drain(warn);
    });
  }

  /** No more results come for now: those that wait are written at once. */
  hurry(): void {
    this.#hurry();
  }

  /** A hit: its recency is refreshed, and it is the step's last success. */
  used(step: ResolvedStep, key: Digest): void {
    this.#last[step.id] = key;
    this.#touched.push(key);
  }

  /** Writes what only speeds up later runs; if that fails, it is told to `warn`. */
  async flush(warn: (message: string) => void): Promise<void> {
    this.hurry();
    await this.#busy;
    const { steps, files } = this.#workspace;
    try {
      // What becomes the last result of its step is marked now, as its recency is no longer that of the one before.
      steps.touch(this.#touched, steps.setLast(this.#workflowPath, this.#last));
      files.flush();
    } catch (error) {
      warn(`the cache could not be brought up to date: ${(error as Error).message}`);
    }
  }

  async #drain(warn: (message: string) => void): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, groupMs);
        this.#hurry = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#workspace.store.sync();
      } catch (error) {
        for (const { failed } of group) failed(error);
        continue;
      }
      const entries = group.flatMap(({ result }) => (result === null ? [] : [result]));
      try {
        if (entries.length > 0) await this.#workspace.steps.setMany(entries);
        for (const { step, result } of group) if (result) this.#last[step.id] = result.key;
      } catch (error) {
        warn(`results could not be put into the cache: ${(error as Error).message}`);
      }
      for (const { done } of group) done();
    }
    this.#busy = null;
  }
}
