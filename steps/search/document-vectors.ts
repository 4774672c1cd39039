import type { Matrix, MatrixInput } from '../../engine/step.ts';
import { exactSearchInParts, mergeNearest } from '../../numerics/exact-search.ts';
import { type IvfFound, type IvfSearchTask, moduleUrl as ivfUrl } from '../../numerics/ivf-search.ts';
import { type ExpansionOptions, expandedVectors } from '../../numerics/query-expansion.ts';
import type { Ranked } from '../../numerics/ranking.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import type { Workers } from '../../numerics/workers.ts';
import { requireFinite } from '../finite-vectors.ts';

/** From so many documents and comparisons on, an inverted file is faster than comparing all. */
const leastDocuments = 50_000;
const leastComparisons = 1e9;
/** Vectors of more bytes are not held in memory but read again for each search. */
const mostHeldBytes = 384 * 2 ** 20;
/** The lists are the same in every run: what is random about them is no one's choice. */
const seed = 1;

export interface IndexOptions {
  index: 'auto' | 'exact' | 'ivf';
  n_probe?: number | undefined;
  recall: number;
}

/** Vectors of the documents that are searched: in memory, or block by block from the disk if there are too many. */
export class DocumentVectors {
  readonly rows: number;
  readonly #held: Matrix | null;
  readonly #input: MatrixInput;
  readonly #places: readonly number[] | null;
  readonly #workers: Workers;

  private constructor(
    input: MatrixInput,
    places: readonly number[] | null,
    held: Matrix | null,
    workers: Workers,
  ) {
    this.rows = places?.length ?? input.rows;
    this.#held = held;
    this.#input = input;
    this.#places = places;
    this.#workers = workers;
  }

  /** `places`: rows of the input that are searched, ascending; null for all. */
  static async open(
    input: MatrixInput,
    places: readonly number[] | null,
    workers: Workers,
    heldBytes = mostHeldBytes,
  ): Promise<DocumentVectors> {
    if (input.rows * input.columns * Float32Array.BYTES_PER_ELEMENT > heldBytes)
      return new DocumentVectors(input, places, null, workers);
    const all = await input.read();
    requireFinite(all);
    return new DocumentVectors(input, places, places === null ? all : gatherRows(all, places), workers);
  }

  get isHeld(): boolean {
    return this.#held !== null;
  }

  /** Documents, by their number among those searched, with the greatest cosine for each query. */
  async nearest(
    queries: Matrix,
    k: number,
    options: IndexOptions,
  ): Promise<{ found: Ranked[][]; ivf?: IvfFound }> {
    const { index, n_probe: probes, recall } = options;
    const many = this.rows >= leastDocuments && this.rows * queries.rows >= leastComparisons;
    if (this.#held === null) return { found: await this.#nearestInBlocks(queries, k) };
    const task = { queries, documents: this.#held, k };
    if (index === 'exact' || (index === 'auto' && !many))
      return { found: await exactSearchInParts(task, this.#workers) };
    const ivf = await this.#workers.run<IvfSearchTask, IvfFound>(ivfUrl, 'ivfSearch', {
      ...task,
      ...(probes !== undefined && { probes }),
      recall,
      seed,
    });
    return { found: ivf.found, ivf };
  }

  async #nearestInBlocks(queries: Matrix, k: number): Promise<Ranked[][]> {
    let found: Ranked[][] = Array.from({ length: queries.rows }, () => []);
    for await (const { documents, first } of this.#blocks()) {
      const task = { queries, documents, k };
      const more = await exactSearchInParts(task, this.#workers);
      found = mergeNearest(found, more, first, k);
    }
    return found;
  }

  /** The queries with the mean of the first documents found for them. */
  async expanded(queries: Matrix, found: readonly Ranked[][], options: ExpansionOptions): Promise<Matrix> {
    const first = found.map((hits) => hits.slice(0, options.documents));
    const wanted = [...new Set(first.flat().map(({ document }) => document))].sort((a, b) => a - b);
    const numbers = new Map(wanted.map((document, number) => [document, number]));
    const own = first.map((hits) =>
      hits.map(({ document, score }) => ({ document: numbers.get(document)!, score })),
    );
    return expandedVectors(queries, await this.#gather(wanted), own, options);
  }

  async #gather(wanted: readonly number[]): Promise<Matrix> {
    if (this.#held !== null) return gatherRows(this.#held, wanted);
    const { columns } = this.#input;
    const data = new Float32Array(wanted.length * columns);
    let next = 0;
    for await (const { documents, first } of this.#blocks())
      for (; next < wanted.length && wanted[next]! < first + documents.rows; next++) {
        const start = (wanted[next]! - first) * columns;
        data.set(documents.data.subarray(start, start + columns), next * columns);
      }
    return { data, rows: wanted.length, columns };
  }

  /** The documents that are searched, and the number of the first of each block. */
  async *#blocks(): AsyncGenerator<{ documents: Matrix; first: number }> {
    let row = 0;
    let first = 0;
    for await (const block of this.#input.blocks()) {
      requireFinite(block, row);
      let documents = block;
      if (this.#places !== null) {
        let end = first;
        while (end < this.#places.length && this.#places[end]! < row + block.rows) end++;
        const from = row;
        documents = gatherRows(
          block,
          this.#places.slice(first, end).map((place) => place - from),
        );
      }
      row += block.rows;
      if (documents.rows > 0) yield { documents, first };
      first += documents.rows;
    }
  }
}
