import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { defineStep, type StepContext, type TableInput } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { castAdvice } from '../texts-as-numbers.ts';
import {
  boundsOf,
  type Expectation,
  fieldsOf,
  isRowExpectation,
  mistakesIn,
  namesOf,
} from './expectation.ts';
import { parameters } from './parameters.ts';
import { isTextForNumber, openRowCheck, type RowCheck } from './row-checks.ts';
import { FieldValues, openTableCheck, type TableCheck } from './table-checks.ts';

/** Values that do not fit, shown of each expectation. */
const mostExamples = 5;

interface Report {
  name: string;
  expectation: Expectation;
  row?: RowCheck;
  table?: TableCheck;
  evaluated: number;
  unexpected: number;
  /** Of these, texts where numbers are expected. */
  texts: number;
  examples: { id: string; value: string }[];
}

export default defineStep({
  type: 'validate',
  summary: 'Holds a table to expectations, sets rows aside that break them, and fails or warns',
  description: `Expectations as those of Great Expectations, by shorter names. Of each row (missing values and nulls are looked at by \`not_null\` only):

| expect | a row fits if |
|---|---|
| \`not_null\` | it has a value in \`field\` |
| \`unique\` | no row before it has the same \`field\`, or the same \`fields\` together |
| \`in_set\`, \`not_in_set\` | the value is one of \`value_set\`, or none of them |
| \`regex\`, \`not_regex\` | the text matches, or does not |
| \`range\` | the number (or text: ISO dates) is from \`min_value\` to \`max_value\` |
| \`length\` | the text has so many characters, the list so many items |
| \`type\` | the value is of that \`type\` |
| \`compare\` | \`field\` stands to \`other\` as \`operator\` says |
| \`monotonic\` | the value does not fall below (with \`direction: decreasing\`: rise above) the one before it |
| \`foreign_key\` | the value is in \`reference_field\` of the input \`reference\` |

Of the table: \`row_count\`, \`columns\` (it has the \`fields\`), \`distinct_count\`, \`mean\`, \`std\`, \`quantile\` (\`q\`) of a field's numbers lie between \`min_value\` and
\`max_value\`; and a field is distributed as in \`reference\`, by the population stability index (\`psi\`), the Jensen-Shannon distance (\`js_distance\`; both for
numbers by quantiles and for categories; what is no number among numbers counts as a bin of its own) or the Kolmogorov-Smirnov statistic (\`ks\`), which stay below \`max_value\`. These are sizes of a shift and no p-values: those
are small for any difference if only there are rows enough.

A row that breaks an expectation with \`severity: fail\` goes to \`quarantined\` with its \`reasons\`. The step fails, naming what does not hold and the first values,
if of an expectation fewer than \`mostly\` of the rows fit, or one of the table does not hold. To keep on with the good rows: \`on_fail: quarantine\`. The rows
are read once; \`unique\` keeps its values in memory, \`quantile\` and the comparisons with a reference their numbers.

\`assert\` holds metrics of steps to conditions, \`quality\` looks into texts, \`load\` checks records against a JSON Schema.`,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'The rows.' },
    reference: { kind: 'table', optional: true, description: 'Rows to compare with.' },
  },
  outputs: {
    rows: {
      kind: 'table',
      description: 'The rows that break no expectation with `severity: fail`, as they came.',
    },
    quarantined: { kind: 'table', description: 'The other rows, with their `reasons`.' },
    results: {
      kind: 'table',
      description:
        'A row for each expectation: `expectation`, `severity`, `passed`, rows `evaluated` and `unexpected` with their `unexpected_share`, the `observed` value of the table, and `examples` of what does not fit.',
    },
    reasons: {
      kind: 'table',
      description:
        'A row for each reason: `rows` that have it, their `share` of all, and those that have it `alone`.',
    },
  },
  metrics: {
    failed: 'Expectations that do not hold, with `severity: fail`.',
    quarantined: 'Rows that break one.',
    warned: 'Expectations that do not hold, with `severity: warn`.',
    expectations: 'Expectations.',
    kept: 'Rows that break none.',
  },
  example: `checked:
  use: validate
  from: queries
  with:
    on_fail: quarantine
    expectations:
      - { expect: not_null, field: text }
      - { expect: unique, field: text, severity: warn }
      - { expect: length, field: text, max_value: 2000 }`,
  check: ({ expectations }) =>
    mistakesIn(expectations as Expectation[]).map((message) => ({ parameter: 'expectations', message })),

  async run({ parameters: given, inputs, outputs, context }) {
    const expectations = given.expectations as Expectation[];
    requireFields(inputs.rows, expectations.flatMap(fieldsOf));
    outputs.rows.expect(inputs.rows.fields);
    outputs.quarantined.expect([...inputs.rows.fields, 'reasons']);
    outputs.reasons.expect(['id', 'reason', 'rows', 'share', 'alone']);
    const reports = await openReports(expectations, inputs, context);
    const total = inputs.rows.rows;
    const counts = new Map<string, { rows: number; alone: number }>();
    let done = 0;
    let quarantined = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        const reasons = reasonsOf(row, reports);
        for (const reason of reasons) {
          const count = counts.get(reason) ?? { rows: 0, alone: 0 };
          counts.set(reason, { rows: count.rows + 1, alone: count.alone + (reasons.length === 1 ? 1 : 0) });
        }
        if (reasons.length > 0) quarantined++;
        const pending =
          reasons.length === 0 ? outputs.rows.write(row) : outputs.quarantined.write({ ...row, reasons });
        if (pending) await pending;
      }
      done += block.length;
      context.progress(done, total, 'rows');
      context.signal.throwIfAborted();
    }
    const byCount = [...counts].sort(([a, left], [b, right]) => right.rows - left.rows || (a < b ? -1 : 1));
    for (const [reason, { rows, alone }] of byCount)
      await outputs.reasons.write({ id: reason, reason, rows, share: significant(rows / total), alone });

    const broken: { report: Report; said: string; texts: boolean }[] = [];
    for (const report of reports) {
      const { result, said, texts } = concluded(report);
      if (result['passed'] !== true) broken.push({ report, said, texts });
      await outputs.results.write(result);
    }
    const failed = broken.filter(({ report }) => report.expectation.severity === 'fail');
    const warned = broken.filter(({ report }) => report.expectation.severity === 'warn');
    const adviceOf = (of: typeof broken): string | undefined => {
      const fields = of.flatMap(({ report, texts }) => (texts ? (report.expectation.field ?? []) : []));
      return fields.length > 0 ? castAdvice([...new Set(fields)]) : undefined;
    };
    for (const each of warned) context.warn([each.said, adviceOf([each])].filter(Boolean).join('; '));
    const fatal = given.on_fail === 'fail' ? failed : failed.filter(({ report }) => report.table);
    if (fatal.length > 0) {
      const many = expectations.length === 1 ? 'the expectation does not hold' : undefined;
      throw new StepError(
        'expectation-failed',
        `${many ?? `${fatal.length} of ${expectations.length} expectations do not hold`}\n${fatal.map(({ said }) => said).join('\n')}`,
        adviceOf(fatal) ??
          (given.on_fail === 'fail' && fatal.some(({ report }) => report.row)
            ? 'mend the rows, or set them apart: on_fail: quarantine'
            : 'look at where the table comes from, or change what is expected of it'),
      );
    }
    if (quarantined > 0 && quarantined === total)
      context.warn(`all ${total.toLocaleString('en')} rows are quarantined`);
    return {
      metrics: {
        failed: failed.length,
        quarantined,
        warned: warned.length,
        expectations: expectations.length,
        kept: total - quarantined,
      },
    };
  },
});

