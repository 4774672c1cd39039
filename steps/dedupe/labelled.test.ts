import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { optimalBands } from '../../numerics/lsh-bands.ts';
import { indexTexts, linkedPairs } from '../../numerics/near-texts.ts';
import { packTexts } from '../../numerics/packed-texts.ts';
import { uniform } from '../../numerics/random.ts';
import { shuffle } from '../../numerics/sampling.ts';
import { openSimilarity } from '../../numerics/text-similarity.ts';
import { runStep } from '../../test/run-step.ts';
import dedupe from './index.ts';

const pool = new WorkerPool({ threads: 1 });
const workers = pool.forStep(new AbortController().signal);
afterAll(() => pool.close());

const file = join(import.meta.dirname, '../../use-cases/support-topics/data/queries.jsonl');
const questions = [
  ...new Set(
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .slice(0, 500)
      .map((line) => (JSON.parse(line) as { text: string }).text.toLowerCase().replace(/\s+/g, ' ').trim()),
  ),
];
/** Questions, and of some of them copies: as they are, and with other case and spaces. The label is the question. */
const labelled: (Row & { question: number; kind: string })[] = questions.flatMap((text, question) => [
  { id: `q${question}`, question, kind: 'original', text },
  ...(question % 3 === 0 ? [{ id: `e${question}`, question, kind: 'exact', text }] : []),
  ...(question % 4 === 0
    ? [{ id: `c${question}`, question, kind: 'case', text: ` ${text.toUpperCase().replaceAll(' ', '  ')}` }]
    : []),
]);
const rows = shuffle(
  labelled.map((_, at) => at),
  3,
).map((at) => labelled[at]!);
const run = (given: JsonObject, table: Row[], against?: Row[]) =>
  runStep(dedupe, { pool, with: given, inputs: { rows: table, ...(against && { against }) } });

/** Precision and recall of the pairs (duplicate, original) that were found, by the labels. */
function pairScores(table: Row[], duplicates: Row[], same: (a: Row, b: Row) => boolean) {
  const byId = new Map(table.map((row) => [row.id, row]));
  const right = duplicates.filter((row) => same(row, byId.get(String(row['dup_of']))!)).length;
  const seen: Row[] = [];
  let expected = 0;
  for (const row of table) {
    if (seen.some((other) => same(row, other))) expected++;
    else seen.push(row);
  }
  return { precision: right / duplicates.length, recall: right / expected };
}

describe('on a labelled table', () => {
  it('exact and normalized find all pairs and no other: F1 is 1', async () => {
    const exact = await run({ method: 'exact' }, rows);
    const equal = (a: Row, b: Row) => a['text'] === b['text'];
    expect(pairScores(rows, exact.tables['duplicates']!, equal)).toEqual({ precision: 1, recall: 1 });
    const normalized = await run({ method: 'normalized' }, rows);
    const one = (a: Row, b: Row) => a['question'] === b['question'];
    expect(pairScores(rows, normalized.tables['duplicates']!, one)).toEqual({ precision: 1, recall: 1 });
    expect(normalized.metrics['kept']).toBe(questions.length);
  });

  it.each(['exact', 'normalized', 'minhash', 'fuzzy'])(
    '%s: keep: first by id keeps the same rows whatever their order',
    async (method) => {
      const kept = async (table: Row[], keep: string) =>
        (await run({ method, keep, by: 'id' }, table)).tables['rows']!.map(({ id }) => id).sort();
      const first = await kept(rows, 'first');
      const last = await kept(rows, 'last');
      for (const seed of [1, 2]) {
        const shuffled = shuffle(
          rows.map((_, at) => at),
          seed,
        ).map((at) => rows[at]!);
        expect(await kept(shuffled, 'first')).toEqual(first);
        expect(await kept(shuffled, 'last')).toEqual(last);
      }
      expect(last).not.toEqual(first);
    },
  );

  it.each(['exact', 'normalized'])(
    '%s: in two runs, against what the first kept, as in one',
    async (method) => {
      const half = Math.floor(rows.length / 2);
      const whole = await run({ method }, rows);
      const earlier = await run({ method }, rows.slice(0, half));
      const later = await run({ method }, rows.slice(half), earlier.tables['rows']!);
      const idsOf = (table: Row[]) => table.map(({ id }) => id);
      expect([...idsOf(earlier.tables['rows']!), ...idsOf(later.tables['rows']!)]).toEqual(
        idsOf(whole.tables['rows']!),
      );
    },
  );
});

it('minhash: the share of the pairs that it finds is within two points of what theory says', async () => {
  const next = uniform(7);
  // Words are dropped and changed, so that similarities are spread around the threshold.
  const texts = questions.slice(0, 300).flatMap((text) => {
    const words = text.split(' ');
    const changed = words.map((word) => (next() < 0.06 ? `${word}s` : word));
    const dropped = words.filter(() => next() > 0.08);
    return [text, changed.join(' '), dropped.join(' '), [...words, words[0]].join(' ')];
  });
  const threshold = 0.6;
  const shingling = { unit: 'char', size: 5 } as const;
  const packed = packTexts(texts);
  const similarity = openSimilarity(packed, { kind: 'jaccard', shingling });
  const everyone = Int32Array.from(texts.keys());
  let found = 0;
  let pairs = 0;
  let theory = 0;
  const similar = new Map<string, number>();
  for (let a = 0; a < texts.length; a++)
    for (let b = a + 1; b < Math.min(texts.length, a - (a % 4) + 4); b++) {
      const own = similarity(a, b, 0);
      if (own >= threshold && texts[a] !== texts[b]) similar.set(`${a} ${b}`, own);
    }
  for (const seed of [1, 2, 3]) {
    // Few permutations and a low weight on missed pairs: then many are missed, and there is something to compare.
    const options = {
      threshold,
      measure: { kind: 'jaccard', shingling } as const,
      shingling,
      jaccard: threshold,
    };
    const index = await indexTexts(packed, { ...options, permutations: 24, missWeight: 0.5, seed }, workers);
    const { left, right } = await linkedPairs(index, everyone, workers, true);
    const linked = new Set(
      [...left].map((own, at) => `${Math.min(own, right[at]!)} ${Math.max(own, right[at]!)}`),
    );
    const { bands, rows: bandRows } = optimalBands(threshold, 24, 0.5);
    for (const [pair, own] of similar) {
      pairs++;
      theory += 1 - (1 - own ** bandRows) ** bands;
      if (linked.has(pair)) found++;
    }
  }
  expect(pairs).toBeGreaterThan(2000);
  expect(Math.abs(found - theory) / pairs).toBeLessThan(0.02);
});
