import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../engine/execute/pool.ts';
import { optimalBands } from './lsh-bands.ts';
import { indexTexts, linkedPairs, type NearTextOptions } from './near-texts.ts';
import { packTexts } from './packed-texts.ts';
import type { Shingling } from './shingles.ts';
import { openSimilarity } from './text-similarity.ts';

const pool = new WorkerPool({ threads: 2 });
const workers = pool.forStep(new AbortController().signal);
afterAll(() => pool.close());

/** Exact Jaccard similarity with sets of texts. */
function jaccard(a: string, b: string, { unit, size }: Shingling): number {
  const set = (text: string) => {
    const elements = unit === 'char' ? [...text] : text.split(' ').filter(Boolean);
    if (elements.length <= size) return new Set([elements.join('\n')]);
    return new Set(
      elements.slice(size - 1).map((_, index) => elements.slice(index, index + size).join('\n')),
    );
  };
  const [left, right] = [set(a), set(b)];
  const shared = [...left].filter((shingle) => right.has(shingle)).length;
  return shared / (left.size + right.size - shared);
}

const optionsOf = (shingling: Shingling, threshold: number): NearTextOptions => ({
  threshold,
  measure: { kind: 'jaccard', shingling },
  shingling,
  jaccard: threshold,
  permutations: 128,
  missWeight: 0.99,
  seed: 1,
});

const queries = readFileSync(
  resolve(import.meta.dirname, '../use-cases/support-topics/data/queries.jsonl'),
  'utf8',
)
  .split('\n')
  .filter(Boolean)
  .map((line) => (JSON.parse(line) as { text: string }).text.toLowerCase());

describe('optimalBands', () => {
  it('chooses what datasketch 2.0.0 chooses', () => {
    expect(optimalBands(0.8, 128)).toEqual({ bands: 9, rows: 13 });
    expect(optimalBands(0.8, 256)).toEqual({ bands: 17, rows: 15 });
    expect(optimalBands(0.5, 128)).toEqual({ bands: 25, rows: 5 });
    expect(optimalBands(0.5, 256)).toEqual({ bands: 42, rows: 6 });
  });
});

describe('openSimilarity', () => {
  it.each<Shingling>([
    { unit: 'char', size: 5 },
    { unit: 'char', size: 1 },
    { unit: 'word', size: 3 },
  ])('is the Jaccard similarity of the sets of shingles: %o', (shingling) => {
    const texts = ['', 'a', 'abcde', 'abcdef', '👍👍👎 👍👍👎', 'a b c d', ...queries.slice(0, 40)];
    const similarity = openSimilarity(packTexts(texts), { kind: 'jaccard', shingling });
    for (let a = 0; a < texts.length; a++)
      for (let b = 0; b < texts.length; b++)
        expect(similarity(a, b, 0)).toBeCloseTo(jaccard(texts[a]!, texts[b]!, shingling), 12);
  });
});

describe('linkedPairs', () => {
  const everyone = Int32Array.from(queries.keys());

  it('finds the similar pairs of 10,003 questions, and no other', async () => {
    const shingling = { unit: 'char', size: 5 } as const;
    const index = await indexTexts(packTexts(queries), optionsOf(shingling, 0.8), workers);
    const pairs = await linkedPairs(index, everyone, workers, true);
    pairs.left.forEach((left, pair) => {
      const exact = jaccard(queries[left]!, queries[pairs.right[pair]!]!, shingling);
      expect(exact).toBeGreaterThanOrEqual(0.8);
      expect(pairs.similarity[pair]).toBeCloseTo(exact, 12);
    });
    // 131 by brute force after white space is normalised (datasketch: 107 at its own bands).
    expect(pairs.left.length).toBeGreaterThanOrEqual(129);
  });

  it('gives the same links with one thread and with several', async () => {
    const index = await indexTexts(packTexts(queries), optionsOf({ unit: 'word', size: 2 }, 0.6), workers);
    const one = new WorkerPool({ threads: 1 });
    const alone = one.forStep(new AbortController().signal);
    const again = await indexTexts(packTexts(queries), optionsOf({ unit: 'word', size: 2 }, 0.6), alone);
    expect(again.hashes).toEqual(index.hashes);
    const sorted = ({ left, right }: { left: Int32Array; right: Int32Array }) =>
      [...left].map((text, pair) => `${text} ${right[pair]}`).sort();
    const some = await linkedPairs(index, everyone, workers, true);
    expect(sorted(await linkedPairs(again, everyone, alone, true))).toEqual(sorted(some));
    await one.close();
  });

  it('links many texts of one kind by few pairs', async () => {
    const texts = Array.from({ length: 3000 }, (_, index) => `a form letter to a customer, number ${index}`);
    const index = await indexTexts(packTexts(texts), optionsOf({ unit: 'word', size: 1 }, 0.5), workers);
    const { left } = await linkedPairs(index, Int32Array.from(texts.keys()), workers);
    expect(left.length).toBeGreaterThanOrEqual(2999);
    expect(left.length).toBeLessThan(100_000);
  });
});
