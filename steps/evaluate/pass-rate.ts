import type { Row } from '../../engine/artefacts.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepResult } from '../../engine/step.ts';
import { normalQuantile } from '../../numerics/calibration.ts';
import { wilsonInterval } from '../../numerics/proportion.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { nameOf } from './labels.ts';
import type { Scoring } from './scoring.ts';

/** Share of the rows that pass, over all and by the values of a field, with Wilson's interval. */
export async function scorePassRate({ parameters, inputs, outputs, context }: Scoring): Promise<StepResult> {
  const { passed, by, confidence_level } = parameters;
  requireFields(inputs.rows, by === undefined ? [passed] : [passed, by]);
  const groups = new Map<string, { rows: number; passed: number }>();
  const all = { rows: 0, passed: 0 };
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
      const name = by === undefined ? '' : nameOf(row[by] ?? null);
      const group = groups.get(name) ?? { rows: 0, passed: 0 };
      groups.set(name, group);
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
  const shares = (count: { rows: number; passed: number }) => {
    const [low, high] = wilsonInterval(count.passed, count.rows, z);
    return {
      rows: count.rows,
      passed: count.passed,
      pass_rate: significant(count.passed / count.rows),
      pass_rate_low: significant(low),
      pass_rate_high: significant(high),
    };
  };
  if (by !== undefined)
    for (const [name, count] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const row: Row = {
        id: name === '' ? '(none)' : name,
        [by]: name === '' ? null : name,
        ...shares(count),
      };
      await outputs.rows.write(row);
    }
  else await outputs.rows.write({ id: 'all', ...shares(all) });
  return { metrics: { ...shares(all), excluded: without } };
}
