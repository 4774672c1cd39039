import type { TermCounts } from '../../numerics/ctfidf.ts';
import { join, phrases } from '../../numerics/words.ts';
import { type ContentWord, ContentWords } from './content-words.ts';

/** Occurrences of a term in the texts of one class. */
export interface Cell {
  term: number;
  class: number;
  count: number;
  /** The texts that hold it, rising. */
  texts: number[];
  forms: Map<string, number>;
}

/**
 * How often the terms of texts occur in each class of texts, from 0 up to `classes`, with their forms and texts. Terms are words that are no
 * stop words, and up to `longest` such words in a row. A text of the class −1 does not count.
 */
export function countTerms(options: {
  texts: readonly string[];
  classOf: Int32Array;
  classes: number;
  longest: number;
  stopWords: readonly string[];
}): TermTable {
  const { texts, classOf, longest } = options;
  const content = new ContentWords(texts, options.stopWords);
  const table = new TermTable(options.classes);
  texts.forEach((text, index) => {
    const own = classOf[index]!;
    if (own < 0) return;
    for (const phrase of phrases(text)) {
      for (const run of content.runs(phrase)) {
        for (const words of wordsInARow(run, longest)) table.add(words, own, index);
      }
    }
  });
  return table;
}

/** All sequences of up to `longest` words of a run in which no word occurs twice. */
function* wordsInARow(run: readonly ContentWord[], longest: number): Generator<readonly ContentWord[]> {
  for (let end = 1; end <= run.length; end++) {
    for (let start = end - 1; start >= Math.max(0, end - longest); start--) {
      if (run.slice(start + 1, end).some((word) => word.stem === run[start]!.stem)) break;
      yield run.slice(start, end);
    }
  }
}

/** Counts of terms by class, in the shape that `ctfidf` takes. */
export class TermTable implements TermCounts {
  /** By term: the stems of its words, sorted, with spaces between. */
  readonly keys: string[] = [];
  readonly cells: Cell[] = [];
  readonly #terms = new Map<string, number>();
  readonly #cells = new Map<number, Cell>();
  readonly #classes: number;

  constructor(classes: number) {
    this.#classes = classes;
  }

  add(words: readonly ContentWord[], own: number, text: number): void {
    const key = words
      .map((word) => word.stem)
      .sort()
      .join(' ');
    let term = this.#terms.get(key);
    if (term === undefined) {
      term = this.keys.push(key) - 1;
      this.#terms.set(key, term);
    }
    let cell = this.#cells.get(term * this.#classes + own);
    if (!cell) {
      cell = { term, class: own, count: 0, texts: [], forms: new Map() };
      this.cells.push(cell);
      this.#cells.set(term * this.#classes + own, cell);
    }
    cell.count++;
    if (cell.texts.at(-1) !== text) cell.texts.push(text);
    const form = join(words.map((word) => word.form));
    cell.forms.set(form, (cell.forms.get(form) ?? 0) + 1);
  }

  /** The texts that hold each of some terms, in any class, rising. */
  textsOf(terms: readonly number[]): Map<number, number[]> {
    const texts = new Map(terms.map((term): [number, number[]] => [term, []]));
    for (const cell of this.cells) texts.get(cell.term)?.push(...cell.texts);
    for (const own of texts.values()) own.sort((a, b) => a - b);
    return texts;
  }

  get classes(): Int32Array {
    return Int32Array.from(this.cells, (cell) => cell.class);
  }
  get terms(): Int32Array {
    return Int32Array.from(this.cells, (cell) => cell.term);
  }
  get counts(): Float64Array {
    return Float64Array.from(this.cells, (cell) => cell.count);
  }
}
