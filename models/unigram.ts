/** A piece that is not in the vocabulary costs this much more than the least likely one that is. */
const unknownPenalty = 10;
const noStart = -1;

/**
 * Unigram segmentation (Kudo 2018, "Subword Regularization", eq. 3–5): the sequence of pieces with the greatest sum
 * of log probabilities, found by the Viterbi algorithm over all pieces that begin at each character. Ties and
 * adjacent unknown characters are settled as `encode_optimized` of Hugging Face tokenizers does: the first best way
 * to a place is kept, and a run of unknown characters is one token.
 */
export class Unigram {
  readonly #trie: PieceTrie;
  readonly #scores: Float64Array;
  readonly #unknown: number;
  readonly #unknownScore: number;
  // Reused from text to text: best score that ends at a place, where its last piece starts, and that piece's id.
  #best = new Float64Array(1024);
  #start = new Int32Array(1024);
  #piece = new Int32Array(1024);

  /** `vocabulary` is `model.vocab` of tokenizer.json: pieces with their log probabilities; `unknown` is `unk_id`. */
  constructor(vocabulary: readonly (readonly [string, number])[], unknown: number) {
    this.#trie = new PieceTrie(vocabulary.map(([piece]) => piece));
    this.#scores = Float64Array.from(vocabulary, ([, score]) => score);
    this.#unknown = unknown;
    let least = Number.POSITIVE_INFINITY;
    for (const score of this.#scores) if (score < least) least = score;
    this.#unknownScore = least - unknownPenalty;
  }

  /** Ids of the pieces of a text, in order; time is linear in its length. */
  encode(text: string): number[] {
    const size = text.length;
    if (size === 0) return [];
    this.#reserve(size + 1);
    const [best, start, piece, trie, scores] = [
      this.#best,
      this.#start,
      this.#piece,
      this.#trie,
      this.#scores,
    ];
    start.fill(noStart, 0, size + 1);
    best[0] = 0;
    for (let at = 0; at < size; ) {
      const width = text.codePointAt(at)! > 0xffff ? 2 : 1;
      const soFar = best[at]!;
      let single = false;
      let node = 0;
      for (let end = at; end < size; ) {
        node = trie.child(node, text.charCodeAt(end++));
        if (node < 0) break;
        const id = trie.piece(node);
        if (id < 0) continue;
        const score = soFar + scores[id]!;
        if (start[end] === noStart || score > best[end]!) {
          best[end] = score;
          start[end] = at;
          piece[end] = id;
        }
        if (end - at === width) single = true;
      }
      if (!single) {
        const end = at + width;
        const score = soFar + this.#unknownScore;
        if (start[end] === noStart || score > best[end]!) {
          best[end] = score;
          start[end] = at;
          piece[end] = this.#unknown;
        }
      }
      at += width;
    }
    const ids: number[] = [];
    for (let end = size; end > 0; end = start[end]!) {
      const id = piece[end]!;
      if (id !== this.#unknown || ids.at(-1) !== this.#unknown) ids.push(id);
    }
    return ids.reverse();
  }

  #reserve(size: number): void {
    if (this.#best.length >= size) return;
    this.#best = new Float64Array(size * 2);
    this.#start = new Int32Array(size * 2);
    this.#piece = new Int32Array(size * 2);
  }
}

/** A trie over UTF-16 code units in one open-addressed hash table: key (node, unit), value the child's number. */
class PieceTrie {
  readonly #keys: Float64Array;
  readonly #children: Int32Array;
  readonly #mask: number;
  readonly #pieces: Int32Array;

  constructor(pieces: readonly string[]) {
    const units = pieces.reduce((sum, text) => sum + text.length, 0);
    const size = 2 ** Math.ceil(Math.log2(units * 2 + 16));
    this.#keys = new Float64Array(size).fill(-1);
    this.#children = new Int32Array(size);
    this.#mask = size - 1;
    this.#pieces = new Int32Array(units + 1).fill(-1);
    let nodes = 1;
    pieces.forEach((text, id) => {
      let node = 0;
      for (let index = 0; index < text.length; index++) {
        const unit = text.charCodeAt(index);
        const slot = this.#slot(node, unit);
        if (this.#keys[slot] === -1) {
          this.#keys[slot] = node * 65_536 + unit;
          this.#children[slot] = nodes++;
        }
        node = this.#children[slot]!;
      }
      if (node > 0) this.#pieces[node] = id;
    });
  }

  /** The node that `unit` leads to, or -1. */
  child(node: number, unit: number): number {
    const slot = this.#slot(node, unit);
    return this.#keys[slot] === -1 ? -1 : this.#children[slot]!;
  }

  /** The piece that ends at a node, or -1. */
  piece(node: number): number {
    return this.#pieces[node]!;
  }

  /** Where the key is, or would be put. */
  #slot(node: number, unit: number): number {
    const key = node * 65_536 + unit;
    const mixed = Math.imul(node, 0x9e3779b1) + Math.imul(unit, 0x85ebca6b);
    let slot = (mixed ^ (mixed >>> 15)) & this.#mask;
    while (this.#keys[slot] !== -1 && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask;
    return slot;
  }
}
