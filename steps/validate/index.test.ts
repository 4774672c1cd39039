import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import { compileSchema } from '../../engine/workflow/schema-check.ts';
import { runStep } from '../../test/run-step.ts';
import validate from './index.ts';

const pool = new WorkerPool({ threads: 1 });
const run = (expectations: JsonObject[], rows: Row[], options: JsonObject = {}, reference?: Row[]) =>
  runStep(validate, {
    pool,
    with: { expectations, ...options },
    inputs: { rows, ...(reference && { reference }) },
  });
const table = (...values: unknown[]): Row[] => values.map((value, at) => ({ id: `r${at}`, x: value }) as Row);
const ids = (rows: Row[] | undefined) => (rows ?? []).map(({ id }) => id);

/** An expectation, values of `x`, and those of them that do not fit. */
const rowCases: [JsonObject, unknown[], number[]][] = [
  [{ expect: 'not_null', field: 'x' }, [1, null, '', 0, false], [1]],
  [{ expect: 'unique', field: 'x' }, ['a', 'b', 'a', null, null, 1, '1', 'a'], [2, 7]],
  [{ expect: 'in_set', field: 'x', value_set: ['a', 1] }, ['a', 1, '1', null, 'b'], [2, 4]],
  [{ expect: 'not_in_set', field: 'x', value_set: ['a'] }, ['a', 'b', null], [0]],
  [{ expect: 'regex', field: 'x', regex: '^[a-z]+$' }, ['abc', 'aBc', 1, null, ''], [1, 2, 4]],
  [{ expect: 'not_regex', field: 'x', regex: '\\p{Lu}' }, ['abc', 'aBc', 'é'], [1]],
  [{ expect: 'range', field: 'x', min_value: 0, max_value: 1 }, [0, 1, 1.1, -1, 'a', null], [2, 3, 4]],
  [{ expect: 'range', field: 'x', min_value: '2025-01-01' }, ['2025-06-01', '2024-12-31', 5], [1, 2]],
  [
    { expect: 'length', field: 'x', min_value: 1, max_value: 2 },
    ['a', '👍🏽', 'abc', '', [1], [], 5],
    [2, 3, 5, 6],
  ],
  [{ expect: 'type', field: 'x', type: 'integer' }, [1, 1.5, '1', null], [1, 2]],
  [{ expect: 'type', field: 'x', type: 'object' }, [{ a: 1 }, [1], 'a'], [1, 2]],
  [{ expect: 'monotonic', field: 'x' }, [1, 2, 2, null, 1, 3], [4]],
  [{ expect: 'monotonic', field: 'x', direction: 'decreasing', strictly: true }, [5, 5, 4, 6, 3], [1, 3]],
];

it('says where numbers are expected and texts are there', async () => {
  const texts = table('1', '3');
  const hint = 'numbers of CSV are texts until load casts them: cast: { x: number }, or types: inferred';
  const wanted: JsonObject[] = [
    { expect: 'range', field: 'x', min_value: 2 },
    { expect: 'type', field: 'x', type: 'number' },
    { expect: 'in_set', field: 'x', value_set: [1, 3] },
  ];
  for (const expectation of wanted)
    await expect(run([expectation], texts)).rejects.toMatchObject({
      message: expect.stringContaining('x: 2 of 2 rows do not fit, being texts: "1" (row r0), "3" (row r1)'),
      hint,
    });
  await expect(run([{ expect: 'mean', field: 'x', max_value: 2 }], texts)).rejects.toMatchObject({ hint });
  const { warnings } = await run([{ ...wanted[0], severity: 'warn' }], texts);
  expect(warnings[0]).toContain(hint);
});

