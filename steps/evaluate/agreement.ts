import type { Row } from '../../engine/artefacts.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepResult, TableInput } from '../../engine/step.ts';
import {
  cohenKappa,
  fleissKappa,
  krippendorffAlpha,
  type Level,
  majority,
  type Ratings,
  rawAgreement,
} from '../../numerics/agreement.ts';
import { kendallTauB, spearman } from '../../numerics/rank-correlation.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { nameOf } from './labels.ts';
import type { Scoring } from './scoring.ts';

/** What a rater said of the rows, as codes. */
interface Rater {
  name: string;
  codes: Int32Array;
}

interface Table {
  raters: Rater[];
  /** What each code stands for; of numbers ascending, and else as texts in order. */
  names: string[];
  values: Float64Array;
  numeric: boolean;
}

/** More different values than this are no labels. */
const mostValues = 5000;

/** How far judges agree with each other, and with what people say. */
export async function scoreAgreement({ parameters, inputs, outputs, context }: Scoring): Promise<StepResult> {
  const { raters: judges, annotators = [], truth, level } = parameters;
  const known = truth === undefined ? annotators : [truth];
  const names = [...judges!, ...known];
  requireFields(inputs.rows, names);
  const table = await readRatings(inputs.rows, names, level);
  const own = table.raters.slice(0, judges!.length);
  const people = table.raters.slice(judges!.length);
  const right = people.length === 0 ? null : rightOf(people, truth ?? 'majority', table);
  const rated = (codes: Int32Array) => codes.reduce((sum, code) => sum + (code >= 0 ? 1 : 0), 0);
  for (const { name, codes } of table.raters) {
    const missing = inputs.rows.rows - rated(codes);
    if (missing > 0)
      context.warn(`${missing} of ${inputs.rows.rows} rows have no ${name}; they do not count for it`);
  }
  const noMajority = right && annotators.length > 1 ? withoutMajority(people, right) : 0;
  if (noMajority > 0)
    context.warn(`of ${noMajority} rows no answer has most annotators; judges are not measured by them`);
  const against = right === null ? [] : own.map((judge) => pairRow(judge, right, table, level));
  for (const row of against) await outputs.rows.write(row);
  for (const [first, second] of pairsOf(own)) await outputs.rows.write(pairRow(first, second, table, level));
  for (const [first, second] of pairsOf(people))
    await outputs.rows.write(pairRow(first, second, table, level));
  if (right !== null)
    for (const judge of own)
      for (const row of confusionRows(judge, right, table, own.length > 1))
        await outputs.contingency.write(row);
  const mean = (name: string) => {
    const found = against.map((row) => row[name]).filter((value) => typeof value === 'number');
    return found.length > 0 ? found.reduce((sum, value) => sum + value, 0) / found.length : Number.NaN;
  };
  return {
    metrics: onlyNumbers({
      ...groupMetrics(own, '', table, level),
      ...groupMetrics(people, 'annotators_', table, level),
      ...(right && {
        accuracy: mean('agreement'),
        kappa: mean('kappa'),
        spearman: mean('spearman'),
        kendall: mean('kendall'),
      }),
      ...(annotators.length > 1 && { no_majority: noMajority }),
      rows: inputs.rows.rows,
    }),
  };
}

async function readRatings(rows: TableInput, names: readonly string[], level: Level): Promise<Table> {
  const said: string[][] = names.map(() => []);
  for await (const block of rows.blocks())
    for (const row of block)
      for (const [rater, name] of names.entries()) said[rater]!.push(nameOf(row[name] ?? null));
  const found = [...new Set(said.flat())].filter((name) => name !== '');
  const numbers = found.map(Number);
  const numeric = found.length > 0 && numbers.every(Number.isFinite);
  if (found.length === 0)
    throw new StepError(
      'nothing-to-score',
      rows.rows === 0
        ? 'there are no rows to score'
        : `none of the ${rows.rows} rows has any of ${names.join(', ')}`,
      'a score of nothing would pass any check, so there is none',
    );
  if (found.length > mostValues)
    throw new StepError(
      'too-many-classes',
      `${names.join(', ')} have ${found.length} different values`,
      'ratings are few: are these the right fields?',
    );
  if (level !== 'nominal' && !numeric) {
    const wrong = found.find((name) => !Number.isFinite(Number(name)));
    throw new StepError(
      'not-a-number',
      `level ${level} is for numbers, and "${wrong}" is none`,
      'level: nominal is for names',
    );
  }
  const order = numeric ? found.sort((a, b) => Number(a) - Number(b)) : found.sort();
  // 1 and 1.0 are one rating.
  const values = numeric ? [...new Set(order.map(Number))] : order.map((_, code) => code);
  const codeOf = new Map(order.map((name, code) => [name, numeric ? values.indexOf(Number(name)) : code]));
  return {
    raters: names.map((name, rater) => ({
      name,
      codes: Int32Array.from(said[rater]!, (value) => codeOf.get(value) ?? -1),
    })),
    names: numeric ? values.map(String) : order,
    values: Float64Array.from(values),
    numeric,
  };
}

