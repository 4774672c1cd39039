import { hash } from 'node:crypto';
import type { Random } from '../step.ts';

/**
 * A stream of random numbers for a sequence of names: sfc32 (Chris Doty-Humphrey, PractRand) started from the
 * SHA-256 of seed and names, so that streams with different names are independent and no state is shared.
 */
export function randomStream(seed: number, ...names: (string | number)[]): Random {
  const key = Buffer.from(hash('sha256', JSON.stringify([seed, ...names]), 'hex'), 'hex');
  let a = key.readInt32LE(0);
  let b = key.readInt32LE(4);
  let c = key.readInt32LE(8);
  let counter = key.readInt32LE(12);
  const next32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) next32();
  return {
    next: () => ((next32() >>> 5) * 67_108_864 + (next32() >>> 6)) / 9_007_199_254_740_992,
    int(n) {
      if (!Number.isInteger(n) || n <= 0 || n > 2 ** 32)
        throw new RangeError(`int(n) needs 0 < n ≤ 2^32, got ${n}`);
      // Rejection keeps the distribution exactly uniform.
      const limit = 2 ** 32 - (2 ** 32 % n);
      for (;;) {
        const value = next32();
        if (value < limit) return value % n;
      }
    },
    seed: next32,
  };
}
