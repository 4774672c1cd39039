import type { Row } from '../../engine/artefacts.ts';
import type { Random } from '../../engine/step.ts';

/** Which rows are taken: `skip`, then `limit`, then `sample` of what those leave. */
export interface SelectionOptions {
  skip: number;
  limit?: number | undefined;
  /** Below 1: the chance of each row. From 1: the number of rows. */
  sample?: number | undefined;
}

/**
 * Chooses rows as they come. A sample of n rows is drawn by reservoir (Vitter's algorithm R, 1985), kept in memory and
 * given in the order of the file.
 */
export class Selection {
  readonly #options: SelectionOptions;
  readonly #random: Random | undefined;
  readonly #reservoir: { place: number; row: Row }[] = [];
  #offered = 0;
  #inRange = 0;

  constructor(options: SelectionOptions, random: () => Random) {
    this.#options = options;
    if (options.sample !== undefined) this.#random = random();
  }

  /** Whether no more rows can be taken. */
  get full(): boolean {
    return this.#options.limit !== undefined && this.#inRange >= this.#options.limit;
  }

  /** Whether to write this row now. */
  take(row: Row): boolean {
    if (this.#offered++ < this.#options.skip || this.full) return false;
    const place = this.#inRange++;
    const { sample } = this.#options;
    if (sample === undefined) return true;
    if (sample < 1) return this.#random!.next() < sample;
    // The rows of a reservoir outlive the block of text that they came from.
    if (place < sample) {
      this.#reservoir.push({ place, row: structuredClone(row) });
    } else {
      const victim = this.#random!.int(place + 1);
      if (victim < sample) this.#reservoir[victim] = { place, row: structuredClone(row) };
    }
    return false;
  }

  /** The rows of a sample of n, at the end. */
  rest(): Row[] {
    return this.#reservoir.sort((a, b) => a.place - b.place).map(({ row }) => row);
  }
}
