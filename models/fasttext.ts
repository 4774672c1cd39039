/** A fastText classifier (Joulin et al. 2016) of the compressed form, `.ftz`, with hierarchical softmax. */
export interface FastText {
  /** The labels in the file's order, without `__label__`. */
  readonly labels: readonly string[];
  /** The most probable labels of one line of text, best first. An empty text has a result as well, which says little. */
  predict(text: string, count: number): { label: string; probability: number }[];
}

const magic = 793_712_314;
const version = 12;
const hierarchicalSoftmax = 1;
const supervised = 3;
/** Marks that fastText puts around a word before it is cut into n-grams, and the word for the end of the line. */
const wordStart = 0x3c;
const wordEnd = 0x3e;
const endOfLine = '</s>';
const labelPrefix = '__label__';
const centroids = 256;

/**
 * Reads a model file. Throws an Error if it is not one of the form above. The layout is that of fastText's `loadModel`
 * (Args::load, Dictionary::load, QMatrix::load), little-endian.
 */
export function readFastText(bytes: Uint8Array): FastText {
  const reader = new Reader(bytes);
  if (reader.int32() !== magic || reader.int32() !== version)
    throw new Error('this is no fastText model of version 12');
  const dimensions = reader.int32();
  reader.skip(5 * 4);
  const loss = reader.int32();
  const kind = reader.int32();
  const buckets = reader.int32();
  const least = reader.int32();
  const greatest = reader.int32();
  reader.skip(4 + 8);
  if (loss !== hierarchicalSoftmax || kind !== supervised)
    throw new Error('only fastText classifiers with hierarchical softmax are read');

  const size = reader.int32();
  const wordCount = reader.int32();
  reader.skip(4 + 8);
  const prunedSize = reader.int64();
  const words = new Map<string, number>();
  const labels: string[] = [];
  const counts: number[] = [];
  for (let entry = 0; entry < size; entry++) {
    const word = reader.text();
    const count = reader.int64();
    if (reader.byte() === 0) words.set(word, entry);
    else {
      labels.push(word.startsWith(labelPrefix) ? word.slice(labelPrefix.length) : word);
      counts.push(count);
    }
  }
  const pruned = new Map<number, number>();
  for (let entry = 0; entry < prunedSize; entry++) pruned.set(reader.int32(), reader.int32());

  if (reader.byte() !== 1) throw new Error('only compressed fastText models (.ftz) are read');
  const input = reader.quantizedMatrix();
  if (reader.byte() !== 0) throw new Error('fastText models with compressed output are not read');
  const outputRows = reader.int64();
  reader.skip(8);
  const output = reader.floats(outputRows * dimensions);
  const tree = huffmanTree(counts);
  const hidden = new Float32Array(dimensions);
  const encoder = new TextEncoder();

  return {
    labels,
    predict(text, count) {
      hidden.fill(0);
      let features = 0;
      const add = (row: number) => {
        input.addRow(row, hidden);
        features++;
      };
      for (const word of text.split(/[ \n\r\t\v\f\0]+/)) {
        if (word === '') continue;
        const known = words.get(word);
        if (known !== undefined) add(known);
        if (word !== endOfLine) eachNgram(encoder.encode(word), add);
      }
      const end = words.get(endOfLine);
      if (end !== undefined) add(end);
      if (features > 0) for (let i = 0; i < dimensions; i++) hidden[i]! /= features;
      return best(count);
    },
  };

  /** Hashes of the runs of `least` to `greatest` characters, as FNV-1a with signed bytes, of `<word>`. */
  function eachNgram(word: Uint8Array, add: (row: number) => void): void {
    const bytes = new Uint8Array(word.length + 2);
    bytes[0] = wordStart;
    bytes.set(word, 1);
    bytes[bytes.length - 1] = wordEnd;
    for (let start = 0; start < bytes.length; start++) {
      if ((bytes[start]! & 0xc0) === 0x80) continue;
      let hash = 2_166_136_261 | 0;
      for (let end = start, length = 1; end < bytes.length && length <= greatest; length++) {
        do {
          hash = Math.imul(hash ^ ((bytes[end]! << 24) >> 24), 16_777_619);
          end++;
        } while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80);
        if (length < least || (length === 1 && (start === 0 || end === bytes.length))) continue;
        const bucket = (hash >>> 0) % buckets;
        const row = prunedSize < 0 ? bucket : pruned.get(bucket);
        if (row !== undefined) add(wordCount + row);
      }
    }
  }

  /** The labels with the highest products of the probabilities along their way through the tree. */
  function best(count: number): { label: string; probability: number }[] {
    const found: { label: string; score: number }[] = [];
    const leaves = labels.length;
    const walk = (node: number, score: number): void => {
      if (found.length === count && score < found[count - 1]!.score) return;
      if (node < leaves) {
        found.push({ label: labels[node]!, score });
        found.sort((a, b) => b.score - a.score);
        if (found.length > count) found.pop();
        return;
      }
      let product = 0;
      const at = (node - leaves) * dimensions;
      for (let i = 0; i < dimensions; i++) product += output[at + i]! * hidden[i]!;
      const right = 1 / (1 + Math.exp(-product));
      walk(tree.left[node]!, score + Math.log(1 - right + 1e-5));
      walk(tree.right[node]!, score + Math.log(right + 1e-5));
    };
    if (leaves > 0) walk(2 * leaves - 2, 0);
    return found.map(({ label, score }) => ({ label, probability: Math.min(1, Math.exp(score)) }));
  }
}

