import { orAborted } from './aborted.ts';

/**
 * Work under way, by name: what is asked for while it lasts is not begun a second time, and ends alike. Work that was
 * called off is begun again for those who still want it.
 */
export class Underway<T> {
  readonly #work = new Map<string, Promise<T>>();

  /** @param shared what the result is to one who did not begin the work */
  async once(
    name: string,
    signal: AbortSignal,
    begin: () => Promise<T>,
    shared: (result: T) => T,
  ): Promise<T> {
    for (let other = this.#work.get(name); other !== undefined; other = this.#work.get(name)) {
      const ended = other.then(
        (value) => ({ value }),
        () => null,
      );
      // Null: it was called off; we are not.
      const result = await orAborted(ended, signal);
      if (result !== null) return shared(result.value);
    }
    const work = begin();
    this.#work.set(name, work);
    try {
      return await work;
    } finally {
      if (this.#work.get(name) === work) this.#work.delete(name);
    }
  }
}
