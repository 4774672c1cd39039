import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { uniform } from '../../numerics/random.ts';
import { runStep } from '../../test/run-step.ts';
import evaluate from './index.ts';

const known = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../numerics/fixtures/agreement.json'), 'utf8'),
) as {
  ordinal: { a: number[]; b: number[]; spearman: number; kendall_tau_b: number; [value: string]: unknown };
  pandalm: {
    annotators: string[];
    gpt35: string;
    cohen_kappa_pairs: Record<string, number>;
    fleiss_kappa: number;
    krippendorff_alpha_nominal: number;
    gpt35_against_majority: Record<string, number>;
  };
};

const scored = (given: JsonObject, rows: Row[]) =>
  runStep(evaluate, { with: given, inputs: { rows } }).then(({ tables, metrics, warnings }) => ({
    rows: tables['rows']!,
    cells: tables['contingency']!,
    metrics,
    warnings,
  }));

const pandalm: Row[] = Array.from(known.pandalm.gpt35, (said, index) => ({
  id: `p${index}`,
  one: known.pandalm.annotators[0]![index]!,
  two: known.pandalm.annotators[1]![index]!,
  three: known.pandalm.annotators[2]![index]!,
  judge: said === '-' ? null : Number(said),
}));

describe('agreement', () => {
  it('of a judge with what most people say, and of people with each other', async () => {
    const { metrics, rows, cells, warnings } = await scored(
      { task: 'agreement', raters: ['judge'], annotators: ['one', 'two', 'three'] },
      pandalm,
    );
    const theirs = known.pandalm.gpt35_against_majority;
    expect(metrics['accuracy']).toBeCloseTo(theirs['accuracy']!, 6);
    expect(metrics['kappa']).toBeCloseTo(theirs['cohen_kappa']!, 6);
    expect(metrics['annotators_fleiss_kappa']).toBeCloseTo(known.pandalm.fleiss_kappa, 6);
    expect(metrics['annotators_alpha']).toBeCloseTo(known.pandalm.krippendorff_alpha_nominal, 6);
    expect(rows.map(({ rater, other }) => `${rater} ${other}`)).toEqual([
      'judge majority',
      'one two',
      'one three',
      'two three',
    ]);
    expect(rows[1]!['kappa']).toBeCloseTo(known.pandalm.cohen_kappa_pairs['1-2']!, 6);
    expect(cells.reduce((sum, { count }) => sum + (count as number), 0)).toBe(478);
    expect(warnings).toEqual(['22 of 500 rows have no judge; they do not count for it']);
  });

  it('of ordinal ratings has weights and ranks', async () => {
    const { a, b } = known.ordinal;
    const { rows, metrics } = await scored(
      { task: 'agreement', raters: ['a', 'b'], level: 'ordinal' },
      a.map((value, index) => ({ id: `r${index}`, a: value, b: b[index]! })),
    );
    expect(metrics['alpha']).toBeCloseTo(known.ordinal['alpha_ordinal'] as number, 5);
    const [row] = rows;
    for (const [name, value] of [
      ['kappa', known.ordinal['kappa']],
      ['kappa_linear', known.ordinal['kappa_linear']],
      ['kappa_quadratic', known.ordinal['kappa_quadratic']],
      ['spearman', known.ordinal.spearman],
      ['kendall', known.ordinal.kendall_tau_b],
    ] as const)
      expect(row![name], name).toBeCloseTo(value as number, 5);
  });

  it('needs numbers for levels of numbers, and something to score', async () => {
    const rows = [{ id: 'a', x: 'good', y: 'bad' }];
    await expect(
      scored({ task: 'agreement', raters: ['x', 'y'], level: 'interval' }, rows),
    ).rejects.toMatchObject({
      code: 'not-a-number',
      message: 'level interval is for numbers, and "good" is none',
    });
    await expect(scored({ task: 'agreement', raters: ['x', 'y'] }, [])).rejects.toMatchObject({
      code: 'nothing-to-score',
    });
    await expect(scored({ task: 'agreement', raters: ['x', 'z'] }, rows)).rejects.toMatchObject({
      code: 'missing-field',
    });
  });
});

