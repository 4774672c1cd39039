import { StepError } from '../../engine/problems.ts';
import type { Matrix, MatrixInput, StepContext, TableInput } from '../../engine/step.ts';
import { type KMeansResult, moduleUrl as kmeansUrl, type PreparedRows } from '../../numerics/kmeans.ts';
import { type Repeats, repeatsInClusters, repeatsOfOthers } from '../../numerics/near-vectors.ts';
import { normalized } from '../../numerics/vectors.ts';
import { requireFinite } from '../finite-vectors.ts';
import { sameRows } from '../same-rows.ts';
import { defaultThresholds, type Parameters } from './parameters.ts';
import { Preference } from './preference.ts';
import type { Verdicts } from './verdicts.ts';

/** Up to so many rows all are compared with all. */
const rowsOfOneCluster = 10_000;

export interface SemanticInputs {
  rows: TableInput;
  vectors: MatrixInput | undefined;
  against: TableInput | undefined;
  against_vectors: MatrixInput | undefined;
}

/** Duplicates by the cosine of vectors within k-means clusters; rows are taken in the order of their preference. */
export async function findSimilarVectors(
  parameters: Parameters,
  inputs: SemanticInputs,
  context: StepContext,
): Promise<{ verdicts: Verdicts; vectors: Matrix }> {
  const { rows, against } = inputs;
  const vectors = await matrixOf(rows, inputs.vectors, 'vectors');
  const threshold = parameters.threshold ?? defaultThresholds.semantic;
  const unit = normalized(vectors);
  const options = { unit, threshold };
  const total = rows.rows;

  const preference = await preferences(rows, parameters, context);
  const withoutDirection = rowsOfZeros(vectors);
  if (withoutDirection > 0)
    context.warn(`${withoutDirection} of ${total} vectors are all zeros; their rows were kept`);

  let outside: Repeats = { of: new Int32Array(total).fill(-1), cosine: new Float64Array(total) };
  if (against) {
    const others = await matrixOf(against, inputs.against_vectors, 'against_vectors');
    if (others.columns !== vectors.columns && total > 0 && against.rows > 0)
      throw new StepError(
        'dimensions-differ',
        `vectors have ${vectors.columns} dimensions, against_vectors ${others.columns}`,
        'make both with the same model',
      );
    outside = await repeatsOfOthers(options, normalized(others), context.pool);
  }
  const remaining = preference.order.filter((row) => outside.of[row] === -1);
  const clusters = await clustersOf(vectors, remaining, parameters, context);
  const repeats = await repeatsInClusters(options, clusters, context.pool);
  return {
    vectors,
    verdicts: {
      kept: repeats.of.map((other, row) => (other === -1 ? row : other)),
      against: outside.of,
      score: repeats.cosine.map((cosine, row) => (outside.of[row] === -1 ? cosine : outside.cosine[row]!)),
      kind: () => 'semantic',
    },
  };
}

async function matrixOf(
  rows: TableInput,
  input: MatrixInput | undefined,
  name: 'vectors' | 'against_vectors',
): Promise<Matrix> {
  if (!input)
    throw new StepError(
      'no-vectors',
      `method semantic needs the input ${name}`,
      name === 'vectors'
        ? 'write from: { rows: texts, vectors: vectors }'
        : 'bind the vectors of the rows in against, made with the same model',
    );
  sameRows(rows, input);
  const matrix = await input.read();
  requireFinite(matrix);
  return matrix;
}

/** The rows by preference, the highest first; of equals in the order of the table. */
async function preferences(rows: TableInput, parameters: Parameters, context: StepContext) {
  const order = Int32Array.from({ length: rows.rows }, (_, row) => row);
  if (parameters.keep === 'first') return { order };
  const preference = await Preference.open(parameters, rows);
  const values = new Float64Array(rows.rows);
  let index = 0;
  for await (const block of rows.blocks())
    for (const row of block) {
      values[index] = preference.of(row, index);
      index++;
    }
  preference.warnAbout(context, rows.rows);
  return {
    order: order.sort((a, b) => (values[a] === values[b] ? a - b : values[b]! > values[a]! ? 1 : -1)),
  };
}

/** The rows of each k-means cluster (spherical), in the given order. */
async function clustersOf(
  matrix: Matrix,
  order: Int32Array,
  parameters: Parameters,
  context: StepContext,
): Promise<Int32Array[]> {
  const total = matrix.rows;
  const k = parameters.n_clusters ?? (total <= rowsOfOneCluster ? 1 : Math.round(Math.sqrt(total)));
  if (k === 1 || total === 0) return [order];
  const rows = await context.pool.run<unknown, PreparedRows>(kmeansUrl, 'prepareRows', {
    matrix,
    spherical: true,
  });
  const { labels, k: found } = await context.pool.run<unknown, KMeansResult>(kmeansUrl, 'kmeansRestart', {
    rows,
    k: Math.min(k, total),
    init: 'k-means++',
    seed: parameters.random_state,
    maxIterations: 20,
    tolerance: 1e-4,
  });
  const members: number[][] = Array.from({ length: found }, () => []);
  for (const row of order) members[labels[row]!]!.push(row);
  return members.filter((rowsOf) => rowsOf.length > 0).map((rowsOf) => Int32Array.from(rowsOf));
}

function rowsOfZeros({ data, rows, columns }: Matrix): number {
  let count = 0;
  for (let row = 0; row < rows; row++)
    if (data.subarray(row * columns, (row + 1) * columns).every((value) => value === 0)) count++;
  return count;
}
