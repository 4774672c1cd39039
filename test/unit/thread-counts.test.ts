import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { JsonObject } from '../../engine/json.ts';
import type { AnyStepType, Matrix } from '../../engine/step.ts';
import { stepTypes } from '../../steps/index.ts';
import { folderWith, runStep, type StepOutputs } from '../run-step.ts';

/** Each step whose work is parted among threads makes the same bytes with one, two and three of them. */
const pools = [1, 2, 3].map((threads) => new WorkerPool({ threads }));
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

const columns = 8;
const kinds = 6;
const words = 'card cash money transfer top up fee exchange rate pin lost stolen bank charge atm'.split(' ');

interface Data {
  rows: Row[];
  vectors: { matrix: Matrix; ids: string[] };
}

/** Rows round a few centres that overlap, so that a sum in another order could tip a row over. */
function data(count: number): Data {
  const values = new Float32Array(count * columns);
  const rows = Array.from({ length: count }, (_, row) => {
    const kind = row % kinds;
    for (let column = 0; column < columns; column++)
      values[row * columns + column] =
        Math.sin(1 + kind * 37.719 + column * 78.233) + 0.6 * Math.sin(row * 12.9898 + column * 4.1414 * row);
    const text = Array.from(
      { length: 12 },
      (_, place) => words[(kind + place * (row % 5) + (row % 7 === 0 ? row : 0)) % words.length]!,
    ).join(' ');
    return {
      id: `r${row}`,
      text,
      label: `l${row % 11 === 0 ? (kind + 1) % kinds : kind}`,
      group: `g${row % 2}`,
      cluster: kind,
      created_at: new Date(Date.UTC(2026, 0, 1 + (row % 84))).toISOString(),
    };
  });
  return { rows, vectors: { matrix: { data: values, rows: count, columns }, ids: rows.map(({ id }) => id) } };
}

const { rows, vectors } = data(180);
const both = { rows, vectors };
const query = data(70);
const searched = {
  queries: query.rows,
  documents: rows,
  query_vectors: query.vectors,
  document_vectors: vectors,
};
const tiny = join(import.meta.dirname, '..', 'fixtures', 'encoders', 'tiny');
const models = {
  tiny: folderWith(
    Object.fromEntries(
      ['model.onnx', 'tokenizer.json', '1_Pooling/config.json'].map((name) => [
        name,
        readFileSync(join(tiny, name)),
      ]),
    ),
  ),
};

type Inputs = Record<string, Row[] | Data['vectors']>;
const setups: [use: string, parameters: JsonObject, inputs: Inputs][] = [
  ['cluster', { method: 'kmeans', k: 7 }, both],
  ['cluster', { method: 'kmeans', k: 'auto', k_max: 3, k_criterion: 'gap', merge: 'auto' }, both],
  ['cluster', { method: 'minibatch_kmeans', k: 7, batch_size: 64 }, both],
  ['cluster', { method: 'hdbscan', reduce_outliers: 0.3 }, both],
  ['cluster', { method: 'agglomerative', k: 7, hierarchy: 'auto' }, both],
  ['cluster', { method: 'leiden', representative_selection: 'mmr' }, both],
  ['cluster', { method: 'louvain', metric: 'cosine', anomalies: 3 }, both],
  ['project', { method: 'umap', n_epochs: 10 }, both],
  ['project', { method: 'tsne', n_epochs: 10 }, both],
  ['project', { method: 'pca' }, both],
  ['search', { mode: 'hybrid', expand: {} }, searched],
  ['search', { mode: 'semantic' }, searched],
  ['search', { mode: 'semantic', index: 'ivf' }, searched],
  ['dedupe', { method: 'minhash' }, { rows }],
  ['dedupe', { method: 'fuzzy' }, { rows }],
  ['dedupe', { method: 'semantic', n_clusters: 4 }, both],
  ['outliers', {}, both],
  ['outliers', { method: 'lof' }, both],
  ['outliers', { method: 'isolation_forest' }, both],
  ['label_errors', {}, both],
  ['train', {}, both],
  ['train', { method: 'static_embedding', encoder: 'tiny' }, {}],
  ['embed', { model: 'tiny' }, { rows }],
  ['embed', { method: 'lexical', dimensions: 16 }, { rows }],
  ['evaluate', { task: 'clustering', truth: 'label' }, both],
  ['drift', { source: 'group', cluster: 'cluster' }, both],
  ['trends', { time: 'created_at', slice: 'week' }, { rows }],
  ['sample', { method: 'diverse', size: 20 }, both],
  ['split', { stratify: 'label' }, both],
  ['quality', { language: {}, gopher_quality: {} }, { rows }],
  ['summarize', {}, both],
];

/** What a step made, as text: numbers with all their digits, vectors and files as bytes. */
function bytesOf({ tables, matrices, files, metrics, warnings }: StepOutputs): string {
  return JSON.stringify({ tables, matrices, files, metrics, warnings }, (_, value) =>
    ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
      : value,
  );
}

describe('the same bytes with one, two and three threads', () => {
  it.each(setups)('%s %j', async (use, parameters, inputs) => {
    const type: AnyStepType = (await stepTypes[use]!()).default;
    const made = [];
    for (const pool of pools)
      made.push(bytesOf(await runStep(type, { with: parameters, inputs, pool, models })));
    expect(made[1]).toBe(made[0]);
    expect(made[2]).toBe(made[0]);
  });
});
