import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { Encoder } from '../../models/encoder.ts';
import { readEncoderSettings } from '../../models/encoder-folder.ts';
import { exactSearch } from '../../numerics/exact-search.ts';
import type { MatrixView } from '../../numerics/matrix-product.ts';
import { expandedVectors } from '../../numerics/query-expansion.ts';
import type { Ranked } from '../../numerics/ranking.ts';
import { fuseHits, rankByKeywords } from './rank.ts';

/** Customers' questions: one in ten asks, and those of the same topic answer. */
const root = join(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'use-cases/support-topics/data/queries.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .filter((_, line) => line % 6 === 0)
  .map((line) => JSON.parse(line) as { text: string; label: string });
const queries = rows.filter((_, row) => row % 10 === 0);
const documents = rows.filter((_, row) => row % 10 !== 0);
const task = {
  documents: documents.map(({ text }) => text),
  queries: queries.map(({ text }) => text),
  k: 100,
  stem: true,
  stopWords: true,
};
const expand = { terms: 10, documents: 10, alpha: 1, beta: 0.75 };
const keyword = rankByKeywords(task).found;
let asked: MatrixView;
let searched: MatrixView;
let semantic: Ranked[][];

beforeAll(async () => {
  const folder = join(root, 'models/use-multilingual-v3');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const settings = readEncoderSettings(
    folder,
    files.filter((file) => /\.(onnx|json)$/.test(file)),
  );
  const encoder = await Encoder.open(folder, settings);
  const encoded = async (texts: string[]): Promise<MatrixView> => {
    const { vectors, dimensions } = await encoder.encode(texts, {
      maxTokens: settings.maxTokens,
      normalize: true,
      dimensions: null,
    });
    return { data: vectors, rows: texts.length, columns: dimensions };
  };
  asked = await encoded(task.queries);
  searched = await encoded(task.documents);
  await encoder.close();
  semantic = await exactSearch({ queries: asked, documents: searched, k: 100 });
});

const isRelevant = (query: number, { document }: Ranked) =>
  documents[document]!.label === queries[query]!.label;
const relevantTo = (query: number) => documents.filter(({ label }) => label === queries[query]!.label).length;
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function ndcg(found: readonly Ranked[][], depth = 10): number {
  const gain = (place: number) => 1 / Math.log2(place + 2);
  return mean(
    found.map((hits, query) => {
      const ideal = Array.from({ length: Math.min(depth, relevantTo(query)) }, (_, place) => gain(place));
      const own = hits.slice(0, depth).map((hit, place) => (isRelevant(query, hit) ? gain(place) : 0));
      return own.reduce((sum, value) => sum + value, 0) / ideal.reduce((sum, value) => sum + value, 0);
    }),
  );
}

function recall(found: readonly Ranked[][], depth = 20): number {
  return mean(
    found.map(
      (hits, query) =>
        hits.slice(0, depth).filter((hit) => isRelevant(query, hit)).length / relevantTo(query),
    ),
  );
}

it('hybrid is better than words alone and than meaning alone, by ranks and by scores', () => {
  const fused = (fusion: Parameters<typeof fuseHits>[2]) =>
    keyword.map((hits, query) => fuseHits(hits, semantic[query], fusion, 100));
  const [words, meaning] = [ndcg(keyword), ndcg(semantic)];
  const byRanks = fused({ rrf_k: 60 });
  expect(ndcg(byRanks)).toBeGreaterThan(Math.max(words, meaning) + 0.01);
  expect(ndcg(fused({ alpha: 0.5 }))).toBeGreaterThan(Math.max(words, meaning) + 0.01);
  expect(fused({ rrf_k: 60 })).toEqual(byRanks);
});

it('expansion finds more of what is relevant, by words and by meaning', async () => {
  const words = rankByKeywords({ ...task, expand });
  expect(recall(words.found)).toBeGreaterThan(recall(keyword) + 0.005);
  expect(words.added!.filter(({ length }) => length > 0).length).toBeGreaterThan(100);
  const moved = expandedVectors(asked, searched, semantic, expand);
  const again = await exactSearch({ queries: moved, documents: searched, k: 20 });
  expect(recall(again)).toBeGreaterThan(recall(semantic));
});