/** The tree over labels that are sorted by count, the most frequent first: leaves first, the root last. */
function huffmanTree(counts: readonly number[]) {
  const leaves = counts.length;
  const nodes = Math.max(0, 2 * leaves - 1);
  const weight = new Float64Array(nodes).fill(1e15);
  weight.set(counts);
  const left = new Int32Array(nodes).fill(-1);
  const right = new Int32Array(nodes).fill(-1);
  let leaf = leaves - 1;
  let inner = leaves;
  for (let node = leaves; node < nodes; node++) {
    const lightest = () => (leaf >= 0 && weight[leaf]! < weight[inner]! ? leaf-- : inner++);
    left[node] = lightest();
    right[node] = lightest();
    weight[node] = weight[left[node]!]! + weight[right[node]!]!;
  }
  return { left, right };
}

/** A matrix as codes of its rows' parts (product quantization, Jégou et al. 2011), with the rows' lengths apart. */
class QuantizedMatrix {
  readonly #codes: Uint8Array;
  readonly #parts: ProductQuantizer;
  readonly #lengths: { codes: Uint8Array; values: Float32Array } | undefined;

  constructor(
    codes: Uint8Array,
    parts: ProductQuantizer,
    lengths: { codes: Uint8Array; values: Float32Array } | undefined,
  ) {
    this.#codes = codes;
    this.#parts = parts;
    this.#lengths = lengths;
  }

  addRow(row: number, into: Float32Array): void {
    const { count, size, lastSize, values } = this.#parts;
    const scale = this.#lengths ? this.#lengths.values[this.#lengths.codes[row]!]! : 1;
    for (let part = 0; part < count; part++) {
      const width = part === count - 1 ? lastSize : size;
      const from = part * centroids * size + this.#codes[row * count + part]! * width;
      for (let i = 0; i < width; i++) into[part * size + i]! += scale * values[from + i]!;
    }
  }
}

interface ProductQuantizer {
  /** Parts of a row, the size of each, and that of the last. */
  count: number;
  size: number;
  lastSize: number;
  /** 256 values of `size` numbers for each part. */
  values: Float32Array;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder();
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  byte(): number {
    return this.#view.getUint8(this.#at++);
  }

  int32(): number {
    this.#at += 4;
    return this.#view.getInt32(this.#at - 4, true);
  }

  int64(): number {
    this.#at += 8;
    return Number(this.#view.getBigInt64(this.#at - 8, true));
  }

  /** A text that ends with a zero byte. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  floats(count: number): Float32Array {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = this.#view.getFloat32(this.#at + 4 * i, true);
    this.#at += 4 * count;
    return values;
  }

  quantizedMatrix(): QuantizedMatrix {
    const withLengths = this.byte() === 1;
    const rows = this.int64();
    this.skip(8);
    const codes = this.#take(this.int32());
    const parts = this.#quantizer();
    const lengths = withLengths ? { codes: this.#take(rows), values: this.#quantizer().values } : undefined;
    return new QuantizedMatrix(codes, parts, lengths);
  }

  #take(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  #quantizer(): ProductQuantizer {
    const dimensions = this.int32();
    const count = this.int32();
    const size = this.int32();
    const lastSize = this.int32();
    return { count, size, lastSize, values: this.floats(dimensions * centroids) };
  }
}
