import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { compileSchema } from '../../engine/workflow/schema-check.ts';
import { runStep } from '../../test/run-step.ts';
import dedupe from './index.ts';

const rows = (...texts: unknown[]): Row[] => texts.map((text, index) => ({ id: `r${index}`, text }) as Row);
const ids = (table: Row[] | undefined) => table?.map((row) => row.id);

describe('dedupe', () => {
  it('keeps the first of equal texts, in order, and says of whom the others are copies', async () => {
    const result = await runStep(dedupe, { inputs: { rows: rows('b', 'a', 'b', 'c', 'a', 'b') } });
    expect(ids(result.tables['rows'])).toEqual(['r0', 'r1', 'r3']);
    expect(result.tables['duplicates']).toEqual([
      { id: 'r2', text: 'b', dup_of: 'r0', dup_kind: 'exact', dup_score: 1 },
      { id: 'r4', text: 'a', dup_of: 'r1', dup_kind: 'exact', dup_score: 1 },
      { id: 'r5', text: 'b', dup_of: 'r0', dup_kind: 'exact', dup_score: 1 },
    ]);
    expect(result.tables['groups']).toEqual([
      { id: 'r0', size: 3, least_score: 1 },
      { id: 'r1', size: 2, least_score: 1 },
    ]);
    expect(result.metrics).toEqual({
      kept: 3,
      removed: 3,
      removed_share: 0.5,
      removed_exact: 3,
      removed_against: 0,
      groups: 2,
      largest_group: 3,
    });
  });

  it('tells what is equal as it stands from what is equal after normalisation', async () => {
    const input = rows('Hello  world', 'hello world ', 'HELLO\tWORLD', 'Hello  world', 'cafe\u0301', 'café');
    const result = await runStep(dedupe, { with: { method: 'normalized' }, inputs: { rows: input } });
    expect(ids(result.tables['rows'])).toEqual(['r0', 'r4']);
    expect(result.tables['duplicates']?.map((row) => row['dup_kind'])).toEqual([
      'normalized',
      'normalized',
      'exact',
      'normalized',
    ]);
    expect((await runStep(dedupe, { inputs: { rows: input } })).metrics['removed']).toBe(1);
  });

  it.each([
    ['last', ['r2', 'r3'], ['r3', 'r2']],
    ['longest', ['r1', 'r2'], ['r1', 'r2']],
    ['first', ['r0', 'r1'], ['r1', 'r0']],
  ])('keeps the %s', async (keep, kept, pointedAt) => {
    const input = rows('a  b', 'x   y', 'A    B', 'x y');
    const result = await runStep(dedupe, { with: { method: 'normalized', keep }, inputs: { rows: input } });
    expect(new Set(ids(result.tables['rows']))).toEqual(new Set(kept));
    expect(new Set(result.tables['duplicates']?.map((row) => row['dup_of']))).toEqual(new Set(pointedAt));
  });

  it('compares several fields, numbers, lists and missing values', async () => {
    const input: Row[] = [
      { id: '1', question: 'a', n: 1 },
      { id: '2', question: 'a', n: '1' },
      { id: '3', question: 'a', n: 1 },
      { id: '4', question: ['x', { b: 1, a: 2 }] },
      { id: '5', question: ['x', { a: 2, b: 1 }], n: null },
      { id: '6', other: true },
      { id: '7', question: null },
    ];
    const result = await runStep(dedupe, { with: { fields: ['question', 'n'] }, inputs: { rows: input } });
    expect(ids(result.tables['rows'])).toEqual(['1', '2', '4', '6', '7']);
    expect(result.warnings).toEqual([
      '2 of 7 rows have no question, n; they were kept, since nothing says that they are the same',
    ]);
  });

  it('normalises as it is told to', async () => {
    const removed = async (normalize: object, ...texts: string[]) =>
      (
        await runStep(dedupe, {
          with: { method: 'normalized', normalize: normalize as never },
          inputs: { rows: rows(...texts) },
        })
      ).metrics['removed'];
    expect(await removed({ punctuation: true }, 'Hi, there!', 'hi there', '?', '!')).toBe(1);
    expect(await removed({ diacritics: true }, 'Ação', 'acao', 'й', 'и')).toBe(2);
    expect(await removed({ unicode: 'NFKC' }, 'ﬁne', 'fine')).toBe(1);
    expect(await removed({ unicode: 'none' }, 'é', 'e\u0301')).toBe(0);
    expect(await removed({ numbers: true }, 'pay 10', 'pay 2000')).toBe(1);
    expect(await removed({ lowercase: false }, 'A b', 'a b')).toBe(0);
    expect(await removed({ whitespace: false }, 'a  b', 'a b')).toBe(0);
  });

  it('takes white space for what Python takes for it', async () => {
    const input = rows('a b', '\u0085a\x1cb ', 'a\u00a0 \n b', 'a\u3000b', 'ab');
    const { tables } = await runStep(dedupe, { with: { method: 'normalized' }, inputs: { rows: input } });
    expect(ids(tables['rows'])).toEqual(['r0', 'r4']);
  });

  it('tells broken characters apart', async () => {
    const input = rows('a\ud800', 'a\ud801', 'a\ud800');
    expect(ids((await runStep(dedupe, { inputs: { rows: input } })).tables['rows'])).toEqual(['r0', 'r1']);
  });

  it('normalises texts inside of lists and objects', async () => {
    const input = rows([{ role: 'user', content: 'Hello ' }], [{ role: 'User', content: 'hello' }]);
    expect(
      (await runStep(dedupe, { with: { method: 'normalized' }, inputs: { rows: input } })).metrics['removed'],
    ).toBe(1);
  });

  it('finds the 4 repeated questions of the banking77 training set', async () => {
    const file = resolve(import.meta.dirname, '../../use-cases/support-topics/data/queries.jsonl');
    const input = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row);
    const result = await runStep(dedupe, { with: { method: 'normalized' }, inputs: { rows: input } });
    expect(result.metrics).toMatchObject({ kept: 9999, removed: 4 });
  });

  it('says which fields there are when one is misspelt', async () => {
    const failing = runStep(dedupe, { with: { fields: ['txet'] }, inputs: { rows: rows('a') } });
    await expect(failing).rejects.toMatchObject({ code: 'missing-field', hint: 'did you mean "text"?' });
    expect((await runStep(dedupe, { inputs: { rows: [] } })).metrics).toMatchObject({
      kept: 0,
      removed: 0,
      removed_share: 0,
    });
  });

  it('refuses parameters that would have no effect, or miss another', () => {
    const problems = (given: object) =>
      dedupe
        .check?.(compileSchema(dedupe.parameters).parse(given as never))
        .map(({ parameter }) => parameter);
    expect(problems({ method: 'exact', normalize: { punctuation: true } })).toEqual([
      'normalize.punctuation',
    ]);
    expect(problems({ method: 'exact', normalize: { punctuation: false } })).toEqual([]);
    expect(problems({ threshold: 0.5, ngram: 3, n_clusters: 2 })).toEqual([
      'threshold',
      'ngram',
      'n_clusters',
    ]);
    expect(problems({ keep: 'best' })).toEqual(['by']);
    expect(problems({ keep: 'longest', by: 'score' })).toEqual(['by']);
  });

  it('keeps the newest or the best by a field, and says which rows have none', async () => {
    const input: Row[] = [
      { id: 'a', text: 'x', at: '2026-01-02', score: 1 },
      { id: 'b', text: 'x', at: '2026-11-21T09:15:02Z', score: 3 },
      { id: 'c', text: 'x', at: 'yesterday', score: 7 },
      { id: 'd', text: 'y' },
    ];
    const newest = await runStep(dedupe, { with: { keep: 'newest', by: 'at' }, inputs: { rows: input } });
    expect(ids(newest.tables['rows'])).toEqual(['b', 'd']);
    expect(newest.warnings).toEqual([expect.stringContaining('2 of 4 rows have no date in at')]);
    const numbers = [1_767_225_600, '2026-01-02', 'version 9'].map((at, n) => ({
      id: `n${n}`,
      text: 'x',
      at,
    }));
    const mixed = await runStep(dedupe, { with: { keep: 'newest', by: 'at' }, inputs: { rows: numbers } });
    expect(ids(mixed.tables['rows'])).toEqual(['n1']);
    const best = await runStep(dedupe, { with: { keep: 'best', by: 'score' }, inputs: { rows: input } });
    expect(ids(best.tables['rows'])).toEqual(['c', 'd']);
  });

  it('keeps the first or last in the order of a field, and a row without a value only where no other has one', async () => {
    const input: Row[] = [
      { id: 'none', text: 'x', at: null },
      { id: 'two', text: 'x', at: 2 },
      { id: 'text', text: 'x', at: 'a' },
      { id: 'one', text: 'x', at: 1 },
      { id: 'alone', text: 'y' },
    ];
    for (const [keep, kept] of [
      ['first', 'one'],
      ['last', 'text'],
    ] as const) {
      const { tables, warnings } = await runStep(dedupe, {
        with: { keep, by: 'at' },
        inputs: { rows: input },
      });
      expect(ids(tables['rows'])).toEqual([kept, 'alone']);
      expect(warnings).toEqual([expect.stringContaining('2 of 5 rows have no number or text in at')]);
    }
  });

  it('removes what is in another table, and finds the leaks of banking77', async () => {
    const result = await runStep(dedupe, {
      with: { method: 'normalized' },
      inputs: { rows: rows('a', 'b', 'A', 'c', 'c'), against: [{ id: 'test1', text: 'a' }] },
    });
    expect(ids(result.tables['rows'])).toEqual(['r1', 'r3']);
    expect(
      result.tables['duplicates']!.map((row) => [row.id, row['dup_of'], row['dup_kind'], row['dup_in']]),
    ).toEqual([
      ['r0', 'test1', 'exact', 'against'],
      ['r2', 'test1', 'normalized', 'against'],
      ['r4', 'r3', 'exact', 'rows'],
    ]);
    expect(result.metrics).toMatchObject({ removed: 3, removed_against: 2, groups: 1 });
  });

  it('keeps one row of each group, whatever is kept', async () => {
    const texts = fc.array(fc.constantFrom('a', 'A', ' a', 'b', 'bb', 'B b'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(texts, fc.constantFrom('first', 'last', 'longest'), async (list, keep) => {
        const input = rows(...list);
        const result = await runStep(dedupe, {
          with: { method: 'normalized', keep },
          inputs: { rows: input },
        });
        const form = (row: Row) => String(row['text']).trim().toLowerCase();
        const kept = result.tables['rows']!;
        expect(new Set(kept.map(form))).toEqual(new Set(input.map(form)));
        expect(kept.length).toBe(new Set(input.map(form)).size);
        expect(ids(kept)).toEqual(ids(input.filter((row) => kept.some(({ id }) => id === row.id))));
        for (const duplicate of result.tables['duplicates']!) {
          const original = kept.find((row) => row.id === duplicate['dup_of'])!;
          expect(form(original)).toBe(form(duplicate));
          expect(duplicate['dup_kind'] === 'exact').toBe(original['text'] === duplicate['text']);
        }
      }),
      { numRuns: 60 },
    );
  });
});