describe('validate: expectations of rows', () => {
  it.each(rowCases)('%j', async (expectation, values, wrong) => {
    const rows = table(...values);
    const { tables, metrics } = await run([expectation], rows, { on_fail: 'quarantine' });
    expect(ids(tables['quarantined'])).toEqual(wrong.map((at) => `r${at}`));
    expect(tables['rows']).toEqual(rows.filter((_, at) => !wrong.includes(at)));
    expect(metrics).toMatchObject({ failed: 1, kept: rows.length - wrong.length, quarantined: wrong.length });
    await expect(run([expectation], rows)).rejects.toMatchObject({ code: 'expectation-failed' });
    const good = rows.filter((_, at) => !wrong.includes(at));
    expect((await run([expectation], good)).metrics['failed']).toBe(0);
  });

  it('compare: two fields of a row', async () => {
    const rows: Row[] = [
      { id: 'a', from: 1, to: 2 },
      { id: 'b', from: 3, to: 2 },
      { id: 'c', from: 3, to: '4' },
      { id: 'd', from: 3 },
    ];
    const compare = async (operator: string) => {
      const expectation = { expect: 'compare', field: 'from', operator, other: 'to' };
      return ids((await run([expectation], rows, { on_fail: 'quarantine' })).tables['quarantined']);
    };
    expect(await compare('<')).toEqual(['b', 'c']);
    expect(await compare('>')).toEqual(['a', 'c']);
    expect(await compare('!=')).toEqual([]);
  });

  it('unique: several fields together; foreign_key: what another table has', async () => {
    const rows: Row[] = [
      { id: 'a', user: 1, turn: 1 },
      { id: 'b', user: 1, turn: 2 },
      { id: 'c', user: 1, turn: 1 },
      { id: 'd', user: 3, turn: 1 },
    ];
    const users = [{ id: 'u1', user: 1 }];
    const expectations: JsonObject[] = [
      { expect: 'unique', fields: ['user', 'turn'] },
      { expect: 'foreign_key', field: 'user', reference_field: 'user' },
    ];
    const { tables } = await run(expectations, rows, { on_fail: 'quarantine' }, users);
    expect(tables['quarantined']).toEqual([
      { ...rows[2], reasons: ['unique: user, turn'] },
      { ...rows[3], reasons: ['foreign_key: user'] },
    ]);
    await expect(run(expectations, rows)).rejects.toMatchObject({ code: 'no-reference' });
  });

  it('counts each reason, and the counts add up', async () => {
    const expectations: JsonObject[] = [
      { expect: 'range', field: 'x', max_value: 5 },
      { expect: 'in_set', field: 'x', value_set: [1, 2, 3] },
      { expect: 'range', field: 'x', max_value: 2, severity: 'warn', name: 'small' },
    ];
    const { tables, warnings } = await run(expectations, table(1, 2, 3, 4, 9), { on_fail: 'quarantine' });
    expect(tables['reasons']).toEqual([
      { id: 'in_set: x', reason: 'in_set: x', rows: 2, share: 0.4, alone: 1 },
      { id: 'range: x', reason: 'range: x', rows: 1, share: 0.2, alone: 0 },
    ]);
    expect(ids(tables['rows'])).toEqual(['r0', 'r1', 'r2']);
    expect(warnings).toEqual(['small: 3 of 5 rows do not fit: 3 (row r2), 4 (row r3), 9 (row r4)']);
    expect(tables['results']!.map(({ id, passed, unexpected }) => [id, passed, unexpected])).toEqual([
      ['range: x', false, 1],
      ['in_set: x', false, 2],
      ['small', false, 3],
    ]);
  });

  it('fails with all that does not hold and the first values; mostly lets some pass', async () => {
    const expectation = { expect: 'range', field: 'x', max_value: 5 };
    const rows = table(1, 2, 3, 9);
    await expect(run([expectation, { expect: 'row_count', min_value: 10 }], rows)).rejects.toMatchObject({
      message:
        '2 of 2 expectations do not hold\nrange: x: 1 of 4 rows do not fit: 9 (row r3)\nrow_count: 4 is not at least 10',
      hint: expect.stringContaining('on_fail: quarantine'),
    });
    const { tables, metrics } = await run([{ ...expectation, mostly: 0.75 }], rows);
    expect(metrics).toMatchObject({ failed: 0, quarantined: 1 });
    expect(ids(tables['quarantined'])).toEqual(['r3']);
    // 93 of 100, of which 1 - 0.07 is less than 0.93 in float64.
    const most = [{ expect: 'range', field: 'x', max_value: 92, mostly: 0.93 }];
    expect((await run(most, table(...spread))).metrics).toMatchObject({ failed: 0, quarantined: 7 });
  });

  it('knows equal objects, whatever the order of their fields', async () => {
    const [x, y] = [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ];
    const rows = [{ id: 'r0', x, y }];
    const held: JsonObject[] = [
      { expect: 'compare', field: 'x', operator: '==', other: 'y' },
      { expect: 'foreign_key', field: 'x' },
    ];
    expect((await run(held, rows, {}, [{ id: 'k', x: y }])).metrics['failed']).toBe(0);
    const wanted: JsonObject[] = [
      { expect: 'distinct_count', field: 'x', max_value: 1 },
      { expect: 'unique', field: 'x', severity: 'warn' },
    ];
    expect((await run(wanted, table(x, y))).metrics).toMatchObject({ failed: 0, warned: 1 });
  });

  it('shows whole characters of long values', async () => {
    const long = `${'a'.repeat(78)}${'😀'.repeat(9)}`;
    const { tables } = await run(
      [{ expect: 'length', field: 'x', max_value: 5 }],
      table(long, '\ud800'.repeat(6)),
      { on_fail: 'quarantine' },
    );
    const shown = tables['results']![0]!['examples'] as { value: string }[];
    expect(shown.map(({ value }) => value.isWellFormed())).toEqual([true, true]);
  });
});

