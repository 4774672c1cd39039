import { defineStep } from '../../engine/step.ts';
import {
  type TrustworthinessOptions,
  moduleUrl as trustworthinessUrl,
} from '../../numerics/trustworthiness.ts';
import { requireFinite } from '../finite-vectors.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { type Parameters, projected } from './methods.ts';

/** Rows whose neighbours are looked at for the trustworthiness, and how many neighbours of each. */
const trustSample = 1000;
const trustNeighbours = 15;
const axes = ['x', 'y', 'z'];

export default defineStep({
  type: 'project',
  summary: 'Brings vectors into few dimensions: UMAP, t-SNE or PCA',
  description: `\`umap\` (McInnes, Healy & Melville 2018) lays rows out so that those alike are near each other: for maps, and with some more dimensions
(\`n_components: 5\`, \`min_dist: 0\`) before \`cluster\` by \`hdbscan\`. Parameters, defaults and rules are those of the Python package
umap-learn; neighbours are exact. Distances between far groups, and their sizes, mean little.

\`tsne\` (van der Maaten & Hinton 2008; Barnes and Hut's approximation) makes maps of two dimensions that keep neighbours together; its groups come out
more alike in size. Defaults are scikit-learn's, neighbours are exact. It works on one thread, n·log n an epoch.

\`pca\` takes the directions of greatest variance: fast, linear, and distances keep their meaning. Above 1,000 dimensions they are
fitted on a sample of 1,000 rows.

The same vectors and seed give the same coordinates on every machine, whatever the number of threads. UMAP compares all rows with
each other, which grows with the square of their number: 10,000 rows take some seconds.

**New rows in an old map.** With \`map\` and \`map_vectors\`, the coordinates and vectors of an earlier projection
(\`from: { rows: new, vectors: new_vectors, map: run:latest/map.coordinates, map_vectors: run:latest/vectors }\`), the map stays as it is and
rows are placed among those they are nearest to. \`pca\` takes the same axes again; \`tsne\` cannot. Say the same parameters as then.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      method: { enum: ['umap', 'tsne', 'pca'], default: 'umap', description: 'The algorithm.' },
      n_components: { type: 'integer', minimum: 1, maximum: 1000, default: 2, description: 'Dimensions.' },
      n_neighbors: {
        type: 'integer',
        minimum: 2,
        maximum: 1000,
        default: 15,
        description:
          '`umap`: size of a neighbourhood, the row itself counted. More show the large, fewer the small.',
      },
      min_dist: {
        type: 'number',
        minimum: 0,
        default: 0.1,
        description: '`umap`: how near to each other rows may come; 0 packs groups tight.',
      },
      spread: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 1,
        description: '`umap`: scale of the layout; `min_dist` is at most this.',
      },
      perplexity: {
        type: 'number',
        minimum: 1,
        maximum: 1000,
        default: 30,
        description: '`tsne`: how many neighbours count for a row.',
      },
      metric: {
        enum: ['euclidean', 'cosine'],
        default: 'euclidean',
        description: '`umap`, `tsne`: the distance of two rows; `cosine` is 1 − cos.',
      },
      init: {
        enum: ['spectral', 'pca'],
        default: 'spectral',
        description:
          '`umap`: where the layout starts. `spectral` falls back to `pca` where the rows fall into groups without any link.',
      },
      n_epochs: {
        type: 'integer',
        minimum: 1,
        maximum: 100_000,
        description:
          '`umap`, `tsne`: rounds of the descent. Default: `umap` 500 up to 10,000 rows, 200 above; `tsne` 1000.',
      },
      learning_rate: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 1,
        description: '`umap`: size of the first steps.',
      },
      negative_sample_rate: {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        default: 5,
        description: '`umap`: random rows that a row is pushed away from, each time it is pulled.',
      },
      repulsion_strength: {
        type: 'number',
        minimum: 0,
        default: 1,
        description: '`umap`: weight of the pushes.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Rows to place.' },
    vectors: { kind: 'matrix', description: 'A vector for each of the rows.' },
    map: {
      kind: 'matrix',
      optional: true,
      description: 'Coordinates of an earlier projection to place the rows in.',
    },
    map_vectors: { kind: 'matrix', optional: true, description: 'The vectors that it was made from.' },
  },
  outputs: {
    rows: { kind: 'table', description: 'The rows with `x`, `y` and `z`, as far as there are dimensions.' },
    coordinates: { kind: 'matrix', description: 'All coordinates of the rows.' },
  },
  metrics: {
    trustworthiness: `How far the ${trustNeighbours} nearest rows in the projection are near in truth, 0 to 1 (Venna & Kaski 2001), of at most ${trustSample} rows; not for new rows in an old map.`,
    explained_variance: '`pca`: share of the variance that the dimensions hold, 0 to 1.',
    rows: 'Rows placed.',
  },
  example: `map:
  use: project
  from: { rows: unique, vectors: vectors }
  with: { method: umap, n_neighbors: 15, min_dist: 0.1 }`,
  seeded: true,
  check: ({ method, n_components: dimensions, min_dist: minDist, spread }) => {
    if (method === 'tsne' && dimensions !== 2)
      return [{ parameter: 'n_components', message: `tsne has two components, not ${dimensions}` }];
    return minDist > spread
      ? [{ parameter: 'min_dist', message: `min_dist is at most spread; ${minDist} is above ${spread}` }]
      : [];
  },

  async run({ parameters, inputs, outputs, context }) {
    sameRows(inputs.rows, inputs.vectors);
    const matrix = await inputs.vectors.read();
    requireFinite(matrix);
    const { coordinates, explained } = await projected(matrix, inputs, parameters as Parameters, context);
    const trust = inputs.map
      ? Number.NaN
      : await context.pool.run<TrustworthinessOptions, number>(trustworthinessUrl, 'trustworthiness', {
          original: matrix,
          projected: coordinates,
          metric: parameters.method === 'pca' ? 'euclidean' : parameters.metric,
          count: trustNeighbours,
          sampleSize: trustSample,
          seed: context.random('trustworthiness').seed(),
        });
    const named = axes.slice(0, coordinates.columns);
    outputs.rows.expect([...inputs.rows.fields, ...named]);
    let at = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        const placed = Object.fromEntries(
          named.map((axis, index) => [axis, significant(coordinates.data[at + index]!)]),
        );
        at += coordinates.columns;
        const pending = outputs.rows.write({ ...row, ...placed });
        if (pending) await pending;
      }
      context.signal.throwIfAborted();
    }
    await outputs.coordinates.write(coordinates, inputs.rows);
    return {
      metrics: {
        ...(Number.isNaN(trust) ? {} : { trustworthiness: significant(trust) }),
        ...(explained === undefined ? {} : { explained_variance: significant(explained) }),
        rows: matrix.rows,
      },
    };
  },
});
