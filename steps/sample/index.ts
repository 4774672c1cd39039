import { StepError } from '../../engine/problems.ts';
import { defineStep } from '../../engine/step.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { choose, methods } from './choose.ts';
import { readGroups, readWeights } from './groups.ts';

const grouped = ['stratified', 'balanced', 'cluster'];
const byVectors = ['diverse', 'mmr'];

export default defineStep({
  type: 'sample',
  summary: 'Takes some of the rows: at random, by group, by cluster, or as different as can be',
  description: `The sample has \`size\` rows, or the \`share\` of all, or \`per_group\` of each group; fewer rows than that are all taken. Rows stay as they are and in their order.

- \`random\`: every row is as likely as any other. \`reservoir\` is the same (Vitter 1985, algorithm R), but rows appended to the table later change few of those taken.
- \`weighted\`: a row is as likely as its \`weight\` says, one drawn after the other (Efraimidis & Spirakis 2006). Rows with the weight 0 are never taken.
- \`stratified\`: of each value of \`by\` in proportion to its rows, or by another \`allocation\`: \`neyman\` takes more of groups in which the field \`value\` varies
  more, so that its mean is estimated best (Neyman 1934). \`balanced\`: of each the same number, as far as it has so many. Rows without a group are a group of their own.
- \`cluster\`: of each cluster (\`by\`, which is \`cluster\` if not given) the same number, those nearest its centre first if the rows have a \`rank\`, else at random. Noise (negative or missing) is left out.
- \`diverse\`: k-centre greedy (Gonzalez 1985) on the input \`vectors\`: always the row farthest, by cosine, from those already taken. Time grows with rows × size.
- \`mmr\`: maximal marginal relevance (Carbonell & Goldstein 1998): each time the row nearest the mean of all vectors, less \`diversity\` times its likeness to those already taken: typical rows that do not repeat each other. Time as for \`diverse\`.

With the input \`vectors\` the output \`vectors\` holds those of the sample, so that \`from: sampled\` gives a step both.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      method: {
        enum: methods,
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
      per_group: {
        type: 'integer',
        minimum: 1,
        description: '`stratified`, `balanced` and `cluster`: so many rows of each group, or all it has.',
      },
      by: {
        type: 'string',
        minLength: 1,
        description: 'The field with the group of a row, for `stratified`, `balanced` and `cluster`.',
      },
      allocation: {
        enum: ['proportional', 'equal', 'neyman'],
        default: 'proportional',
        description: '`stratified`: how many of each group.',
      },
      value: {
        type: 'string',
        minLength: 1,
        description: '`allocation: neyman`: the field with the number whose mean is wanted.',
      },
      weight: {
        type: 'string',
        minLength: 1,
        description: '`weighted`: the field with the weight, at least 0.',
      },
      diversity: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0.5,
        description: '`mmr`: what being unlike the others counts; 0 takes the rows nearest the mean.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Rows to choose from.' },
    vectors: {
      kind: 'matrix',
      optional: true,
      description: 'A vector for each of the rows; `diverse` and `mmr` need it.',
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
  check({ method, size, share, per_group: perGroup, by, allocation, value, weight }) {
    const problems: { parameter: string; message: string }[] = [];
    const problem = (parameter: string, message: string) => void problems.push({ parameter, message });
    const sizes = [size, share, perGroup].filter((given) => given !== undefined);
    if (sizes.length !== 1)
      problem(
        sizes.length === 0
          ? 'method'
          : size === undefined
            ? 'per_group'
            : share === undefined
              ? 'per_group'
              : 'share',
        'give one of size (a number of rows), share (of all rows) and per_group (of each group)',
      );
    if (by === undefined && (method === 'stratified' || method === 'balanced'))
      problem('method', `method ${method} needs by, the field with the group of a row`);
    for (const [name, given] of Object.entries({ by, per_group: perGroup }))
      if (given !== undefined && !grouped.includes(method))
        problem(name, `${name} has no effect with method ${method}`);
    if (allocation !== 'proportional' && method !== 'stratified')
      problem('allocation', `allocation has no effect with method ${method}`);
    if ((value !== undefined) !== (allocation === 'neyman'))
      problem(
        value === undefined ? 'allocation' : 'value',
        'allocation neyman and value, the field with the number, go together',
      );
    if ((weight !== undefined) !== (method === 'weighted'))
      problem(
        weight === undefined ? 'method' : 'weight',
        'method weighted and weight, the field with it, go together',
      );
    return problems;
  },

  async run({ parameters, inputs, outputs, context }) {
    const { method, value, weight } = parameters;
    const { rows, vectors } = inputs;
    const by = parameters.by ?? (method === 'cluster' ? 'cluster' : undefined);
    requireFields(
      rows,
      [by, value, weight].filter((field) => field !== undefined),
    );
    if (vectors) sameRows(rows, vectors);
    if (byVectors.includes(method) && !vectors)
      throw new StepError(
        'no-vectors',
        `method ${method} needs the vectors of the rows`,
        'write from: { rows: …, vectors: … }',
      );
    outputs.rows.expect(rows.fields);
    outputs.rest.expect(rows.fields);
    const size = parameters.size ?? Math.round((parameters.share ?? 1) * rows.rows);
    const groups =
      by === undefined
        ? null
        : await readGroups(rows, {
            by,
            clusters: method === 'cluster',
            ...(value !== undefined && { value }),
          });
    const weights = weight === undefined ? null : await readWeights(rows, weight);
    const matrix = await vectors?.read();
    const taken = await choose({
      ...{ method, total: rows.rows, size, groups, weights, matrix, context },
      perGroup: parameters.per_group,
      allocation: parameters.allocation,
      diversity: parameters.diversity,
    });

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
