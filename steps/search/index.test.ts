import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { gaussians } from '../../numerics/random.ts';
import { matrixInput, runStep } from '../../test/run-step.ts';
import { DocumentVectors } from './document-vectors.ts';
import search from './index.ts';

const pool = new WorkerPool({ threads: 2 });
afterAll(() => pool.close());

const documents = [
  { id: 'a', text: 'Where are my cards?' },
  { id: 'b', text: 'The exchange rate of the euro' },
  { id: 'c', text: 'How to get a card' },
  { id: 'd', text: 'Где моя карта' },
];
const queries = [
  { id: 'q', text: 'my card' },
  { id: 'r', text: 'карты' },
  { id: 's', text: 'zebra' },
];
const matrix = (ids: { id: string }[], data: number[]) => ({
  matrix: { data: Float32Array.from(data), rows: ids.length, columns: 2 },
  ids: ids.map(({ id }) => id),
});
const vectors = {
  query_vectors: matrix(queries, [1, 0, 0, 1, 0, 0]),
  document_vectors: matrix(documents, [0.9, 0.1, 1, 0, 0.5, 0.5, 0, 1]),
};
const run = (options: JsonObject, more: object = {}) =>
  runStep(search, { pool, with: options, inputs: { queries, documents, ...more } });
const hitsOf = (rows: { [field: string]: unknown }[], query: string) =>
  rows.filter((row) => row['query_id'] === query).map((row) => row['document_id']);

