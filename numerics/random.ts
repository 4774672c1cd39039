/**
 * Uniform numbers in [0, 1) with 53 bits from a 32-bit seed: sfc32 (Chris Doty-Humphrey, PractRand), the generator
 * behind a step's own streams too. The same seed gives the same numbers on every machine.
 */
export function uniform(seed: number): () => number {
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
  return () => ((next32() >>> 5) * 67_108_864 + (next32() >>> 6)) / 9_007_199_254_740_992;
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