function together(raters: readonly Rater[], { values }: Table): Ratings {
  const units = raters[0]!.codes.length;
  const codes = new Int32Array(units * raters.length);
  for (const [rater, { codes: own }] of raters.entries())
    for (let unit = 0; unit < units; unit++) codes[unit * raters.length + rater] = own[unit]!;
  return { codes, units, raters: raters.length, values };
}

/** What is taken for right: the truth, or what most people say. */
function rightOf(people: readonly Rater[], name: string, table: Table): Rater {
  return people.length === 1 ? people[0]! : { name, codes: majority(together(people, table)) };
}

function withoutMajority(people: readonly Rater[], right: Rater): number {
  let count = 0;
  for (const [unit, code] of right.codes.entries())
    if (code < 0 && people.some(({ codes }) => codes[unit]! >= 0)) count++;
  return count;
}

/** How far two agree: share, kappas and correlations of ranks. */
function pairRow(first: Rater, second: Rater, table: Table, level: Level): Row {
  const { values, numeric } = table;
  const { units, share } = rawAgreement(first.codes, second.codes);
  const kappa = (weights?: 'linear' | 'quadratic') => cohenKappa(first.codes, second.codes, values, weights);
  const both = [...first.codes.keys()].filter((unit) => first.codes[unit]! >= 0 && second.codes[unit]! >= 0);
  const valuesOf = ({ codes }: Rater) => Float64Array.from(both, (unit) => values[codes[unit]!]!);
  const ranked = numeric && level !== 'nominal';
  return {
    id: JSON.stringify([first.name, second.name]),
    rater: first.name,
    other: second.name,
    rows: units,
    agreement: orNull(share),
    kappa: orNull(kappa()),
    ...(ranked && {
      kappa_linear: orNull(kappa('linear')),
      kappa_quadratic: orNull(kappa('quadratic')),
      spearman: orNull(spearman(valuesOf(first), valuesOf(second))),
      kendall: orNull(kendallTauB(valuesOf(first), valuesOf(second))),
    }),
    alpha: orNull(krippendorffAlpha(together([first, second], table), level)),
  };
}

function confusionRows(judge: Rater, right: Rater, { names }: Table, several: boolean): Row[] {
  const counts = new Map<string, { class: string; predicted: string; count: number }>();
  for (const [unit, code] of right.codes.entries()) {
    const given = judge.codes[unit]!;
    if (code < 0 || given < 0) continue;
    const key = JSON.stringify([...(several ? [judge.name] : []), names[code]!, names[given]!]);
    const cell = counts.get(key) ?? { class: names[code]!, predicted: names[given]!, count: 0 };
    cell.count++;
    counts.set(key, cell);
  }
  return [...counts]
    .map(([id, cell]) => ({ id, ...(several && { rater: judge.name }), ...cell }))
    .sort(
      (a, b) =>
        names.indexOf(a.class) - names.indexOf(b.class) || b.count - a.count || (a.id < b.id ? -1 : 1),
    );
}

function groupMetrics(raters: readonly Rater[], prefix: string, table: Table, level: Level) {
  if (raters.length < 2) return {};
  const ratings = together(raters, table);
  const pairs = pairsOf(raters).map(([a, b]) => cohenKappa(a.codes, b.codes, table.values));
  return {
    [`${prefix}alpha`]: krippendorffAlpha(ratings, level),
    [`${prefix}fleiss_kappa`]: fleissKappa(ratings),
    [`${prefix}mean_kappa`]: pairs.reduce((sum, kappa) => sum + kappa, 0) / pairs.length,
  };
}

function pairsOf(raters: readonly Rater[]): [Rater, Rater][] {
  return raters.flatMap((first, at) => raters.slice(at + 1).map((second): [Rater, Rater] => [first, second]));
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : significant(value);
}

function onlyNumbers(metrics: { [name: string]: number }): { [name: string]: number } {
  return Object.fromEntries(
    Object.entries(metrics)
      .filter(([, value]) => !Number.isNaN(value))
      .map(([name, value]) => [name, significant(value)]),
  );
}