describe('search', () => {
  it('keyword: by stems, in English and Russian, without words that say nothing', async () => {
    const { tables, metrics, warnings } = await run({});
    const hits = tables['hits']!;
    // Of "my card" only "card" counts: the shorter document is first.
    expect(hitsOf(hits, 'q')).toEqual(['a', 'c']);
    expect(hitsOf(hits, 'r')).toEqual(['d']);
    expect(hits[0]).toMatchObject({ id: 'q#1', rank: 1, keyword_rank: 1, semantic_rank: null });
    expect(metrics).toEqual({ queries: 3, documents: 4, hits: 3, without_hits: 1 });
    expect(warnings).toEqual(['nothing was found for 1 of 3 queries']);
    expect(hitsOf((await run({ stem: false })).tables['hits']!, 'q')).toEqual(['c']);
    const stopWords = await run({ stem: false, stop_words: false });
    expect(new Set(hitsOf(stopWords.tables['hits']!, 'q'))).toEqual(new Set(['a', 'c']));
  });

  it('semantic: by cosine; hybrid: by the ranks of both', async () => {
    const semantic = await run({ mode: 'semantic', top_k: 2 }, vectors);
    expect(hitsOf(semantic.tables['hits']!, 'q')).toEqual(['b', 'a']);
    expect(hitsOf(semantic.tables['hits']!, 'r')).toEqual(['d', 'c']);
    // Its vector is all zeros.
    expect(hitsOf(semantic.tables['hits']!, 's')).toEqual([]);
    const hybrid = await run({ mode: 'hybrid', top_k: 3 }, vectors);
    expect(hitsOf(hybrid.tables['hits']!, 'q')).toEqual(['a', 'c', 'b']);
    expect(hybrid.tables['hits']![0]).toMatchObject({
      keyword_rank: 1,
      semantic_rank: 2,
      score: Number((1 / 61 + 1 / 62).toPrecision(6)),
    });
  });

  it('handles nothing to ask and nothing to search', async () => {
    const none = await runStep(search, { pool, inputs: { queries: [], documents } });
    expect(none.metrics).toMatchObject({ queries: 0, hits: 0 });
    const empty = await runStep(search, { pool, inputs: { queries, documents: [] } });
    expect(empty.metrics).toMatchObject({ documents: 0, hits: 0, without_hits: 3 });
    const equal = [1, 2, 3].map((number) => ({ id: `e${number}`, text: 'card' }));
    const same = await runStep(search, { pool, inputs: { queries: queries.slice(0, 1), documents: equal } });
    expect(hitsOf(same.tables['hits']!, 'q')).toEqual(['e1', 'e2', 'e3']);
  });

  it.each(['keyword', 'semantic', 'hybrid'])('%s: where is a filter before the search', async (mode) => {
    const where = 'row.id != "a" && row.text.size() < 25';
    const kept = documents.filter(({ id, text }) => id !== 'a' && text.length < 25);
    const columns = vectors.document_vectors.matrix.data;
    const before = {
      queries,
      documents: kept,
      query_vectors: vectors.query_vectors,
      document_vectors: matrix(
        kept,
        kept.flatMap(({ id }) => {
          const at = documents.findIndex((document) => document.id === id) * 2;
          return [columns[at]!, columns[at + 1]!];
        }),
      ),
    };
    const filtered = await run({ mode, where }, vectors);
    const alone = await runStep(search, { pool, with: { mode }, inputs: before });
    expect(filtered.tables['hits']).toEqual(alone.tables['hits']);
    expect(filtered.tables['hits']!.length).toBeGreaterThan(0);
    expect(filtered.metrics).toMatchObject({ documents: 2, left_out: 2 });
  });

  it('semantic by an inverted file: the same hits if all lists are looked through, and the recall if not', async () => {
    const columns = 8;
    const many = (prefix: string, count: number, seed: number) => {
      const rows = Array.from({ length: count }, (_, row) => ({ id: `${prefix}${row}`, text: '' }));
      const data = Float32Array.from(gaussians(count * columns, seed));
      return { rows, vectors: { matrix: { data, rows: count, columns }, ids: rows.map(({ id }) => id) } };
    };
    const [asked, searched] = [many('q', 40, 1), many('d', 900, 2)];
    const ask = (options: JsonObject) =>
      runStep(search, {
        pool,
        with: { mode: 'semantic', ...options },
        inputs: {
          queries: asked.rows,
          documents: searched.rows,
          query_vectors: asked.vectors,
          document_vectors: searched.vectors,
        },
      });
    const exact = await ask({ index: 'auto' });
    expect(exact.metrics).not.toHaveProperty('recall');
    const all = await ask({ index: 'ivf', n_probe: 60 });
    expect(all.tables).toEqual(exact.tables);
    expect(all.metrics['recall']).toBe(1);
    const some = await ask({ index: 'ivf', n_probe: 12 });
    expect(some.metrics['recall']).toBeGreaterThan(0.6);
    expect(some.metrics['recall']).toBeLessThan(1);
    expect(some.metrics).toMatchObject({ lists: 60, n_probe: 12 });
    expect((await ask({ index: 'ivf', n_probe: 12 })).tables).toEqual(some.tables);
    // As many lists as it takes, of data that has no clusters at all.
    const enough = await ask({ index: 'ivf', recall: 0.99 });
    expect(enough.metrics['recall']).toBeGreaterThanOrEqual(0.99);
    expect(enough.metrics['n_probe']).toBeGreaterThan(12);
  });

  it('expand: finds what the first hits speak of, and says by which words', async () => {
    const articles = [
      { id: 'a', text: 'A car needs an engine and petrol' },
      { id: 'b', text: 'The engine of my car drinks petrol' },
      { id: 'c', text: 'Petrol engines are loud' },
      { id: 'd', text: 'Bread needs flour' },
      { id: 'e', text: 'car car car' },
    ];
    const ask = (expand?: JsonObject) =>
      runStep(search, {
        pool,
        with: { ...(expand && { expand }), mode: 'keyword' },
        inputs: { queries: [{ id: 'q', text: 'the car' }], documents: articles },
      });
    const plain = await ask();
    expect(hitsOf(plain.tables['hits']!, 'q')).not.toContain('c');
    expect(plain.tables).not.toHaveProperty('expansions');
    const { tables, metrics } = await ask({ documents: 3 });
    expect(hitsOf(tables['hits']!, 'q')).toContain('c');
    expect(hitsOf(tables['hits']!, 'q')).not.toContain('d');
    const [{ id, text, terms }] = tables['expansions'] as [{ id: string; text: string; terms: JsonObject[] }];
    expect({ id, text }).toEqual({ id: 'q', text: 'the car' });
    expect(terms.map(({ word }) => word)).toEqual(['engine', 'petrol']);
    expect(metrics).toMatchObject({ added_terms: 2 });
    // Without any weight of the hits it is the search as it was.
    const same = await ask({ documents: 3, beta: 0 });
    expect(hitsOf(same.tables['hits']!, 'q')).toEqual(hitsOf(plain.tables['hits']!, 'q'));
    expect((await ask({ terms: 0 })).metrics).toMatchObject({ added_terms: 0 });
    const meant = await run({ mode: 'semantic', expand: { documents: 2 } }, vectors);
    expect(hitsOf(meant.tables['hits']!, 'q').slice(0, 2)).toEqual(['b', 'a']);
    expect(meant.tables['expansions']![0]).toMatchObject({ terms: [] });
  });

  it('vectors that are not held in memory are compared from the disk, with the same hits', async () => {
    const columns = 4;
    const data = Float32Array.from(gaussians(350 * columns, 3));
    const input = matrixInput(
      { data, rows: 350, columns },
      Array.from({ length: 350 }, (_, row) => `${row}`),
    );
    const queries = { data: data.slice(0, 5 * columns), rows: 5, columns };
    const options = { index: 'exact', recall: 1 } as const;
    const expansion = { terms: 0, documents: 3, alpha: 1, beta: 0.75 };
    const workers = pool.forStep(new AbortController().signal);
    for (const places of [null, Array.from({ length: 100 }, (_, row) => 3 * row + 1), [349], []]) {
      const answers: unknown[] = [];
      for (const heldBytes of [1e9, 0]) {
        const vectors = await DocumentVectors.open(input, places, workers, heldBytes);
        expect(vectors.isHeld).toBe(heldBytes > 0);
        const { found } = await vectors.nearest(queries, 7, options);
        answers.push({ found, expanded: await vectors.expanded(queries, found, expansion) });
      }
      expect(answers[1]).toEqual(answers[0]);
    }
    data[300 * columns] = Number.NaN;
    const broken = await DocumentVectors.open(input, null, workers, 0);
    await expect(broken.nearest(queries, 7, options)).rejects.toMatchObject({
      message: expect.stringContaining('row 301'),
    });
  });

  it('min_score: the near duplicates of a text; language: its stems and stop words', async () => {
    const near = await run({ mode: 'semantic', min_score: 0.9 }, vectors);
    expect(hitsOf(near.tables['hits']!, 'q')).toEqual(['b', 'a']);
    expect(hitsOf(near.tables['hits']!, 'r')).toEqual(['d']);
    expect(near.metrics).toMatchObject({ hits: 3, without_hits: 1 });
    expect(search.check!({ mode: 'hybrid', min_score: 1 })).toHaveLength(1);
    const german = await runStep(search, {
      pool,
      with: { language: 'de' },
      inputs: {
        queries: [{ id: 'q', text: 'Wo sind die Karten?' }],
        documents: [
          { id: 'a', text: 'Die Karte' },
          { id: 'b', text: 'Die Bank' },
        ],
      },
    });
    expect(hitsOf(german.tables['hits']!, 'q')).toEqual(['a']);
  });

  it('finds its way in empty, long and hostile texts, and in vectors of zeros', async () => {
    const texts = [
      '',
      ' ',
      '\u0000',
      'a'.repeat(100_000),
      'word '.repeat(20_000),
      '😀🏳️‍🌈',
      'مرحبا',
      '日本語の文章',
      '\ud800',
      '𝒳',
    ];
    const asked = texts.map((text, at) => ({ id: `q${at}`, text }));
    const zeros = matrix(asked, new Array<number>(2 * asked.length).fill(0));
    for (const mode of ['keyword', 'semantic', 'hybrid']) {
      const found = await runStep(search, {
        pool,
        with: { mode, expand: {}, top_k: 100 },
        inputs: { queries: asked, documents: asked, query_vectors: zeros, document_vectors: zeros },
      });
      expect(found.metrics['hits']).toBe(found.tables['hits']!.length);
      if (mode === 'keyword')
        for (const at of [3, 4, 6, 7, 9]) expect(hitsOf(found.tables['hits']!, `q${at}`)[0]).toBe(`q${at}`);
    }
    const one = await run(
      { mode: 'hybrid', index: 'ivf' },
      {
        queries: queries.slice(0, 1),
        documents: documents.slice(0, 1),
        query_vectors: matrix(queries.slice(0, 1), [1, 0]),
        document_vectors: matrix(documents.slice(0, 1), [1, 0]),
      },
    );
    expect(one.metrics).toMatchObject({ hits: 1, lists: 1, recall: 1 });
  });

  it('where names the document on which it fails, and says when nothing is left', async () => {
    await expect(run({ where: 'row.date > 1' })).rejects.toMatchObject({
      message: 'document a (number 1): the row has no field date',
    });
    const { warnings, metrics } = await run({ where: 'row.id == "z"' });
    expect(warnings[0]).toBe('no document of 4 is left by row.id == "z"');
    expect(metrics).toMatchObject({ documents: 0, hits: 0 });
  });

  it('says what it needs', async () => {
    await expect(run({ mode: 'hybrid' })).rejects.toMatchObject({ code: 'no-vectors' });
    await expect(run({ text: 'body' })).rejects.toMatchObject({ code: 'missing-field' });
    await expect(
      run({ mode: 'semantic' }, { ...vectors, query_vectors: matrix(queries.slice(0, 1), [1, 0]) }),
    ).rejects.toMatchObject({ code: 'rows-differ' });
    const broken = matrix(queries, [1, Number.NaN, 0, 1, 0, 0]);
    await expect(run({ mode: 'semantic' }, { ...vectors, query_vectors: broken })).rejects.toMatchObject({
      code: 'bad-vector',
    });
  });
});
