/**
 * Whole numbers of 32 bits, below 2³², from a 32-bit seed: sfc32 (Chris Doty-Humphrey, PractRand), the generator
 * behind a step's own streams too. The same seed gives the same numbers on every machine.
 */
export function words(seed: number): () => number {
  let a = seed | 0;
  let b = 0x9e3779b9 | 0;
  let c = 0x243f6a88 | 0;
  let counter = 1;
  const next32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  // The published start-up rounds: after them close seeds give unrelated streams.
  for (let round = 0; round < 15; round++) next32();
  return next32;
}

/** Uniform numbers in [0, 1) with 53 bits, made of `words`. */
export function uniform(seed: number): () => number {
  const next32 = words(seed);
  return () => ((next32() >>> 5) * 67_108_864 + (next32() >>> 6)) / 9_007_199_254_740_992;
}

/** Standard normal numbers (Box and Muller 1958), two of each two uniform ones. */
export function gaussians(size: number, seed: number): Float64Array {
  const next = uniform(seed);
  const numbers = new Float64Array(size);
  for (let i = 0; i < size; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    numbers[i] = radius * Math.cos(angle);
    if (i + 1 < size) numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers;
}

/** `size` different indices below `n`, ascending: a uniform sample without repeats (Vitter's selection sampling). */
export function sampleIndices(n: number, size: number, seed: number): Int32Array {
  const next = uniform(seed);
  const chosen = new Int32Array(Math.min(n, size));
  let count = 0;
  for (let index = 0; count < chosen.length; index++) {
    if ((n - index) * next() < chosen.length - count) chosen[count++] = index;
  }
  return chosen;
}
