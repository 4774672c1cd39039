import { StepError } from '../../engine/problems.ts';
import {
  defineStep,
  type MatrixInput,
  type MatrixOutput,
  type OutputSpecs,
  type StepContext,
  type TableInput,
  type TableOutput,
} from '../../engine/step.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { assignByTime, assignRandom, assignStable, partNames } from './assign.ts';
import { findLeaks } from './leaks.ts';
import { readDuplicates, readTimes, readUnits } from './units.ts';

const rowsOf = (part: string) => ({ kind: 'table', description: `The rows to ${part}.` }) as const;
const vectorsOf = (part: string) =>
  ({
    kind: 'matrix',
    optional: true,
    description: `Vectors of the rows of \`${part}\`, if the step has \`vectors\`.`,
  }) as const;

const parted = {
  train: rowsOf('learn from'),
  valid: rowsOf('choose settings by'),
  test: rowsOf('measure with, once'),
  train_vectors: vectorsOf('train'),
  valid_vectors: vectorsOf('valid'),
  test_vectors: vectorsOf('test'),
} as const satisfies OutputSpecs;
const folded = {
  rows: { kind: 'table', description: 'With `folds`: all rows, with their `fold`, 0 to folds − 1.' },
} as const satisfies OutputSpecs;
const leaksOutput = {
  leaks: {
    kind: 'table',
    description:
      'Rows that say the same as one of an earlier part, or are duplicates of it: `part`, `in` (that part), `leak_of` (the id of its first such row).',
  },
} as const satisfies OutputSpecs;

