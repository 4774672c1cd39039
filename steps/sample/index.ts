import { StepError } from '../../engine/problems.ts';
import { defineStep } from '../../engine/step.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { choose } from './choose.ts';
import { readGroups } from './groups.ts';

const grouped = ['stratified', 'balanced', 'cluster'];

export default defineStep({
  type: 'sample',
  summary: 'Takes some of the rows: at random, by group, by cluster, or as different as can be',
  description: `The sample has \`size\` rows, or the \`share\` of all; fewer rows than that are all taken. Rows stay as they are and in their order.

- \`random\`: every row is as likely as any other. \`reservoir\` is the same (Vitter 1985, algorithm R), but rows appended to the table later change few of those taken.
- \`stratified\`: of each value of \`by\` in proportion to its rows. \`balanced\`: of each the same number, as far as it has so many. Rows without a value are a group of their own.
- \`cluster\`: of each cluster (\`by\`, which is \`cluster\` if not given) the same number, those nearest its centre first if the rows have a \`rank\`, else at random. Noise (negative or missing) is left out.
- \`diverse\`: k-centre greedy (Gonzalez 1985) on the input \`vectors\`: always the row farthest, by cosine, from those already taken. Time grows with rows × size.

With the input \`vectors\` the output \`vectors\` holds those of the sample, so that \`from: sampled\` gives a step both.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      method: {
        enum: ['random', 'reservoir', 'stratified', 'balanced', 'cluster', 'diverse'],
        default: 'random',
        description: 'How rows are chosen.',
      },
      size: { type: 'integer', minimum: 0, description: 'Number of rows.' },
      share: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        description: 'Number of rows as a share of all, rounded to the nearest.',
      },
      by: {
        type: 'string',
        minLength: 1,
        description: 'The field with the group of a row, for `stratified`, `balanced` and `cluster`.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Rows to choose from.' },
    vectors: {
      kind: 'matrix',
      optional: true,
      description: 'A vector for each of the rows; `diverse` needs it.',
    },
  },
  outputs: {
    rows: { kind: 'table', description: 'The rows taken.' },
    rest: { kind: 'table', description: 'The rows not taken.' },
    vectors: { kind: 'matrix', optional: true, description: 'Vectors of the rows taken, if there are any.' },
  },
  metrics: {
    rows: 'Rows taken.',
    rest: 'Rows not taken.',
    groups: 'Groups that rows were taken from (by group only).',
  },
  example: `few:
  use: sample
  from: queries
  with: { method: stratified, by: label, size: 500 }`,
  seeded: true,
  check({ method, size, share, by }) {
    const problems: { parameter: string; message: string }[] = [];
    if ((size === undefined) === (share === undefined))
      problems.push({
        parameter: size === undefined ? 'method' : 'share',
        message: 'give size (a number of rows) or share (of all rows), and not both',
      });
    if (by === undefined && (method === 'stratified' || method === 'balanced'))
      problems.push({
        parameter: 'method',
        message: `method ${method} needs by, the field with the group of a row`,
      });
    if (by !== undefined && !grouped.includes(method))
      problems.push({ parameter: 'by', message: `by has no effect with method ${method}` });
    return problems;
  },

  async run({ parameters, inputs, outputs, context }) {
    const { method } = parameters;
    const { rows, vectors } = inputs;
    const by = parameters.by ?? (method === 'cluster' ? 'cluster' : undefined);
    if (by !== undefined) requireFields(rows, [by]);
    if (vectors) sameRows(rows, vectors);
    if (method === 'diverse' && !vectors)
      throw new StepError(
        'no-vectors',
        'method diverse needs the vectors of the rows',
        'write from: { rows: …, vectors: … }',
      );
    outputs.rows.expect(rows.fields);
    outputs.rest.expect(rows.fields);
    const size = parameters.size ?? Math.round((parameters.share ?? 1) * rows.rows);
    const groups = by === undefined ? null : await readGroups(rows, by, method === 'cluster');
    const matrix = await vectors?.read();
    const taken = await choose({ method, total: rows.rows, size, groups, matrix, context });

    let index = 0;
    let next = 0;
    const ids: string[] = [];
    for await (const block of rows.blocks()) {
      for (const row of block) {
        const isTaken = taken[next] === index++;
        if (isTaken) {
          next++;
          if (matrix) ids.push(row.id);
        }
        const pending = (isTaken ? outputs.rows : outputs.rest).write(row);
        if (pending) await pending;
      }
      context.progress(index, rows.rows, 'rows');
      context.signal.throwIfAborted();
    }
    if (matrix) await outputs.vectors.write(gatherRows(matrix, taken), ids);
    return {
      metrics: {
        rows: taken.length,
        rest: rows.rows - taken.length,
        ...(groups === null ? {} : { groups: groups.length }),
      },
    };
  },
});