describe('ratings', () => {
  const game = (index: number, winner: string, more: JsonObject = {}): Row => ({
    id: `g${index}`,
    left: index % 2 === 0 ? 'big' : 'small',
    right: index % 2 === 0 ? 'small' : 'big',
    winner,
    ...more,
  });

  it('make a table of players with intervals', async () => {
    const games = Array.from({ length: 40 }, (_, index) =>
      game(index, index < 28 ? 'big' : index < 36 ? 'small' : 'tie'),
    );
    const { rows, cells, metrics } = await scored(
      { task: 'ratings', players: ['left', 'right'], resamples: 200 },
      games,
    );
    expect(rows).toMatchObject([
      { player: 'big', games: 40, wins: 28, losses: 8, ties: 4, win_rate: 0.75 },
      { player: 'small', wins: 8, losses: 28 },
    ]);
    const [big, small] = rows as [Row, Row];
    expect(Number(big['rating']) - Number(small['rating'])).toBeCloseTo(400 * Math.log10(3), 0);
    expect(Number(big['rating_low'])).toBeGreaterThan(1000);
    expect(Number(big['rating_high'])).toBeGreaterThan(Number(big['rating']));
    expect(Number(big['elo'])).toBeGreaterThan(1000);
    expect(cells).toEqual([
      { id: '["big","small"]', class: 'big', predicted: 'small', count: 30 },
      { id: '["small","big"]', class: 'small', predicted: 'big', count: 10 },
    ]);
    expect(metrics).toMatchObject({ games: 40, players: 2, ties: 4 });
  });

  it('correct for length, and take a prior where nobody ever lost', async () => {
    const games = Array.from({ length: 40 }, (_, index) =>
      game(index, index % 10 === 0 ? '2' : '1', {
        a: index % 10 === 0 ? 'x' : 'xxxxxxxxx',
        b: index % 10 === 0 ? 'xxxxxxxxx' : 'x',
      }),
    );
    const labels = ['1', '2', '0'];
    const given = { task: 'ratings', players: ['left', 'right'], labels, resamples: 0 };
    const { rows, metrics } = await scored({ ...given, lengths: ['a', 'b'] }, games);
    expect(metrics['length_effect']).toBeGreaterThan(2);
    expect(rows[0]!['rating_length_corrected']).toBeDefined();
    const unbeaten = await scored({ task: 'ratings', players: ['left', 'right'], resamples: 0 }, [
      game(0, 'big'),
    ]);
    expect(unbeaten.warnings[0]).toContain('no greatest likelihood');
    await expect(scored({ ...given }, [game(0, 'left')])).rejects.toMatchObject({
      code: 'unknown-winner',
      hint: 'labels has 1, 2, 0',
    });
  });
});

it('pass rates are those of all rows and of groups, with intervals', async () => {
  const rows = Array.from({ length: 100 }, (_, index) => ({
    id: `r${index}`,
    topic: index < 60 ? 'a' : 'b',
    passed: index < 95,
  }));
  const { rows: groups, metrics } = await scored({ task: 'pass_rate', by: 'topic' }, rows);
  expect(metrics).toMatchObject({
    rows: 100,
    passed: 95,
    pass_rate: 0.95,
    pass_rate_low: 0.88825,
    pass_rate_high: 0.978456,
  });
  expect(groups).toMatchObject([
    { id: 'a', topic: 'a', rows: 60, pass_rate: 1 },
    { id: 'b', rows: 40, pass_rate: 0.875 },
  ]);
  await expect(scored({ task: 'pass_rate' }, [{ id: 'a', passed: 'yes' }])).rejects.toMatchObject({
    code: 'not-a-boolean',
  });
});

it('tells in which clusters a model passes more or less often than elsewhere, and nothing where there is nothing', async () => {
  const next = uniform(6);
  const rows = (planted: boolean) =>
    Array.from({ length: 2400 }, (_, index) => {
      const [cluster, model] = [index % 12, Math.floor(index / 12) % 2 === 0 ? 'small' : 'large'];
      const weak = planted && cluster === 4;
      return {
        id: `r${index}`,
        cluster,
        model,
        passed: next() < (model === 'large' ? 0.9 : weak ? 0.35 : 0.7),
      };
    });
  const task = { task: 'pass_rate', by: ['cluster', 'model'] };
  const told = (groups: Row[]) => groups.filter(({ q_value }) => Number(q_value) <= 0.05);
  const found = told((await scored(task, rows(true))).rows);
  expect(found.map(({ id }) => id)).toEqual(['4/small']);
  expect(found[0]).toMatchObject({ cluster: 4, model: 'small', rows: 100 });
  expect(found[0]!['difference']).toBeCloseTo(-0.35, 1);
  let wrong = 0;
  for (let round = 0; round < 20; round++)
    if (told((await scored(task, rows(false))).rows).length > 0) wrong++;
  expect(wrong).toBeLessThanOrEqual(1);
  // Names that have a slash are no others, nor is one that reads as none does.
  const names = [
    ['openai/a', 'x'],
    ['openai', 'a/x'],
    ['openai', '(none)'],
    ['openai', null],
  ].map(([cluster, model], index) => ({ id: `r${index}`, cluster, model, passed: true }));
  const apart = (await scored(task, names)).rows;
  expect(apart.map(({ cluster, model, rows }) => [cluster, model, rows])).toEqual([
    ['openai', '(none)', 1],
    ['openai', null, 1],
    ['openai', 'a/x', 1],
    ['openai/a', 'x', 1],
  ]);
  expect(new Set(apart.map(({ id }) => id)).size).toBe(4);
  const alone = await scored({ task: 'pass_rate', by: 'model' }, [{ id: 'a', model: 'x', passed: true }]);
  expect(alone.rows[0]).toMatchObject({ difference: null, p_value: null, q_value: null });
});

