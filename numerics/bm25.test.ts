import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Bm25 } from './bm25.ts';

const known = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/bm25.json'), 'utf8')) as {
  queries: { query: string; top10: [number, number][] }[];
};
const words = (text: string) => text.toLowerCase().match(/[a-z0-9']+/g) ?? [];

describe('Bm25', () => {
  it('ranks 10,003 questions as bm25s does, score by score', () => {
    const file = join(import.meta.dirname, '../use-cases/support-topics/data/queries.jsonl');
    const texts = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { text: string }).text);
    const index = new Bm25(texts.map(words), { k1: 1.5, b: 0.75 });
    for (const { query, top10 } of known.queries) {
      const found = index.search(words(query), 10);
      expect(found.map(({ document }) => document)).toEqual(top10.map(([document]) => document));
      found.forEach(({ score }, place) => void expect(score * 2.5).toBeCloseTo(top10[place]![1], 5));
      expect(index.search(words(query), 10)).toEqual(found);
    }
  });

  it('finds nothing for words that no document has, and gives no more than there are', () => {
    const index = new Bm25([['a', 'b'], [], ['b', 'b']]);
    expect(index.search(['x'], 10)).toEqual([]);
    expect(index.search([], 10)).toEqual([]);
    expect(index.search(['b'], 10).map(({ document }) => document)).toEqual([2, 0]);
    expect(index.search(['b'], 0)).toEqual([]);
    expect(new Bm25([]).search(['a'], 10)).toEqual([]);
  });
});
