import { StepError } from '../../engine/problems.ts';
import type { Matrix, MatrixInput, StepContext } from '../../engine/step.ts';
import type { Metric } from '../../numerics/metric-space.ts';
import { type PcaOptions, type PcaResult, moduleUrl as pcaUrl, project } from '../../numerics/pca.ts';
import { tsne } from '../../numerics/tsne.ts';
import { type PlaceOptions, umap, moduleUrl as umapUrl } from '../../numerics/umap.ts';
import { fitCurve } from '../../numerics/umap-curve.ts';

/** Axes of vectors with more dimensions are fitted on a sample: their cost grows with the cube of the smaller number. */
const wideColumns = 1000;
const wideSample = 1000;

export interface Parameters {
  method: 'umap' | 'tsne' | 'pca';
  n_components: number;
  n_neighbors: number;
  min_dist: number;
  spread: number;
  perplexity: number;
  metric: Metric;
  init: 'spectral' | 'pca';
  n_epochs?: number;
  learning_rate: number;
  negative_sample_rate: number;
  repulsion_strength: number;
}

interface Projected {
  coordinates: Matrix;
  /** PCA: share of the variance that the dimensions hold. */
  explained?: number;
}

/** Projects rows: on their own, or into an earlier map. */
export async function projected(
  matrix: Matrix,
  inputs: { map: MatrixInput | undefined; map_vectors: MatrixInput | undefined },
  parameters: Parameters,
  context: StepContext,
): Promise<Projected> {
  const { method, n_components: dimensions } = parameters;
  if (method === 'pca' && dimensions > matrix.columns) {
    throw new StepError(
      'dimensions-differ',
      `${dimensions} components of vectors of ${matrix.columns} dimensions`,
      `set n_components to ${matrix.columns} or less`,
    );
  }
  const earlier = await earlierMap(matrix, inputs, dimensions);
  if (method === 'pca') {
    const axes = await context.pool.run<PcaOptions, PcaResult>(pcaUrl, 'pca', {
      matrix: earlier?.vectors ?? matrix,
      count: dimensions,
      ...(matrix.columns > wideColumns
        ? { sampleSize: wideSample, seed: context.random('sample').seed() }
        : {}),
    });
    const data = Float32Array.from(project(matrix, axes));
    const explained = Math.min(
      1,
      axes.explainedVarianceRatio.reduce((sum, share) => sum + share, 0),
    );
    return { coordinates: { data, rows: matrix.rows, columns: dimensions }, explained };
  }
  if (method === 'tsne') {
    if (earlier)
      throw new StepError(
        'fixed-map',
        'tsne cannot place rows in an earlier map',
        'take umap or pca, or project all rows anew',
      );
    const coordinates = await tsne(
      {
        matrix,
        metric: parameters.metric,
        perplexity: parameters.perplexity,
        epochs: parameters.n_epochs ?? 1000,
        seed: context.random('layout').seed(),
      },
      context.pool,
    );
    return { coordinates };
  }
  const options = {
    metric: parameters.metric,
    dimensions,
    neighbours: parameters.n_neighbors,
    epochs: parameters.n_epochs,
    learningRate: parameters.learning_rate,
    negativeSamples: parameters.negative_sample_rate,
    repulsion: parameters.repulsion_strength,
    seed: context.random('layout').seed(),
  };
  const shape = { minDist: parameters.min_dist, spread: parameters.spread };
  if (earlier) {
    const fitted = { coordinates: earlier.coordinates, curve: fitCurve(shape) };
    const coordinates = await context.pool.run<PlaceOptions, Matrix>(umapUrl, 'placeInLayout', {
      ...options,
      matrix: earlier.vectors,
      added: matrix,
      fitted,
    });
    return { coordinates };
  }
  const { coordinates, init } = await umap(
    { ...options, ...shape, matrix, init: parameters.init },
    context.pool,
  );
  if (init !== parameters.init && matrix.rows > dimensions + 2)
    context.log('the rows fall into groups without any link: the layout started from principal components');
  return { coordinates };
}

async function earlierMap(
  matrix: Matrix,
  { map, map_vectors: vectors }: { map: MatrixInput | undefined; map_vectors: MatrixInput | undefined },
  dimensions: number,
): Promise<{ coordinates: Matrix; vectors: Matrix } | undefined> {
  if (!map && !vectors) return undefined;
  if (!map || !vectors || map.ids !== vectors.ids) {
    throw new StepError(
      'rows-differ',
      map && vectors ? 'map and map_vectors belong to different rows' : 'map and map_vectors go together',
      'give the coordinates of an earlier projection and the vectors that it was made from',
    );
  }
  if (map.columns !== dimensions || vectors.columns !== matrix.columns) {
    throw new StepError(
      'dimensions-differ',
      map.columns === dimensions
        ? `the vectors have ${matrix.columns} dimensions, those of the map ${vectors.columns}`
        : `n_components is ${dimensions}, the map has ${map.columns} dimensions`,
      'take the parameters and the encoder that the map was made with',
    );
  }
  return { coordinates: await map.read(), vectors: await vectors.read() };
}
