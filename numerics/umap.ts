import { fuzzyUnion, localScales, memberships } from './fuzzy-graph.ts';
import { optimizeLayout } from './layout.ts';
import type { MatrixView } from './matrix-product.ts';
import { alsoIn, distanceOf, type Metric, metricSpace } from './metric-space.ts';
import { type Neighbours, nearestInSpace, nearestOfPart } from './neighbours.ts';
import { pca, project } from './pca.ts';
import { gaussians } from './random.ts';
import { spectralCoordinates } from './spectral.ts';
import { type Curve, fitCurve } from './umap-curve.ts';
import { UnionFind } from './union-find.ts';
import type { Workers } from './workers.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

/** Coordinates start within a square of this size. */
const startExtent = 10;
/** Rows that principal axes are fitted on, at most: they are a start and no more. */
const startSample = 1000;

export interface UmapOptions {
  matrix: MatrixView;
  metric: Metric;
  dimensions: number;
  /** Size of the neighbourhoods, the row itself counted, as umap-learn counts it. */
  neighbours: number;
  minDist: number;
  spread: number;
  init: 'spectral' | 'pca';
  /** Undefined: 500 up to 10,000 rows, 200 above. */
  epochs: number | undefined;
  learningRate: number;
  negativeSamples: number;
  repulsion: number;
  seed: number;
}

export interface UmapResult {
  /** [rows, dimensions]. */
  coordinates: MatrixView;
  curve: Curve;
  /** What the layout started from: `pca` also where the graph has several parts, which spectral coordinates cannot place. */
  init: 'spectral' | 'pca';
}

/**
 * UMAP (McInnes, Healy & Melville 2018) with umap-learn's defaults and rules: exact neighbours, local scales, fuzzy
 * union, spectral start, negative sampling. Deterministic by `seed`, with any number of threads. Neighbours take
 * n²·d as float32 products, all else grows with n · neighbours · epochs.
 */
export async function umap(options: UmapOptions, workers: Workers): Promise<UmapResult> {
  const { matrix, metric } = options;
  const space = metricSpace(matrix, metric);
  const found = await nearestInSpace(space, options.neighbours - 1, workers);
  const neighbours = inMetric(found, metric);
  return workers.run(moduleUrl, 'layoutOf', { ...options, matrix: space.points, neighbours });
}

/** The part of `umap` after the neighbours; `matrix` are the points of the metric space. */
export function layoutOf(options: Omit<UmapOptions, 'neighbours'> & { neighbours: Neighbours }): UmapResult {
  const { matrix, neighbours, dimensions, seed } = options;
  const { rows } = matrix;
  const curve = fitCurve(options);
  if (rows < 3 || neighbours.count === 0) {
    const data = Float32Array.from({ length: rows * dimensions }, (_, at) =>
      at % dimensions === 0 ? at : 0,
    );
    return { coordinates: { data, rows, columns: dimensions }, curve, init: 'pca' };
  }
  const scales = localScales(neighbours, { localConnectivity: true, selfCounts: true });
  const edges = fuzzyUnion(memberships(neighbours, scales), rows);
  const sets = new UnionFind(rows);
  edges.from.forEach((row, at) => {
    sets.union(row, edges.to[at]!);
  });
  const spectral =
    options.init === 'spectral' && sets.count === 1
      ? spectralCoordinates(edges, rows, dimensions, seed)
      : undefined;
  const start =
    spectral ?? project(matrix, pca({ matrix, count: dimensions, sampleSize: startSample, seed }));
  const points = placed(start, rows, dimensions, seed);
  optimizeLayout({
    ...options,
    points,
    anchors: points,
    edges,
    curve,
    epochs: options.epochs ?? (rows <= 10_000 ? 500 : 200),
  });
  return {
    coordinates: { data: points, rows, columns: dimensions },
    curve,
    init: spectral ? 'spectral' : 'pca',
  };
}

/**
 * Coordinates scaled to the start's extent, with a little noise, so that equal rows can part. Dimensions that the start
 * does not have begin as noise.
 */
function placed(start: Float64Array, rows: number, dimensions: number, seed: number): Float32Array {
  const noise = gaussians(rows * dimensions, seed + 1);
  const width = start.length / rows;
  const most = start.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const points = new Float32Array(rows * dimensions);
  for (let d = 0; d < dimensions; d++) {
    const known = d < width && most > 0;
    const column = (row: number) =>
      (known ? (start[row * width + d]! * startExtent) / most : 0) + noise[row * dimensions + d]! * 1e-4;
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let row = 0; row < rows; row++) {
      low = Math.min(low, column(row));
      high = Math.max(high, column(row));
    }
    const scale = high > low ? startExtent / (high - low) : 0;
    for (let row = 0; row < rows; row++) points[row * dimensions + d] = (column(row) - low) * scale;
  }
  return points;
}

export interface PlaceOptions extends Omit<UmapOptions, 'init' | 'spread' | 'minDist'> {
  /** The rows that the layout was made from are `matrix`; these are to be placed among them. */
  added: MatrixView;
  fitted: Pick<UmapResult, 'coordinates' | 'curve'>;
}

/**
 * Places new rows into a finished layout, which does not move: at the weighted mean of their neighbours, then by the
 * same descent, as umap-learn's `transform`. Each new row is placed by its neighbours among the old ones.
 */
export async function placeInLayout(options: PlaceOptions): Promise<MatrixView> {
  const { fitted, added, metric, dimensions } = options;
  const space = metricSpace(options.matrix, metric);
  const count = Math.min(options.neighbours, options.matrix.rows);
  const coordinates = {
    data: new Float32Array(added.rows * dimensions),
    rows: added.rows,
    columns: dimensions,
  };
  if (count === 0 || added.rows === 0) return coordinates;
  const found = await nearestOfPart({ space, queries: alsoIn(space, added), count, from: 0, to: added.rows });
  const neighbours = inMetric(found, metric);
  const scales = localScales(neighbours, { localConnectivity: false, selfCounts: false });
  const edges = memberships(neighbours, scales);
  const totals = new Float64Array(added.rows);
  edges.from.forEach((row, at) => {
    totals[row]! += edges.weights[at]!;
  });
  const points = coordinates.data;
  edges.from.forEach((row, at) => {
    const share = edges.weights[at]! / totals[row]!;
    for (let d = 0; d < dimensions; d++)
      points[row * dimensions + d]! += share * fitted.coordinates.data[edges.to[at]! * dimensions + d]!;
  });
  optimizeLayout({
    ...options,
    points,
    anchors: fitted.coordinates.data,
    edges,
    curve: fitted.curve,
    epochs: options.epochs === undefined ? (added.rows <= 10_000 ? 100 : 30) : Math.floor(options.epochs / 3),
    learningRate: options.learningRate / 4,
  });
  return coordinates;
}

function inMetric(found: Neighbours, metric: Metric): Neighbours {
  return { ...found, distances: found.distances.map((square) => distanceOf(metric, square)) };
}
