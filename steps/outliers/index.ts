import type { Row } from '../../engine/artefacts.ts';
import { StepError } from '../../engine/problems.ts';
import { defineStep, type Matrix, type TableInput } from '../../engine/step.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { requireFinite } from '../finite-vectors.ts';
import { requireFields } from '../missing-field.ts';
import { characterCount } from '../quality/tokens.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { castAdvice } from '../texts-as-numbers.ts';
import { parameters } from './parameters.ts';
import { isFarOut, relative, scaledColumns, scoresOf } from './scores.ts';

export default defineStep({
  type: 'outliers',
  summary: 'Tells how odd each row is by its vector, its numbers or its length, and sets the oddest apart',
  description: `Each row gets an \`outlier_score\` (greater is odder) by one \`method\`:

- \`knn\`: the distance to its \`n_neighbors\`-th nearest row (Ramaswamy et al. 2000). Above 20,000 rows, to rows of a random sample.
- \`lof\`: the local outlier factor (Breunig et al. 2000), as scikit-learn's: how much thinner the rows lie around it than around its neighbours.
  For clusters of different density. Time grows with the square of the rows.
- \`isolation_forest\`: how few random cuts set it apart (Liu et al. 2008), as scikit-learn's.
- \`length\`: the modified z-score of ln(1 + characters) of its text (Iglewicz & Hoaglin 1993).

With \`by\` each group is scored by itself; distances of \`knn\` are then over the median one of the group, so that one list ranks all. \`contamination: auto\` takes
rows with a score above 1.5 (\`lof\`), 0.5 (\`isolation_forest\`) or 3.5 (\`length\`; for \`knn\` the modified z-score of the distance). Groups of outliers with as many
rows as \`n_neighbors\` look like clusters: raise it.

The step \`cluster\` lists the oddest rows of each of its clusters by itself (\`anomalies\`).`,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'Rows with vectors, numbers or texts.' },
    vectors: { kind: 'matrix', optional: true, description: 'A vector for each of the rows.' },
  },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'All rows in their order, with `outlier_score`, `outlier_rank` (1 is the oddest) and `is_outlier`.',
    },
    outliers: { kind: 'table', description: 'The outliers, with the same fields, the oddest first.' },
    kept: { kind: 'table', description: 'The other rows, as they came.' },
  },
  metrics: {
    outliers: 'Rows that are outliers.',
    outlier_share: 'Those as a share of the rows with a score.',
    without: 'Rows without a score: a number or text is missing.',
  },
  example: `odd:
  use: outliers
  from: { rows: topics, vectors: vectors }
  with: { by: cluster, contamination: 0.02 }`,
  seeded: true,
  check({ method, fields }) {
    if (method === 'length' && fields)
      return [{ parameter: 'fields', message: 'length goes by a text: name its field in `text`' }];
    return [];
  },

  async run({ parameters: given, inputs, outputs, context }) {
    const { method, by, fields, contamination } = given;
    const needed = method === 'length' ? [given.text] : (fields ?? []);
    requireFields(inputs.rows, by === null ? needed : [...needed, by]);
    const added = ['outlier_score', 'outlier_rank', 'is_outlier'];
    outputs.rows.expect([...inputs.rows.fields, ...added]);
    outputs.outliers.expect([...inputs.rows.fields, ...added]);
    outputs.kept.expect(inputs.rows.fields);
    let vectors: Matrix | undefined;
    if (needed.length === 0) {
      if (!inputs.vectors)
        throw new StepError(
          'no-vectors',
          `${method} needs vectors or numbers`,
          'bind vectors: from: { rows: texts, vectors: vectors }, or name numeric `fields`',
        );
      sameRows(inputs.rows, inputs.vectors);
      vectors = await inputs.vectors.read();
      requireFinite(vectors);
    }
    const read = await readRows(inputs.rows, { length: method === 'length', fields: needed, by });
    if (read.rows.length === 0 && inputs.rows.rows > 0)
      throw new StepError(
        'missing-field',
        `no row has a ${method === 'length' ? 'text' : 'number'} in ${needed.length > 1 ? `each of ${needed.join(', ')}` : needed[0]}`,
        method === 'length' ? 'name the field of the text in `text`' : castAdvice(needed),
      );
    const values = vectors
      ? gatherRows(vectors, read.rows)
      : scaledColumns(read.columns, fields ? given.scaling : 'none');

    const scores = new Float64Array(read.rows.length);
    const far = new Uint8Array(read.rows.length);
    const random = context.random('outliers');
    let done = 0;
    for (const places of read.groups) {
      const group = places.length === values.rows ? values : gatherRows(values, places);
      const metric = given.metric ?? (vectors ? 'cosine' : 'euclidean');
      const own = await scoresOf(group, { ...given, metric, seed: random.seed() }, context.pool);
      const bounded = isFarOut(method, own);
      const comparable = method === 'knn' && by !== null ? relative(own) : own;
      places.forEach((place, at) => {
        scores[place] = comparable[at]!;
        far[place] = bounded[at]!;
      });
      done += places.length;
      context.progress(done, scores.length, 'rows');
      context.signal.throwIfAborted();
    }
    const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
    const rank = new Int32Array(scores.length);
    order.forEach((place, at) => {
      rank[place] = at + 1;
    });
    const most = contamination === 'auto' ? 0 : Math.round(contamination * scores.length);
    const isOutlier = (place: number) =>
      contamination === 'auto' ? far[place] === 1 : rank[place]! <= most && scores[place]! > 0;

    const found: Row[] = [];
    let place = 0;
    let row = 0;
    for await (const block of inputs.rows.blocks())
      for (const old of block) {
        const scored = read.rows[place] === row++;
        const own = scored ? place++ : -1;
        const out = scored && isOutlier(own);
        const described: Row = {
          ...old,
          outlier_score: scored ? significant(scores[own]!) : null,
          outlier_rank: scored ? rank[own]! : null,
          is_outlier: out,
        };
        if (out) found[rank[own]! - 1] = described;
        for (const written of [outputs.rows.write(described), out ? undefined : outputs.kept.write(old)])
          if (written) await written;
      }
    let outliers = 0;
    for (const outlier of found) {
      if (!outlier) continue;
      outliers++;
      await outputs.outliers.write(outlier);
    }
    const without = inputs.rows.rows - scores.length;
    if (without > 0)
      context.warn(
        `${without.toLocaleString('en')} of ${inputs.rows.rows.toLocaleString('en')} rows have no ${method === 'length' ? 'text' : 'number'} in ${needed.join(', ')}; they get no score`,
      );
    const share = scores.length > 0 ? outliers / scores.length : 0;
    return { metrics: { outliers, outlier_share: significant(share), without } };
  },
});

/** The rows that can be scored: their places, the columns of their numbers (or the text's length), and their groups. */
async function readRows(
  table: TableInput,
  { length, fields, by }: { length: boolean; fields: readonly string[]; by: string | null },
): Promise<{ rows: number[]; columns: number[][]; groups: Int32Array[] }> {
  const rows: number[] = [];
  const columns: number[][] = fields.map(() => []);
  const groups = new Map<string, number[]>();
  let index = 0;
  for await (const block of table.blocks())
    for (const row of block) {
      const at = index++;
      const own = fields.map((field) => {
        const value = row[field];
        if (length) return typeof value === 'string' ? characterCount(value) : Number.NaN;
        return typeof value === 'number' ? value : Number.NaN;
      });
      if (own.some((value) => !Number.isFinite(value))) continue;
      const group = by === null ? '' : JSON.stringify(row[by] ?? null);
      const members = groups.get(group);
      if (members) members.push(rows.length);
      else groups.set(group, [rows.length]);
      rows.push(at);
      own.forEach((value, column) => void columns[column]!.push(value));
    }
  return {
    rows,
    columns,
    groups: [...groups.values()].map((members) => Int32Array.from(members)),
  };
}