export default defineStep({
  type: 'split',
  summary: 'Parts rows into train, valid and test, and checks that nothing leaks from one into another',
  description: `Every row goes into one of three parts, by default 80, 10 and 10 % of the rows, and keeps its place among those of its part.

- \`stratify\`: each value of a field comes as near to the ratios as it can.
- \`group\`: rows with the same value of a field (one customer, one document) stay together. Rows without a value stand alone.
- \`time\`: the oldest rows are \`train\`, the newest \`test\`; rows of the same time stay together.
- \`stable\`: the part is decided by a hash of the id (or the group) and the seed alone, so that rows of an earlier, smaller table stay where they were; the ratios then hold on average.

- \`folds\`: so many parts of equal size, as the field \`fold\` of all rows, for k-fold cross-validation; with \`time\` fold 0 is the oldest. A step
  \`filter\` takes one fold out with \`matrix: { fold: [0, 1, 2, 3, 4] }\` (\`where: "row.fold != matrix.fold"\`), with its vectors if it has them too.
- The input \`duplicates\` (\`from: { rows: queries, duplicates: unique.duplicates }\`, where \`unique\` is a step \`dedupe\` over \`queries\`) keeps near duplicates in one part.

Then the parts are compared: a row of \`valid\` or \`test\` whose \`leak_field\` says the same as a row of an earlier part (but for case, punctuation and white space) is
listed in \`leaks\`. \`group: text\` keeps equal texts together; the step \`dedupe\` before this one removes them.

With the input \`vectors\` those of each part are outputs too: \`from: { rows: parts.train, vectors: parts.train_vectors }\`.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ratios: {
        type: 'array',
        items: { type: 'number', minimum: 0, maximum: 1 },
        minItems: 3,
        maxItems: 3,
        default: [0.8, 0.1, 0.1],
        description: 'Shares of train, valid and test; they add up to 1.',
      },
      stratify: { type: 'string', minLength: 1, description: 'The field whose values are spread evenly.' },
      group: { type: 'string', minLength: 1, description: 'The field whose values are not torn apart.' },
      time: {
        type: 'string',
        minLength: 1,
        description:
          'The field with the time of a row: a text in ISO 8601 (of UTC where it names no zone), or a number of seconds or milliseconds since 1970.',
      },
      folds: {
        type: 'integer',
        minimum: 2,
        maximum: 255,
        description: 'Instead of three parts so many folds of equal size, for cross-validation.',
      },
      stable: { type: 'boolean', default: false, description: 'Decide by id and seed alone.' },
      leak_field: {
        type: 'string',
        minLength: 1,
        default: 'text',
        description: 'The field that must not say the same in two parts.',
      },
      on_leak: {
        enum: ['warn', 'fail'],
        default: 'warn',
        description: 'What a leak does: a warning, or the step fails.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Rows to part.' },
    vectors: { kind: 'matrix', optional: true, description: 'A vector for each of the rows.' },
    duplicates: {
      kind: 'table',
      optional: true,
      description:
        'Rows that stay with the row `dup_of`: the output `duplicates` of a step `dedupe` over the same rows, by any of its methods.',
    },
  },
  outputs: { ...parted, ...folded, ...leaksOutput },
  outputsOf: ({ folds }): OutputSpecs => ({ ...(folds === undefined ? parted : folded), ...leaksOutput }),
  metrics: {
    train: 'Rows to learn from.',
    valid: 'Rows to choose settings by.',
    test: 'Rows to measure with.',
    leaks: 'Rows that say the same as one of an earlier part.',
    groups:
      'Groups that were kept together, rows that stand alone included (with `group` or `duplicates` only).',
    folds: 'Folds (with `folds` only).',
    smallest_fold: 'Rows of the smallest fold (with `folds` only).',
    largest_fold: 'Rows of the largest fold (with `folds` only).',
  },
  example: `parts:
  use: split
  from: { rows: unique, vectors: vectors }
  with: { stratify: label }`,
  seeded: true,
  check({ ratios, stratify, group, time, stable, folds }) {
    const problems: { parameter: string; message: string }[] = [];
    const sum = ratios.reduce((total, ratio) => total + ratio, 0);
    if (Math.abs(sum - 1) > 1e-6)
      problems.push({ parameter: 'ratios', message: `ratios add up to ${Number(sum.toFixed(6))}, not to 1` });
    if (time !== undefined && (stratify !== undefined || group !== undefined || stable))
      problems.push({
        parameter: 'time',
        message: 'time decides alone: leave out stratify, group and stable',
      });
    if (stable && stratify !== undefined)
      problems.push({
        parameter: 'stratify',
        message: 'a stable part is decided by the id alone: leave out stratify or stable',
      });
    if (folds !== undefined && ratios.join() !== '0.8,0.1,0.1')
      problems.push({ parameter: 'ratios', message: 'folds are of equal size: leave out ratios or folds' });
    return problems;
  },

  async run({ parameters, inputs, outputs, context }) {
    const { stratify, group, time, stable, folds, leak_field: leakField } = parameters;
    const { rows, vectors, duplicates } = inputs;
    const names =
      folds === undefined ? partNames : Array.from({ length: folds }, (_, fold) => `fold ${fold}`);
    const ratios = folds === undefined ? parameters.ratios : names.map(() => 1 / names.length);
    requireFields(
      rows,
      [stratify, group, time].filter((field) => field !== undefined),
    );
    if (vectors) sameRows(rows, vectors);
    const duplicateOf = duplicates && (await readDuplicates(rows, duplicates));
    const parts = new Uint8Array(rows.rows);
    let groups: number | undefined;
    if (time !== undefined) parts.set(assignByTime(await readTimes(rows, time), ratios));
    else {
      const units = await readUnits(rows, {
        ...(group !== undefined && { group }),
        ...(stratify !== undefined && { stratify }),
        ...(duplicateOf && { duplicateOf }),
      });
      if (group !== undefined || duplicateOf) groups = units.length;
      const assigned = stable
        ? assignStable(units, ratios, (key) => context.random('stable', key))
        : assignRandom(units, ratios, context.random('order').seed());
      units.forEach((unit, number) => {
        for (const row of unit.rows) parts[row] = assigned[number]!;
      });
    }

    if (folds === undefined) await writeParts(rows, vectors, parts, outputs, context);
    else await writeFolds(rows, parts, outputs.rows, context);
    const sizes = names.map((_, part) => parts.reduce((sum, own) => sum + (own === part ? 1 : 0), 0));
    const empty = names.filter((_, part) => sizes[part] === 0 && ratios[part]! > 0);
    if (empty.length > 0) context.warn(`of ${rows.rows} rows none went to ${empty.join(', ')}`);
    let leaks: number | undefined;
    outputs.leaks.expect(['id', 'part', 'in', 'leak_of', leakField]);
    if (rows.fields.includes(leakField) || duplicateOf) {
      leaks = 0;
      for await (const leak of findLeaks(rows, leakField, parts, names, duplicateOf)) {
        leaks++;
        await outputs.leaks.write(leak);
      }
    } else if (rows.rows > 0) context.warn(`leaks were not looked for: no row has a field "${leakField}"`);
    if (leaks !== undefined && leaks > 0) {
      const where = folds === undefined ? 'of valid or test' : 'of folds';
      const message = `${leaks} rows ${where} say the same as a row of an earlier part`;
      if (parameters.on_leak === 'fail')
        throw new StepError('leak', message, `group: ${leakField} keeps them together, dedupe removes them`);
      context.warn(`${message}: see the output leaks`);
    }
    return {
      metrics: {
        ...(folds === undefined
          ? { train: sizes[0]!, valid: sizes[1]!, test: sizes[2]! }
          : { folds, smallest_fold: Math.min(...sizes), largest_fold: Math.max(...sizes) }),
        ...(leaks === undefined ? {} : { leaks }),
        ...(groups === undefined ? {} : { groups }),
      },
    };
  },
});

type Part = (typeof partNames)[number];

/** The rows of each part, and their vectors. */
async function writeParts(
  rows: TableInput,
  vectors: MatrixInput | undefined,
  parts: Uint8Array,
  outputs: Record<Part, TableOutput> & Record<`${Part}_vectors`, MatrixOutput>,
  context: StepContext,
): Promise<void> {
  const ids: string[][] = [[], [], []];
  for (const name of partNames) outputs[name].expect(rows.fields);
  let index = 0;
  for await (const block of rows.blocks()) {
    for (const row of block) {
      const part = parts[index++]!;
      if (vectors) ids[part]!.push(row.id);
      const pending = outputs[partNames[part]!].write(row);
      if (pending) await pending;
    }
    context.progress(index, rows.rows, 'rows');
    context.signal.throwIfAborted();
  }
  const matrix = await vectors?.read();
  for (const [part, name] of matrix ? partNames.entries() : []) {
    const places = [...parts.keys()].filter((row) => parts[row] === part);
    await outputs[`${name}_vectors`].write(gatherRows(matrix!, places), ids[part]!);
  }
}

async function writeFolds(
  rows: TableInput,
  folds: Uint8Array,
  output: TableOutput,
  context: StepContext,
): Promise<void> {
  output.expect([...rows.fields, 'fold']);
  let index = 0;
  for await (const block of rows.blocks()) {
    for (const row of block) {
      const pending = output.write({ ...row, fold: folds[index++]! });
      if (pending) await pending;
    }
    context.progress(index, rows.rows, 'rows');
    context.signal.throwIfAborted();
  }
}
