import { type Bands, optimalBands } from './lsh-bands.ts';
import { moduleUrl as minhashUrl } from './minhash.ts';
import type { PackedTexts } from './packed-texts.ts';
import type { Shingling } from './shingles.ts';
import { type Measure, openSimilarity } from './text-similarity.ts';
import { UnionFind } from './union-find.ts';
import { inParts, type Workers } from './workers.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface NearTextOptions {
  /** Pairs that are at least so alike are found. */
  threshold: number;
  measure: Measure;
  /** What MinHash takes texts for, and the Jaccard similarity that pairs of at least `threshold` have. */
  shingling: Shingling;
  jaccard: number;
  /** Values of a signature, at most. */
  permutations: number;
  /** Weight of a missed pair in the choice of bands; see `optimalBands`. */
  missWeight: number;
  seed: number;
}

/** Texts made ready for the search: their bands' hashes, in memory that threads share. */
export interface TextIndex {
  texts: PackedTexts;
  count: number;
  bands: Bands;
  /** [bands, texts]. */
  hashes: Int32Array;
  threshold: number;
  measure: Measure;
}

/** Pairs of texts and how alike they are. */
export interface Pairs {
  left: Int32Array;
  right: Int32Array;
  similarity: Float64Array;
}

/**
 * MinHash signatures of the texts (Broder 1997), as one 32-bit hash for each band of values (Leskovec, Rajaraman & Ullman 2014, ch. 3).
 * Time grows with all characters × permutations, memory is 4 bytes a band and text. The same for a seed with any number of threads.
 */
export async function indexTexts(
  texts: PackedTexts,
  options: NearTextOptions,
  workers: Workers,
): Promise<TextIndex> {
  const { threshold, measure, shingling, seed } = options;
  const count = texts.starts.length - 1;
  const bands = optimalBands(options.jaccard, options.permutations, options.missWeight);
  const hashes = new Int32Array(new SharedArrayBuffer(4 * bands.bands * count));
  const ranges: [number, number][] = [];
  const parts = await inParts<Int32Array>(workers, minhashUrl, 'bandHashes', count, (from, to) => {
    ranges.push([from, to]);
    return { texts, shingling, seed, ...bands, from, to };
  });
  parts.forEach((part, index) => {
    const [from, to] = ranges[index]!;
    for (let band = 0; band < bands.bands; band++)
      hashes.set(part.subarray(band * (to - from), (band + 1) * (to - from)), band * count + from);
  });
  return { texts, count, bands, hashes, threshold, measure };
}

/**
 * Pairs that link all texts which are at least `threshold` alike, directly or over others: candidates of every band,
 * each checked by the exact similarity. A pair whose texts are linked already is left out, so that a thousand
 * texts of one kind give a thousand pairs and not a million. With `all` no pair is left out.
 */
export async function linkedPairs(
  index: TextIndex,
  members: Int32Array,
  workers: Workers,
  all = false,
): Promise<Pairs> {
  const { bands } = index.bands;
  const round = async (first: number, last: number, known: Pairs) =>
    joined(
      await eachThread(first, last, workers, (from, to) =>
        workers.run<LinkTask, Pairs>(moduleUrl, 'linksOfBands', {
          index,
          members,
          from,
          to,
          all,
          settled: first,
          known,
        }),
      ),
    );
  // A band for each thread finds most links; what they join need not be compared again by every thread.
  const early = await round(0, Math.min(workers.threads, bands), joined([]));
  return joined([early, await round(Math.min(workers.threads, bands), bands, early)]);
}

/** The pairs of a text of `members` and one of `others` that are at least `threshold` alike. */
export async function crossPairs(
  index: TextIndex,
  members: Int32Array,
  others: Int32Array,
  workers: Workers,
): Promise<Pairs> {
  return joined(
    await eachThread(0, index.bands.bands, workers, (from, to) =>
      workers.run<unknown, Pairs>(moduleUrl, 'matchesOfBands', { index, members, others, from, to }),
    ),
  );
}

/** Runs the bands from `first` to `last` in one part for each thread, since every part links its texts by itself. */
function eachThread(
  first: number,
  last: number,
  { threads }: Workers,
  run: (from: number, to: number) => Promise<Pairs>,
): Promise<Pairs[]> {
  const bands = last - first;
  const parts = Math.min(bands, threads);
  return Promise.all(
    Array.from({ length: parts }, (_, part) =>
      run(first + Math.floor((part * bands) / parts), first + Math.floor(((part + 1) * bands) / parts)),
    ),
  );
}

interface BandPart {
  index: TextIndex;
  members: Int32Array;
  from: number;
  to: number;
}

interface LinkTask extends BandPart {
  all: boolean;
  /** Links that are known, and the bands whose candidates have all been compared or linked by them. */
  known: Pairs;
  settled: number;
}

