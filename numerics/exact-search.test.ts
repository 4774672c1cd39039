import { describe, expect, it } from 'vitest';
import { exactSearch } from './exact-search.ts';
import { fuseRankings, fuseScores, mostRelevant } from './ranking.ts';
import { dot, normalized } from './vectors.ts';

describe('exactSearch', () => {
  it('gives the greatest cosines in float64, equal ones in their order', async () => {
    const columns = 16;
    const data = Float32Array.from({ length: 300 * columns }, (_, at) => Math.sin(at * at * 0.37));
    // Rows that float32 cannot tell apart.
    data.copyWithin(200 * columns, 10 * columns, 20 * columns);
    const documents = { data, rows: 300, columns };
    const queries = { data: data.slice(0, 30 * columns), rows: 30, columns };
    const found = await exactSearch({ queries, documents, k: 5 });
    const cosine = (a: number, b: number) => {
      let [ab, aa, bb] = [0, 0, 0];
      for (let i = 0; i < columns; i++) {
        const [x, y] = [data[a * columns + i]!, data[b * columns + i]!];
        ab += x * y;
        aa += x * x;
        bb += y * y;
      }
      return ab / Math.sqrt(aa * bb);
    };
    for (let query = 0; query < 30; query++) {
      const all = Array.from({ length: 300 }, (_, row) => cosine(query, row));
      const order = [...all.keys()].sort((a, b) => all[b]! - all[a]! || a - b).slice(0, 5);
      expect(found[query]!.map(({ document }) => document)).toEqual(order);
      expect(found[query]![4]!.score).toBeCloseTo(all[order[4]!]!, 6);
    }
    expect(found[12]!.slice(0, 2).map(({ document }) => document)).toEqual([12, 202]);
  });

  it('tells apart what float32 cannot', async () => {
    const columns = 64;
    const first = Float32Array.from({ length: columns }, (_, at) => Math.sin(at + 1));
    const data = new Float32Array(200 * columns);
    for (let row = 0; row < 200; row++) {
      data.set(first, row * columns);
      data[row * columns + (row % columns)]! *= 1 + ((row * 7919) % 200) * 1e-6;
    }
    const documents = { data, rows: 200, columns };
    const queries = { data: first, rows: 1, columns };
    const [found] = await exactSearch({ queries, documents, k: 20 });
    const [unit, query] = [normalized(documents).data, normalized(queries).data];
    const exact = Array.from({ length: 200 }, (_, row) => dot(query, 0, unit, row * columns, columns));
    const order = [...exact.keys()].sort((a, b) => exact[b]! - exact[a]! || a - b).slice(0, 20);
    expect(found!.map(({ document }) => document)).toEqual(order);
  });

  it('handles zeros, no queries and no documents', async () => {
    const none = { data: new Float32Array(0), rows: 0, columns: 2 };
    const zeros = { data: new Float32Array(4), rows: 2, columns: 2 };
    expect(await exactSearch({ queries: zeros, documents: none, k: 3 })).toEqual([[], []]);
    expect(await exactSearch({ queries: none, documents: zeros, k: 3 })).toEqual([]);
    const [first] = await exactSearch({ queries: zeros, documents: zeros, k: 3 });
    expect(first!.map(({ document, score }) => [document, score])).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });
});

describe('rankings', () => {
  it('keep the best, and are fused by reciprocal ranks', () => {
    const scores = [3, 9, 9, 1, 7];
    expect(
      mostRelevant([...scores.keys()], (item) => scores[item]!, 3).map(({ document }) => document),
    ).toEqual([1, 2, 4]);
    const list = (...documents: number[]) => documents.map((document) => ({ document, score: 0 }));
    const fused = fuseRankings([list(1, 2, 3), list(3, 4)], 60, 10);
    expect(fused.map(({ document }) => document)).toEqual([3, 1, 2, 4]);
    expect(fused[0]!.score).toBeCloseTo(1 / 63 + 1 / 61, 12);
  });

  it('are fused by their scores', () => {
    const words = [
      { document: 1, score: 8 },
      { document: 2, score: 4 },
    ];
    const vectors = [
      { document: 2, score: 0.9 },
      { document: 3, score: 0.7 },
      { document: 1, score: 0.5 },
    ];
    expect(fuseScores([words, vectors], [0.5, 0.5], 10)).toEqual([
      { document: 1, score: 0.5 },
      { document: 2, score: 0.5 },
      { document: 3, score: expect.closeTo(0.25, 9) },
    ]);
    expect(fuseScores([words, vectors], [0.1, 0.9], 1)[0]!.document).toBe(2);
    expect(fuseScores([[{ document: 4, score: 0 }], []], [1, 1], 3)).toEqual([{ document: 4, score: 1 }]);
  });
});
