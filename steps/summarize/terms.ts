import { type CtfidfOptions, ctfidf } from '../../numerics/ctfidf.ts';
import { join, phrases } from '../../numerics/words.ts';
import { Casing, mostFrequent } from './casing.ts';
import { type ContentWord, ContentWords } from './content-words.ts';

/** A word, or a few in a row, in the texts of a cluster. */
export interface Term {
  /** As it is mostly written there. */
  text: string;
  /** Stems of its words, sorted: forms (card, cards) and orders (pending transfer, transfer pending) count together. */
  stems: string[];
  /** Its c-TF-IDF in the cluster. */
  weight: number;
  /** Texts of the cluster that hold it. */
  texts: number;
}

export interface TermOptions extends CtfidfOptions {
  texts: readonly string[];
  /** Cluster of each text, from 0 up. */
  clusters: Int32Array;
  /** Number of clusters. */
  k: number;
  /** Most words in a term. */
  longest: number;
  /** Words to leave out besides the usual ones. */
  stopWords: readonly string[];
  /** Terms of each cluster, at most. */
  limit: number;
}

/** Occurrences of a term in one cluster. */
interface Cell {
  term: number;
  cluster: number;
  count: number;
  texts: number;
  /** The text in which it was last seen. */
  last: number;
  forms: Map<string, number>;
}

/**
 * The terms of each cluster that are most typical of it, by c-TF-IDF, the heaviest first. Terms are words that are no
 * stop words, and such words in a row. In a cluster of five texts or more a term must be in two of them.
 */
export function clusterTerms(options: TermOptions): Term[][] {
  const { texts, clusters, k, limit, longest } = options;
  const content = new ContentWords(texts, options.stopWords);
  const counts = new TermTable(k);
  const sizes = new Int32Array(k);
  texts.forEach((text, index) => {
    const cluster = clusters[index]!;
    sizes[cluster]!++;
    for (const phrase of phrases(text)) {
      for (const run of content.runs(phrase)) {
        for (const words of wordsInARow(run, longest)) counts.add(words, cluster, index);
      }
    }
  });

  const weights = ctfidf(counts, options);
  const casing = new Casing(texts);
  const found: Term[][] = Array.from({ length: k }, () => []);
  counts.cells.forEach((cell, index) => {
    if (cell.texts < (sizes[cell.cluster]! < 5 ? 1 : 2)) return;
    found[cell.cluster]!.push({
      text: mostFrequent(cell.forms),
      stems: counts.keys[cell.term]!.split(' '),
      weight: weights[index]!,
      texts: cell.texts,
    });
  });
  return found.map((terms) =>
    terms
      .sort((a, b) => b.weight - a.weight || b.texts - a.texts || (a.text < b.text ? -1 : 1))
      .slice(0, limit)
      .map((term) => ({ ...term, text: casing.restore(term.text) })),
  );
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

/** Counts of terms by cluster, in the shape that `ctfidf` takes. */
class TermTable {
  readonly keys: string[] = [];
  readonly cells: Cell[] = [];
  readonly #terms = new Map<string, number>();
  readonly #cells = new Map<number, Cell>();
  readonly #k: number;

  constructor(k: number) {
    this.#k = k;
  }

  add(words: readonly ContentWord[], cluster: number, text: number): void {
    const key = words
      .map((word) => word.stem)
      .sort()
      .join(' ');
    let term = this.#terms.get(key);
    if (term === undefined) {
      term = this.keys.push(key) - 1;
      this.#terms.set(key, term);
    }
    let cell = this.#cells.get(term * this.#k + cluster);
    if (!cell) {
      cell = { term, cluster, count: 0, texts: 0, last: -1, forms: new Map() };
      this.cells.push(cell);
      this.#cells.set(term * this.#k + cluster, cell);
    }
    cell.count++;
    if (cell.last !== text) cell.texts++;
    cell.last = text;
    const form = join(words.map((word) => word.form));
    cell.forms.set(form, (cell.forms.get(form) ?? 0) + 1);
  }

  get classes(): Int32Array {
    return Int32Array.from(this.cells, (cell) => cell.cluster);
  }
  get terms(): Int32Array {
    return Int32Array.from(this.cells, (cell) => cell.term);
  }
  get counts(): Float64Array {
    return Float64Array.from(this.cells, (cell) => cell.count);
  }
}