/** A part of `linkedPairs`: the pairs of some bands, for a worker thread. */
export function linksOfBands({ index, members, from, to, all, known, settled }: LinkTask): Pairs {
  const similarity = openSimilarity(index.texts, index.measure);
  const sets = new UnionFind(index.count);
  for (let pair = 0; pair < known.left.length; pair++) sets.union(known.left[pair]!, known.right[pair]!);
  const pairs = new PairList();
  for (let band = from; band < to; band++) {
    for (const bucket of buckets(index, band, members)) {
      // Parts of the bucket whose texts are linked: a text is compared with each part until one of its texts is alike.
      let parts: number[][] = [];
      for (const text of bucket) {
        let own = [text];
        const apart: number[][] = [];
        for (const part of parts) {
          let together = !all && sets.find(part[0]!) === sets.find(text);
          for (let at = 0; at < part.length && !together; at++) {
            const other = part[at]!;
            if (sharedEarlier(index, 0, settled, other, text)) continue;
            if (sharedEarlier(index, all ? settled : from, band, other, text)) continue;
            const value = similarity(other, text, index.threshold);
            if (value < index.threshold) continue;
            pairs.add(other, text, value);
            sets.union(other, text);
            together = !all;
          }
          if (together) {
            for (const member of own) part.push(member);
            own = part;
          } else apart.push(part);
        }
        apart.push(own);
        parts = apart;
      }
    }
  }
  return pairs.take();
}

/** A part of `crossPairs`: the pairs of some bands, for a worker thread. */
export function matchesOfBands({
  index,
  members,
  others,
  from,
  to,
}: BandPart & { others: Int32Array }): Pairs {
  const similarity = openSimilarity(index.texts, index.measure);
  const pairs = new PairList();
  const isOther = new Uint8Array(index.count);
  for (const other of others) isOther[other] = 1;
  const both = Int32Array.from([...members, ...others]).sort();
  for (let band = from; band < to; band++) {
    for (const bucket of buckets(index, band, both)) {
      const candidates = bucket.filter((text) => isOther[text] === 1);
      if (candidates.length === 0) continue;
      for (const text of bucket) {
        if (isOther[text] === 1) continue;
        for (const other of candidates) {
          if (sharedEarlier(index, 0, band, text, other)) continue;
          const value = similarity(text, other, index.threshold);
          if (value >= index.threshold) pairs.add(text, other, value);
        }
      }
    }
  }
  return pairs.take();
}

/** Exact similarities of given pairs. */
export function similarities({
  texts,
  measure,
  left,
  right,
}: {
  texts: PackedTexts;
  measure: Measure;
  left: Int32Array;
  right: Int32Array;
}): Float64Array {
  const similarity = openSimilarity(texts, measure);
  return Float64Array.from(left, (text, pair) => similarity(text, right[pair]!, 0));
}

/** The texts with one and the same hash in a band, for each hash that two or more have; ascending. */
function* buckets({ hashes, count }: TextIndex, band: number, members: Int32Array): Generator<number[]> {
  // Hash and place in one number below 2⁵³, since arrays of numbers are sorted natively. Above 2 million texts the hash
  // loses bits, which only adds candidates.
  const placeBits = Math.max(21, Math.ceil(Math.log2(members.length + 1)));
  const places = 2 ** placeBits;
  const keys = new Float64Array(members.length);
  members.forEach((text, place) => {
    keys[place] = (hashes[band * count + text]! >>> (placeBits - 21)) * places + place;
  });
  keys.sort();
  const hashOf = (key: number) => Math.floor(key / places);
  for (let start = 0; start < keys.length; ) {
    let end = start + 1;
    while (end < keys.length && hashOf(keys[end]!) === hashOf(keys[start]!)) end++;
    if (end - start > 1) yield Array.from(keys.subarray(start, end), (key) => members[key % places]!);
    start = end;
  }
}

/**
 * Whether two texts were candidates in a band from `first` on and before `band`: then they have been compared. Where
 * links count, the bands of other parts do not: what those have linked is not known here.
 */
function sharedEarlier(
  { hashes, count }: TextIndex,
  first: number,
  band: number,
  a: number,
  b: number,
): boolean {
  for (let earlier = first; earlier < band; earlier++)
    if (hashes[earlier * count + a] === hashes[earlier * count + b]) return true;
  return false;
}

class PairList {
  #left: number[] = [];
  #right: number[] = [];
  #similarity: number[] = [];

  add(left: number, right: number, similarity: number): void {
    this.#left.push(left);
    this.#right.push(right);
    this.#similarity.push(similarity);
  }

  take(): Pairs {
    return {
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      similarity: Float64Array.from(this.#similarity),
    };
  }
}

function joined(parts: Pairs[]): Pairs {
  const pairs = new PairList();
  for (const { left, right, similarity } of parts)
    for (let pair = 0; pair < left.length; pair++) pairs.add(left[pair]!, right[pair]!, similarity[pair]!);
  return pairs.take();
}