/** An expectation of the table, values of `x`, whether it holds, and what is observed. */
const tableCases: [JsonObject, unknown[], boolean, number | null][] = [
  [{ expect: 'row_count', min_value: 2, max_value: 3 }, [1, 2, 3], true, 3],
  [{ expect: 'row_count', min_value: 4 }, [1, 2, 3], false, 3],
  [{ expect: 'columns', fields: ['x'] }, [1], true, 2],
  [{ expect: 'columns', fields: ['x', 'y'] }, [1], false, 2],
  [{ expect: 'columns', fields: ['id'], exact: true }, [1], false, 2],
  [{ expect: 'distinct_count', field: 'x', max_value: 2 }, ['a', 'b', 'a', null], true, 2],
  [{ expect: 'mean', field: 'x', min_value: 2, max_value: 3 }, [1, 2, 6, null], true, 3],
  [{ expect: 'mean', field: 'x', min_value: 0 }, ['a', null], false, null],
  [{ expect: 'std', field: 'x', max_value: 1 }, [0, 2, 4], false, 2],
  [{ expect: 'quantile', field: 'x', max_value: 2 }, [1, 2, 100], true, 2],
  [{ expect: 'quantile', field: 'x', q: 0.9, max_value: 2 }, [1, 2, 100], false, 80.4],
];
const spread = Array.from({ length: 100 }, (_, at) => at);

describe('validate: expectations of the table', () => {
  it.each(tableCases)('%j', async (expectation, values, holds, observed) => {
    const { tables, warnings } = await run([{ ...expectation, severity: 'warn' }], table(...values));
    expect(tables['results']![0]).toMatchObject({ passed: holds, observed });
    expect(warnings.length).toBe(holds ? 0 : 1);
    const strict = run([expectation], table(...values), { on_fail: 'quarantine' });
    if (holds) expect((await strict).metrics['failed']).toBe(0);
    else await expect(strict).rejects.toMatchObject({ code: 'expectation-failed' });
  });

  it.each(['psi', 'js_distance', 'ks'])('%s: a shift of numbers from a reference', async (expect_) => {
    const held = async (values: (number | string)[], field = 'x') => {
      const { tables } = await run(
        [{ expect: expect_, field, severity: 'warn' }],
        table(...values),
        {},
        table(...spread),
      );
      return tables['results']![0]!['passed'];
    };
    expect(await held(spread.toReversed())).toBe(true);
    expect(await held(spread.map((value) => value + 50))).toBe(false);
    expect(await held([])).toBe(false);
    expect(await held([...spread, ...spread.map(String)])).toBe(false);
    expect(await held(spread.map(String))).toBe(false);
    const strict = run([{ expect: expect_, field: 'x' }], table(...spread.map(String)), {}, table(...spread));
    await expect(strict).rejects.toMatchObject({ hint: expect.stringContaining('cast: { x: number }') });
    const mixed = table(...spread, ...Array(50).fill('n/a'));
    expect((await run([{ expect: expect_, field: 'x' }], mixed, {}, mixed)).metrics['failed']).toBe(0);
  });

  it('psi: a shift of categories', async () => {
    const labels = table(...spread.map((at) => (at % 2 === 0 ? 'a' : 'b')));
    const others = table(...spread.map((at) => (at % 10 === 0 ? 'a' : 'c')));
    const expectation = { expect: 'psi', field: 'x', severity: 'warn' };
    expect((await run([expectation], labels, {}, labels)).metrics['warned']).toBe(0);
    expect((await run([expectation], others, {}, labels)).metrics['warned']).toBe(1);
    const numbered = table(...spread.map((at) => (at % 4 === 0 ? 'a' : at % 2 === 0 ? 'b' : at)));
    expect((await run([expectation], numbered, {}, labels)).metrics['warned']).toBe(1);
  });
});

describe('validate: at its edges', () => {
  const all = rowCases.map(([expectation]) => expectation);

  it('takes no rows, equal rows, long texts and every naughty string', async () => {
    expect((await run(all, [])).metrics).toMatchObject({ failed: 0, quarantined: 0 });
    const file = join(import.meta.dirname, '../../test/hostile/naughty-strings/blns.json');
    const naughty = JSON.parse(readFileSync(file, 'utf8')) as string[];
    for (const values of [['a', 'a', 'a'], ['x'.repeat(100_000), ''], naughty]) {
      const { metrics } = await run(all, table(...values), { on_fail: 'quarantine' });
      expect(Number(metrics['kept']) + Number(metrics['quarantined'])).toBe(values.length);
    }
  });

  it('says what is wrong with an expectation', () => {
    const parse = (expectation: JsonObject) =>
      validate.check!(compileSchema(validate.parameters).parse({ expectations: [expectation] })).map(
        ({ message }) => message,
      );
    expect(parse({ expect: 'range', field: 'x' })).toEqual([
      'number 1 (range) needs `min_value` or `max_value`',
    ]);
    expect(parse({ expect: 'unique' })).toEqual(['number 1 (unique) needs `field` or `fields`']);
    expect(parse({ expect: 'compare', field: 'x' })).toHaveLength(2);
    expect(parse({ expect: 'regex', field: 'x', regex: '(' })[0]).toContain('Invalid regular expression');
    expect(parse({ expect: 'mean', field: 'x', min_value: 'a' })[0]).toContain('"a" is none');
    expect(parse({ expect: 'not_null', field: 'x' })).toEqual([]);
  });

  it('names a field that is not there', async () => {
    await expect(run([{ expect: 'not_null', field: 'y' }], table(1))).rejects.toMatchObject({
      code: 'missing-field',
    });
  });
});
