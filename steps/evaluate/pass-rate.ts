import type { Row } from '../../engine/artefacts.ts';
import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepResult } from '../../engine/step.ts';
import { normalQuantile } from '../../numerics/calibration.ts';
import { fisherExact } from '../../numerics/count-tails.ts';
import { benjaminiHochberg } from '../../numerics/false-discovery.ts';
import { wilsonInterval } from '../../numerics/proportion.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { nameOf } from './labels.ts';
import type { Scoring } from './scoring.ts';

/** Rows of a group: how many, and how many of them pass. */
interface Count {
  rows: number;
  passed: number;
}

interface Group extends Count {
  /** What the values of the fields read as, null for none, as JSON: no two groups have the same. */
  key: string;
  /** The same to be read: `openai/gpt-5-mini`. */
  name: string;
  /** The values of the fields. */
  values: Json[];
  /** The key of all fields but the first. */
  beside: string;
}

/** Share of the rows that pass, over all and by the values of fields, with Wilson's interval and how sure a difference from the others is. */
export async function scorePassRate({ parameters, inputs, outputs, context }: Scoring): Promise<StepResult> {
  const { passed, confidence_level } = parameters;
  const by = parameters.by === undefined ? [] : [parameters.by].flat();
  requireFields(inputs.rows, [passed, ...by]);
  const groups = new Map<string, Group>();
  const all: Count = { rows: 0, passed: 0 };
  let without = 0;
  for await (const block of inputs.rows.blocks()) {
    for (const row of block) {
      const value = row[passed] ?? null;
      if (value === null) {
        without++;
        continue;
      }
      if (typeof value !== 'boolean')
        throw new StepError(
          'not-a-boolean',
          `row ${row.id}: ${passed} is ${JSON.stringify(value)}, not true or false`,
          'judge writes such a field: passed',
        );
      const group = groupOf(groups, row, by);
      for (const count of [group, all]) {
        count.rows++;
        if (value) count.passed++;
      }
    }
  }
  if (all.rows === 0)
    throw new StepError(
      'nothing-to-score',
      `no row has ${passed}`,
      'a score of nothing would pass any check, so there is none',
    );
  if (without > 0)
    context.warn(`${without} of ${inputs.rows.rows} rows have no ${passed}; they do not count`);
  const z = normalQuantile(confidence_level);
  const shares = (count: Count) => {
    const [low, high] = wilsonInterval(count.passed, count.rows, z);
    return {
      rows: count.rows,
      passed: count.passed,
      pass_rate: significant(count.passed / count.rows),
      pass_rate_low: significant(low),
      pass_rate_high: significant(high),
    };
  };
  const ordered = [...groups.values()].sort((a, b) =>
    a.name === b.name ? (a.key < b.key ? -1 : 1) : a.name < b.name ? -1 : 1,
  );
  const namesDiffer = new Set(ordered.map(({ name }) => name)).size === ordered.length;
  if (by.length === 0) await outputs.rows.write({ id: 'all', ...shares(all) });
  else
    for (const [place, compared] of comparedWithOthers(ordered).entries()) {
      const { key, name, values, ...count } = ordered[place]!;
      const row: Row = {
        id: namesDiffer ? name : key,
        ...Object.fromEntries(by.map((field, at) => [field, values[at]!])),
        ...shares(count),
        ...compared,
      };
      await outputs.rows.write(row);
    }
  return { metrics: { ...shares(all), excluded: without } };
}

function groupOf(groups: Map<string, Group>, row: Row, by: readonly string[]): Group {
  const names = by.map((field) => nameOf(row[field] ?? null) || null);
  const key = JSON.stringify(names);
  const known = groups.get(key);
  if (known) return known;
  const group = {
    key,
    name: names.map((name) => name ?? '(none)').join('/'),
    values: by.map((field, place) => (names[place] === null ? null : (row[field] ?? null))),
    beside: JSON.stringify(names.slice(1)),
    rows: 0,
    passed: 0,
  };
  groups.set(key, group);
  return group;
}

/**
 * How each group's share differs from that of the groups with which it has all fields but the first in common, and how sure that is: Fisher's
 * exact test, two-sided, adjusted for the number of groups (Benjamini & Hochberg 1995). Null of a group that has no others.
 */
function comparedWithOthers(groups: readonly Group[]) {
  const totals = new Map<string, Count>();
  for (const { beside, rows, passed } of groups) {
    const total = totals.get(beside) ?? { rows: 0, passed: 0 };
    totals.set(beside, { rows: total.rows + rows, passed: total.passed + passed });
  }
  const compared = groups.map(({ beside, rows, passed }) => {
    const total = totals.get(beside)!;
    const others = total.rows - rows;
    return others === 0
      ? null
      : {
          difference: passed / rows - (total.passed - passed) / others,
          pValue: fisherExact({ count: passed, drawn: rows, kind: total.passed, total: total.rows }),
        };
  });
  const known = compared.filter((one) => one !== null);
  const adjusted = benjaminiHochberg(known.map(({ pValue }) => pValue));
  let at = 0;
  return compared.map((one) => ({
    difference: one && significant(one.difference),
    p_value: one && significant(one.pValue),
    q_value: one && significant(adjusted[at++]!),
  }));
}
