import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { runStep } from '../../test/run-step.ts';
import dedupe from './index.ts';

const rows = (...texts: unknown[]): Row[] => texts.map((text, index) => ({ id: `r${index}`, text }) as Row);
const ids = (table: Row[] | undefined) => table?.map((row) => row.id);

const question = 'How do I find out where my new card is, and when will it be delivered to me?';
const asked = [
  question,
  'Something else entirely, about exchange rates in foreign countries.',
  question.replace('find out', 'find  Out'),
  question.replace('delivered to me', 'delivered to us'),
];

describe.each(['minhash', 'fuzzy'])('dedupe, method %s', (method) => {
  it('finds texts that are nearly the same, and says how alike they are', async () => {
    const { tables, metrics } = await runStep(dedupe, {
      with: { method, threshold: 0.8 },
      inputs: { rows: rows(...asked, asked[1]) },
    });
    expect(ids(tables['rows'])).toEqual(['r0', 'r1']);
    const [spaced, changed, copied] = tables['duplicates']!;
    expect(spaced).toMatchObject({ id: 'r2', dup_of: 'r0', dup_kind: 'normalized', dup_score: 1 });
    expect(changed).toMatchObject({ id: 'r3', dup_of: 'r0', dup_kind: method });
    expect(changed!['dup_score']).toBeGreaterThanOrEqual(0.8);
    expect(changed!['dup_score']).toBeLessThan(1);
    expect(copied).toMatchObject({ id: 'r4', dup_of: 'r1', dup_kind: 'exact', dup_score: 1 });
    expect(tables['groups']).toEqual([
      { id: 'r0', size: 3, least_score: changed!['dup_score'] },
      { id: 'r1', size: 2, least_score: 1 },
    ]);
    expect(metrics).toMatchObject({ removed: 3, removed_exact: 1, groups: 2, largest_group: 3, kept: 2 });
  });

  it('keeps the row that is wanted, not the first that is found', async () => {
    const { tables } = await runStep(dedupe, {
      with: { method, threshold: 0.8, keep: 'last' },
      inputs: { rows: rows(...asked) },
    });
    expect(ids(tables['rows'])).toEqual(['r1', 'r3']);
    expect(tables['duplicates']!.map((row) => row['dup_of'])).toEqual(['r3', 'r3']);
  });

  it('removes what is like a row of another table; what only is like such a row stays', async () => {
    const { tables, metrics } = await runStep(dedupe, {
      with: { method, threshold: 0.8 },
      inputs: { rows: rows(...asked), against: [{ id: 'test', text: question.replace('to me', 'to you') }] },
    });
    expect(ids(tables['rows'])).toEqual(['r1']);
    expect(new Set(tables['duplicates']!.map((row) => `${row['dup_of']} ${row['dup_in']}`))).toEqual(
      new Set(['test against']),
    );
    expect(metrics['removed_against']).toBe(3);
  });

  it.each([
    ['no rows', [], 0],
    ['one row', ['a'], 0],
    ['equal rows', Array.from({ length: 2000 }, () => 'the very same words'), 1999],
    ['empty texts', ['', '', ' ', 'a'], 1],
    ['missing texts', [null, null, 'a'], 0],
    ['long texts', ['long text '.repeat(10_000), `${'long text '.repeat(10_000)}b`, 'other'], 1],
    ['scripts without spaces', ['今日は天気がとてもいいですね', '今日は天気がとてもいいですね。', 'สวัสดี'], 1],
    ['broken characters', ['a\ud800', 'a\ud800', '\u0000'], 1],
    ['lists and numbers', [['x', 1], ['x', 1], 5, 5], 2],
  ])('takes %s', async (_, texts, removed) => {
    const { metrics, tables } = await runStep(dedupe, {
      with: { method, threshold: 0.8 },
      inputs: { rows: rows(...texts) },
    });
    expect(metrics['removed']).toBe(removed);
    expect(tables['rows']!.length).toBe(texts.length - removed);
  });
});

it.each(['exact', 'normalized', 'minhash', 'fuzzy'])(
  'method %s takes every naughty string',
  async (method) => {
    const file = join(import.meta.dirname, '../../test/hostile/naughty-strings/blns.json');
    const texts = JSON.parse(readFileSync(file, 'utf8')) as string[];
    const { tables } = await runStep(dedupe, {
      with: { method },
      inputs: { rows: rows(...texts, ...texts) },
    });
    const [kept, removed] = [tables['rows']!, tables['duplicates']!];
    expect(kept.length + removed.length).toBe(2 * texts.length);
    expect(kept.length).toBeLessThanOrEqual(new Set(texts).size);
  },
);

