import { CountTable } from '../../numerics/count-table.ts';
import type { Assessment } from './assess.ts';

/** Components of a row's score, each from 0 to 1. */
export const components = ['complete', 'unique', 'letters', 'varied', 'coherent', 'rules'] as const;
export type Component = (typeof components)[number];

/** Scores rows, asked about in their order, and the table by their means. */
export class Scores {
  readonly #seen = new CountTable();
  readonly #sums: Record<Component, number> = {
    complete: 0,
    unique: 0,
    letters: 0,
    varied: 0,
    coherent: 0,
    rules: 0,
  };
  #sum = 0;
  #rows = 0;

  /** The score of a row: the product of its components. */
  of({ parts, reasons }: Assessment): number {
    const { hash, ...told } = parts ?? { hash: 0, complete: 0, letters: 0, varied: 0, coherent: 0 };
    const unique = told.complete > 0 && this.#seen.get(hash) === 0 ? 1 : 0;
    if (told.complete > 0) this.#seen.add(hash);
    const own = { ...told, unique, rules: reasons.length > 0 ? 0 : 1 };
    const score = components.reduce((product, name) => product * own[name], 1);
    for (const name of components) this.#sums[name] += own[name];
    this.#sum += score;
    this.#rows++;
    return score;
  }

  /** Means over the rows of the score and of a component. */
  mean(of: 'score' | Component): number {
    return this.#rows > 0 ? (of === 'score' ? this.#sum : this.#sums[of]) / this.#rows : 0;
  }
}