async function openReports(
  expectations: readonly Expectation[],
  { rows, reference }: { rows: TableInput; reference?: TableInput | undefined },
  context: StepContext,
): Promise<Report[]> {
  const referring = expectations.filter(({ expect }) =>
    ['foreign_key', 'psi', 'js_distance', 'ks'].includes(expect),
  );
  const references = new Map(
    referring.map((own) => [own, { keys: new Set<string>(), values: new FieldValues() }]),
  );
  if (referring.length > 0) {
    if (!reference)
      throw new StepError(
        'no-reference',
        `${referring[0]!.expect} has nothing to compare with`,
        'bind the other table: from: { rows: queries, reference: catalogue }',
      );
    const nameOf = (own: Expectation) => own.reference_field ?? own.field ?? '';
    requireFields(reference, referring.map(nameOf), 'reference');
    for await (const block of reference.blocks()) {
      for (const row of block)
        for (const [own, { keys, values }] of references) {
          const value = row[nameOf(own)] ?? null;
          if (own.expect === 'foreign_key') keys.add(canonicalJson(value));
          else values.take(value);
        }
      context.signal.throwIfAborted();
    }
  }
  const names = namesOf(expectations);
  return expectations.map((expectation, at) => ({
    name: names[at]!,
    expectation,
    ...(isRowExpectation(expectation.expect)
      ? { row: openRowCheck(expectation, references.get(expectation)?.keys) }
      : {
          table: openTableCheck(expectation, {
            reference: references.get(expectation)?.values,
            columns: rows.fields,
          }),
        }),
    evaluated: 0,
    unexpected: 0,
    texts: 0,
    examples: [],
  }));
}