it('calibration says what a judge gives too much, and the mean that people would give', async () => {
  const rows = Array.from({ length: 200 }, (_, index) => {
    const truth = 1 + (index % 4);
    return { id: `r${index}`, score: truth + 1, person: index % 5 === 0 ? truth : null };
  });
  const { rows: scores, metrics } = await scored({ task: 'calibration', truth: 'person' }, rows);
  expect(metrics).toMatchObject({ labelled: 40, rows: 200, bias: 1, estimate: 2.5, spearman: 1 });
  expect(scores.map(({ from, calibrated }) => [from, calibrated])).toEqual([
    [2, 1],
    [3, 2],
    [4, 3],
    [5, 4],
  ]);
});

it('calibrated scores are those of people, between and beyond the scores that they gave as well', async () => {
  const person = [2, 2, 4, 3, 8];
  const score = [1, 1, 2, 3, 5];
  const { tables } = await runStep(evaluate, {
    with: { task: 'calibration', truth: 'person' },
    inputs: {
      rows: [
        ...score.map((value, index) => ({ id: `p${index}`, score: value, person: person[index]! })),
        ...[0, 1.5, 2.5, 4, 9].map((value) => ({ id: `s${value}`, score: value, person: null })),
        { id: 'none', score: null, person: null },
      ],
    },
  });
  // As scikit-learn's IsotonicRegression(out_of_bounds="clip") has them.
  expect(tables['calibrated']!.map(({ id, calibrated }) => [id, calibrated])).toEqual([
    ['p0', 2],
    ['p1', 2],
    ['p2', 3.5],
    ['p3', 3.5],
    ['p4', 8],
    ['s0', 2],
    ['s1.5', 2.75],
    ['s2.5', 3.5],
    ['s4', 5.75],
    ['s9', 8],
  ]);
});

it('cost is that of the answers, for each row and model', async () => {
  const answer = (id: string, row: string, model: string, usd: number | null): Row => ({
    id,
    row,
    model,
    usage: { input_tokens: 100, output_tokens: 10 },
    usd,
  });
  const { rows, metrics, warnings } = await scored({ task: 'cost' }, [
    answer('1', 'a', 'big', 0.04),
    answer('2', 'a', 'small', 0.01),
    answer('3', 'b', 'big', 0.05),
    { ...answer('4', 'b', 'small', null), failure: { code: 'x', message: 'y' } },
  ]);
  expect(metrics).toMatchObject({
    usd: 0.1,
    usd_per_row: 0.05,
    tokens_per_row: 220,
    answers: 3,
    failed: 1,
    unpriced: 1,
  });
  expect(rows).toMatchObject([
    { model: 'big', usd: 0.09, rows: 2 },
    { model: 'small', usd: 0.01, failed: 1 },
  ]);
  expect(warnings).toEqual(['of 1 answers no price is known; they are not in the cost']);
  await expect(scored({ task: 'cost' }, [{ id: 'a', model: 'm', usage: 1, usd: 1 }])).rejects.toMatchObject({
    code: 'no-answers',
  });
});

it('refuses parameters of other tasks, and asks for what a task needs', () => {
  const defaults = {
    task: 'clustering',
    metric: 'cosine',
    sample_size: 10_000,
    score: 'out_of_scope_score',
    level: 'nominal',
    winner: 'winner',
    k: 4,
    passed: 'passed',
    resamples: 1000,
    confidence_level: 0.95,
  };
  const problems = (given: JsonObject) =>
    evaluate.check!({ ...defaults, ...given }).map(({ message }) => message);
  expect(problems({ truth: 'label' })).toEqual([]);
  expect(problems({})).toEqual(['truth is needed for task clustering']);
  expect(problems({ truth: 'label', k: 8, level: 'ordinal' })).toEqual([
    'level has no effect with task clustering',
    'k has no effect with task clustering',
  ]);
  expect(problems({ task: 'agreement' })).toEqual(['raters is needed for task agreement']);
  expect(problems({ task: 'agreement', raters: ['a'] })[0]).toContain('one rater agrees with nobody');
  expect(problems({ task: 'agreement', raters: ['a'], truth: 'b', annotators: ['c'] })[0]).toContain(
    'give one',
  );
  expect(problems({ task: 'ratings', players: ['a', 'b'] })).toEqual([]);
});
