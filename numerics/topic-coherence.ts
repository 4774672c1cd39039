/** As in gensim: keeps the logarithm of what never occurs finite. */
const epsilon = 1e-12;

export interface Coherence {
  /** Mean normalised pointwise mutual information of all pairs of words (Bouma 2009), −1 to 1; 0 is chance. */
  npmi: number;
  /** C_V (Röder, Both & Hinneburg 2015): how alike the words' NPMI with all of them are to those of the whole, 0 to 1. */
  cv: number;
}

/**
 * How far the words of a topic occur together in texts. `texts`: of each word the numbers of the texts that hold it, rising; `total`: all texts. Two
 * words occur together if a text holds both, whatever their distance. NaN of fewer than two words.
 */
export function topicCoherence(texts: readonly (readonly number[])[], total: number): Coherence {
  const size = texts.length;
  if (size < 2 || total === 0) return { npmi: Number.NaN, cv: Number.NaN };
  const scores = Array.from({ length: size }, () => new Float64Array(size));
  let sum = 0;
  for (let a = 0; a < size; a++)
    for (let b = a; b < size; b++) {
      const score = npmiOf(texts[a]!, texts[b]!, total);
      scores[a]![b] = score;
      scores[b]![a] = score;
      if (b > a) sum += score;
    }
  const whole = scores[0]!.map((_, at) => scores.reduce((total, row) => total + row[at]!, 0));
  return {
    npmi: sum / ((size * (size - 1)) / 2),
    cv: scores.reduce((total, row) => total + cosine(row, whole), 0) / size,
  };
}

function npmiOf(one: readonly number[], other: readonly number[], total: number): number {
  const together = shared(one, other) / total;
  if (together === 1) return 1;
  const mutual = Math.log((together + epsilon) / ((one.length / total) * (other.length / total)));
  return mutual / -Math.log(together + epsilon);
}

/** How many numbers two rising lists have in common. */
function shared(one: readonly number[], other: readonly number[]): number {
  let count = 0;
  for (let a = 0, b = 0; a < one.length && b < other.length; ) {
    if (one[a] === other[b]) {
      count++;
      a++;
      b++;
    } else if (one[a]! < other[b]!) a++;
    else b++;
  }
  return count;
}

function cosine(one: Float64Array, other: Float64Array): number {
  let [dot, a, b] = [0, 0, 0];
  for (let at = 0; at < one.length; at++) {
    dot += one[at]! * other[at]!;
    a += one[at]! ** 2;
    b += other[at]! ** 2;
  }
  return a > 0 && b > 0 ? dot / Math.sqrt(a * b) : 0;
}