describe('dedupe, method semantic', () => {
  const angle = (degrees: number) => [
    Math.cos((degrees * Math.PI) / 180),
    Math.sin((degrees * Math.PI) / 180),
  ];
  const vectors = (table: Row[], ...values: number[][]) => ({
    matrix: { data: Float32Array.from(values.flat()), rows: values.length, columns: 2 },
    ids: table.map((row) => row.id),
  });

  it('removes rows that are like one that stays, and no row that is not', async () => {
    const table = rows('a', 'b', 'c', 'd');
    // Each is 20° from the next: a neighbour is alike (cos 20° = 0.94), the one after it is not.
    const given = vectors(table, angle(0), angle(20), angle(40), angle(60));
    const { tables, matrices } = await runStep(dedupe, {
      with: { method: 'semantic', threshold: 0.9 },
      inputs: { rows: table, vectors: given },
    });
    expect(ids(tables['rows'])).toEqual(['r0', 'r2']);
    expect(tables['duplicates']).toMatchObject([
      { id: 'r1', dup_of: 'r0', dup_kind: 'semantic', dup_score: 0.939693 },
      { id: 'r3', dup_of: 'r2', dup_kind: 'semantic' },
    ]);
    expect(matrices['vectors']).toMatchObject({ rows: 2, ids: ['r0', 'r2'] });
    const last = await runStep(dedupe, {
      with: { method: 'semantic', keep: 'last' },
      inputs: { rows: table, vectors: given },
    });
    expect(ids(last.tables['rows'])).toEqual(['r1', 'r3']);
  });

  it('keeps rows without a direction, and needs vectors of the rows', async () => {
    const table = rows('a', 'b');
    const { metrics, warnings } = await runStep(dedupe, {
      with: { method: 'semantic' },
      inputs: { rows: table, vectors: vectors(table, [0, 0], [0, 0]) },
    });
    expect(metrics['removed']).toBe(0);
    expect(warnings).toEqual(['2 of 2 vectors are all zeros; their rows were kept']);
    const bad = (inputs: object) =>
      runStep(dedupe, { with: { method: 'semantic' }, inputs: inputs as never });
    await expect(bad({ rows: table })).rejects.toMatchObject({ code: 'no-vectors' });
    await expect(
      bad({ rows: table, vectors: vectors(table, [0, Number.NaN], [0, 1]) }),
    ).rejects.toMatchObject({
      code: 'bad-vector',
    });
    await expect(bad({ rows: table, vectors: vectors(rows('a'), [0, 1]) })).rejects.toMatchObject({
      code: 'rows-differ',
    });
  });

  it('removes what is like a row of another table', async () => {
    const table = rows('a', 'b', 'c');
    const tests: Row[] = [
      { id: 't0', text: 'x' },
      { id: 't1', text: 'y' },
    ];
    const { tables } = await runStep(dedupe, {
      with: { method: 'semantic' },
      inputs: {
        rows: table,
        vectors: vectors(table, angle(0), angle(80), angle(160)),
        against: tests,
        against_vectors: vectors(tests, angle(90), angle(82)),
      },
    });
    expect(ids(tables['rows'])).toEqual(['r0', 'r2']);
    expect(tables['duplicates']).toMatchObject([{ id: 'r1', dup_of: 't1', dup_in: 'against' }]);
  });

  it('gives the same rows within clusters with any number of them that tells groups apart', async () => {
    const values = Array.from({ length: 60 }, (_, index) => angle(90 * (index % 4) + (index % 3)));
    const table = rows(...values.map((_, index) => `text ${index}`));
    const kept = async (clusters: number | null) =>
      ids(
        (
          await runStep(dedupe, {
            with: { method: 'semantic', n_clusters: clusters },
            inputs: { rows: table, vectors: vectors(table, ...values) },
          })
        ).tables['rows'],
      );
    expect(await kept(null)).toEqual(['r0', 'r1', 'r2', 'r3']);
    expect(await kept(4)).toEqual(['r0', 'r1', 'r2', 'r3']);
  });

  it('takes no rows, and rows that are all equal', async () => {
    const many = rows(...Array.from({ length: 1500 }, () => 'x'));
    const equal = await runStep(dedupe, {
      with: { method: 'semantic' },
      inputs: { rows: many, vectors: vectors(many, ...many.map(() => [3, 4])) },
    });
    expect(equal.metrics).toMatchObject({ kept: 1, largest_group: 1500 });
    const none = await runStep(dedupe, {
      with: { method: 'semantic' },
      inputs: { rows: [], vectors: vectors([]) },
    });
    expect(none.metrics).toMatchObject({ kept: 0, removed_share: 0 });
  });
});
