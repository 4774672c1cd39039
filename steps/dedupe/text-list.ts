/** A list of texts as UTF-8 in one buffer: outside of the JavaScript heap, a few bytes more than the texts themselves. */
export class TextList {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #used = 0;
  #start: Float64Array;
  #end: Float64Array;

  /** @param length Number of texts; each is empty until it is set. */
  constructor(length: number) {
    this.#start = new Float64Array(length);
    this.#end = new Float64Array(length);
  }

  set(index: number, text: string): void {
    // A code unit takes three bytes at most.
    const needed = this.#used + 3 * text.length;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, needed));
      this.#bytes.copy(grown, 0, 0, this.#used);
      this.#bytes = grown;
    }
    this.#start[index] = this.#used;
    this.#used += this.#bytes.write(text, this.#used);
    this.#end[index] = this.#used;
  }

  get(index: number): string {
    return this.#bytes.toString('utf8', this.#start[index], this.#end[index]);
  }
}