/** Asks all expectations about a row; gives the names of those with `severity: fail` that it breaks. */
function reasonsOf(row: Row, reports: readonly Report[]): string[] {
  const reasons: string[] = [];
  for (const report of reports) {
    report.table?.take(row);
    const found = report.row?.(row) ?? null;
    if (found === null) continue;
    report.evaluated++;
    if (found === true) continue;
    report.unexpected++;
    if (isTextForNumber(report.expectation, row[report.expectation.field ?? ''] ?? null)) report.texts++;
    if (report.examples.length < mostExamples) report.examples.push({ id: row.id, value: found });
    if (report.expectation.severity === 'fail') reasons.push(report.name);
  }
  return reasons;
}

/** What came of an expectation, as a row of `results` and in a line. */
function concluded({ name, expectation, table, evaluated, unexpected, texts, examples }: Report): {
  result: Row;
  said: string;
  /** Whether it is about texts where numbers are expected. */
  texts: boolean;
} {
  const observation = table?.result();
  const observed = observation?.observed ?? null;
  const share = evaluated > 0 ? unexpected / evaluated : 0;
  const fitting = evaluated > 0 ? (evaluated - unexpected) / evaluated : 1;
  const result: Row = {
    id: name,
    expectation: expectation.expect,
    fields: fieldsOf(expectation),
    severity: expectation.severity,
    passed: observation ? observation.passed : fitting >= expectation.mostly,
    evaluated: table ? null : evaluated,
    unexpected: table ? null : unexpected,
    unexpected_share: table ? null : significant(share),
    observed: observed === null ? null : significant(observed),
    examples,
  };
  if (observation)
    return {
      result,
      said: `${name}: ${observation.about ?? `${significant(observed ?? 0)} is not ${boundsOf(expectation)}`}`,
      texts: observation.texts ?? false,
    };
  const shown = examples.map(({ id, value }) => `${value} (row ${id})`).join(', ');
  const part = `${unexpected.toLocaleString('en')} of ${evaluated.toLocaleString('en')} rows do not fit`;
  const which =
    texts === 0
      ? ''
      : texts === unexpected
        ? ', being texts'
        : `, ${texts.toLocaleString('en')} of them texts`;
  return {
    result,
    said: `${name}: ${part}${which}: ${shown}${unexpected > examples.length ? ', …' : ''}`,
    texts: texts > 0,
  };
}
