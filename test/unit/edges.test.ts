import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import { canonicalJson, type JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { AnyStepType, Matrix } from '../../engine/step.ts';
import { stepTypes } from '../../steps/index.ts';
import { askedModels } from '../asked-models.ts';
import { ModelServer } from '../model-server.ts';
import { runStep, type StepOutputs } from '../run-step.ts';

interface Data {
  rows: Row[];
  vectors: { matrix: Matrix; ids: string[] };
}

const columns = 4;
/** Vectors of directions that differ, the same for the same number of rows. */
const direction = (row: number, column: number) => Math.sin(1 + row * 12.9898 + column * 78.233);

function data(texts: readonly string[], vector = direction): Data {
  const rows = texts.map((text, index) => ({
    id: `r${index}`,
    text,
    answer: text,
    label: index % 2 === 0 ? 'even' : 'odd',
    group: `g${index % 3}`,
    cluster: index % 2,
    score: index,
    created_at: `2026-01-${String(1 + (index % 28)).padStart(2, '0')}`,
  }));
  const values = texts.flatMap((_, row) =>
    Array.from({ length: columns }, (_, column) => vector(row, column)),
  );
  return {
    rows,
    vectors: {
      matrix: { data: Float32Array.from(values), rows: rows.length, columns },
      ids: rows.map((row) => row.id),
    },
  };
}

const naughty = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'hostile', 'naughty-strings', 'blns.json'), 'utf8'),
) as string[];
const few = ['where is my card', 'the card has not come', 'top up by transfer'];
const many = Array.from({ length: 12 }, (_, index) => `${few[index % 3]} ${index}`);

const cases: Record<string, Data> = {
  'no rows': data([]),
  'one row': data(['where is my card']),
  'rows that are all equal': data(Array(12).fill('where is my card'), (_, column) => column),
  'fewer rows than k': data(few),
  'vectors of zeros': data(many, () => 0),
  'some vectors of zeros': data(many, (row, column) => (row % 3 === 0 ? 0 : direction(row, column))),
  'empty texts': data(Array(12).fill('')),
  'a text of 100 kB': data([...many, 'the card has not come and '.repeat(4000)]),
  'a word of 100 kB': data([...many, 'x'.repeat(100_000)]),
  'every script': data(naughty.filter((_, index) => index % 2 === 0)),
};
const notFinite: Record<string, Data> = {
  NaN: data(many, (row, column) => (row === 7 ? Number.NaN : direction(row, column))),
  Infinity: data(many, (row, column) => (row === 7 ? Number.POSITIVE_INFINITY : direction(row, column))),
};

/** What a step is given: its inputs made of the case, and parameters that ask for something. */
interface Setup {
  use: string;
  with?: JsonObject;
  inputs: (data: Data) => Record<string, Row[] | Data['vectors']>;
}

const table = ({ rows }: Data) => ({ rows });
const both = ({ rows, vectors }: Data) => ({ rows, vectors });
const clusters = (method: string, more: JsonObject = {}): Setup => ({
  use: 'cluster',
  with: { method, ...more },
  inputs: both,
});
/** Two clusters of an earlier run, which had the first half of the rows. */
const updated = (method: string, more: JsonObject): Setup => ({
  use: 'cluster',
  with: { method, ...more },
  inputs: ({ rows, vectors }) => {
    const earlier: Row[] = rows
      .slice(0, Math.ceil(rows.length / 2))
      .map((row) => ({ ...row, distance: 0.5 }));
    const sizes = [0, 1].map((cluster) => earlier.filter((row) => row['cluster'] === cluster).length);
    const centres = Float32Array.from({ length: 2 * columns }, (_, at) => direction(at, at));
    return {
      rows,
      vectors,
      earlier,
      earlier_clusters: sizes.map((size, cluster) => ({ id: String(cluster), cluster, size })),
      earlier_centers: { matrix: { data: centres, rows: 2, columns }, ids: ['0', '1'] },
    };
  },
});
const setups: Record<string, Setup> = {
  'augment by typos': { use: 'augment', with: { methods: ['typos', 'missing_words'] }, inputs: table },
  'augment by a model': { use: 'augment', with: { methods: ['paraphrase'], model: 'm' }, inputs: table },
  'classify by a model': { use: 'classify', with: { model: 'm', labels: ['even', 'odd'] }, inputs: table },
  clean: { use: 'clean', with: { mask: ['email', 'phone', 'card'] }, inputs: table },
  kmeans: clusters('kmeans', { k: 5 }),
  'kmeans, any k': clusters('kmeans', { k: 'auto' }),
  'kmeans, k by elbow': clusters('kmeans', { k: 'auto', k_criterion: 'elbow', merge: 'auto' }),
  'kmeans, k by gap': clusters('kmeans', { k: 'auto', k_criterion: 'gap', k_max: 4 }),
  spherical_kmeans: clusters('spherical_kmeans', { k: 5, merge: 0.9 }),
  minibatch_kmeans: clusters('minibatch_kmeans', { k: 5 }),
  hdbscan: clusters('hdbscan', { metric: 'cosine', anomalies: 3 }),
  'hdbscan, leaves': clusters('hdbscan', {
    cluster_selection_method: 'leaf',
    hierarchy: 'auto',
    reduce_outliers: 0,
  }),
  'agglomerative by distance': clusters('agglomerative', { linkage: 'single', distance_threshold: 0.5 }),
  agglomerative: clusters('agglomerative', { k: 5, hierarchy: 'auto' }),
  leiden: clusters('leiden'),
  louvain: clusters('louvain', { metric: 'cosine', representative_selection: 'mmr' }),
  'rows assigned to earlier clusters': updated('kmeans', { update: 'assign' }),
  'rows assigned by density': updated('hdbscan', { update: 'assign', metric: 'cosine' }),
  'rows predicted by density': updated('hdbscan', { update: 'predict', anomalies: 1 }),
  'clustered again': updated('kmeans', { k: 3, update: 'recluster' }),
  'compress by words': { use: 'compress', with: { rate: 0.5 }, inputs: table },
  'compress by rules': { use: 'compress', with: { method: 'rules' }, inputs: table },
  'compress by a model': { use: 'compress', with: { method: 'model', model: 'm' }, inputs: table },
  'dedupe exact': { use: 'dedupe', inputs: table },
  'dedupe normalized': { use: 'dedupe', with: { method: 'normalized' }, inputs: table },
  'dedupe minhash': { use: 'dedupe', with: { method: 'minhash' }, inputs: table },
  'dedupe fuzzy': { use: 'dedupe', with: { method: 'fuzzy' }, inputs: table },
  'dedupe semantic': { use: 'dedupe', with: { method: 'semantic', n_clusters: 5 }, inputs: both },
  'dedupe against itself': {
    use: 'dedupe',
    with: { method: 'minhash' },
    inputs: ({ rows }) => ({ rows, against: rows }),
  },
  'embed lexical': { use: 'embed', with: { method: 'lexical' }, inputs: table },
  'evaluate clustering': { use: 'evaluate', with: { task: 'clustering', truth: 'label' }, inputs: both },
  'evaluate classification': {
    use: 'evaluate',
    with: { task: 'classification', truth: 'label', prediction: 'group' },
    inputs: table,
  },
  'extract by a model': {
    use: 'extract',
    with: { model: 'm', schema: { type: 'object', properties: { label: { type: 'string' } } } },
    inputs: table,
  },
  filter: { use: 'filter', with: { where: 'size(row.text) > 3' }, inputs: table },
  generate: { use: 'generate', with: { model: 'm', prompt: { text: '{{text}}' } }, inputs: table },
  judge: { use: 'judge', with: { judges: ['m'], checks: [{ characters: { max: 1000 } }] }, inputs: table },
  label_errors: { use: 'label_errors', inputs: both },
  outliers: { use: 'outliers', inputs: both },
  'outliers by density': { use: 'outliers', with: { method: 'lof' }, inputs: both },
  'outliers by cuts': { use: 'outliers', with: { method: 'isolation_forest', by: 'label' }, inputs: both },
  'outliers by numbers': { use: 'outliers', with: { fields: ['score'] }, inputs: table },
  'outliers by length': { use: 'outliers', with: { method: 'length' }, inputs: table },
  'project umap': { use: 'project', inputs: both },
  'project tsne': { use: 'project', with: { method: 'tsne' }, inputs: both },
  'project pca': { use: 'project', with: { method: 'pca' }, inputs: both },
  quality: {
    use: 'quality',
    with: { language: {}, gopher_quality: {}, gopher_repetition: {}, c4: {}, fineweb: {}, pii: ['email'] },
    inputs: table,
  },
  'sample random': { use: 'sample', with: { size: 5 }, inputs: table },
  'sample stratified': { use: 'sample', with: { method: 'stratified', size: 5, by: 'label' }, inputs: table },
  'sample balanced': { use: 'sample', with: { method: 'balanced', size: 5, by: 'label' }, inputs: table },
  'sample of clusters': { use: 'sample', with: { method: 'cluster', size: 5 }, inputs: table },
  'sample by weight': {
    use: 'sample',
    with: { method: 'weighted', size: 5, weight: 'score' },
    inputs: table,
  },
  'sample by variance': {
    use: 'sample',
    with: { method: 'stratified', size: 5, by: 'label', allocation: 'neyman', value: 'score' },
    inputs: table,
  },
  'sample typical': { use: 'sample', with: { method: 'mmr', size: 5 }, inputs: both },
  'sample diverse': { use: 'sample', with: { method: 'diverse', size: 5 }, inputs: both },
  'search by words': {
    use: 'search',
    inputs: ({ rows }) => ({ queries: rows, documents: rows }),
  },
  'search by both': {
    use: 'search',
    with: { mode: 'hybrid', expand: {} },
    inputs: ({ rows, vectors }) => ({
      queries: rows,
      documents: rows,
      query_vectors: vectors,
      document_vectors: vectors,
    }),
  },
  'search by lists': {
    use: 'search',
    with: { mode: 'semantic', index: 'ivf' },
    inputs: ({ rows, vectors }) => ({
      queries: rows,
      documents: rows,
      query_vectors: vectors,
      document_vectors: vectors,
    }),
  },
  split: { use: 'split', with: { stratify: 'label' }, inputs: both },
  'split into folds': { use: 'split', with: { folds: 3, stratify: 'label' }, inputs: table },
  'split by time': { use: 'split', with: { time: 'created_at' }, inputs: both },
  'split by group': { use: 'split', with: { group: 'group' }, inputs: table },
  'summarize by keywords': { use: 'summarize', inputs: both },
  'summarize by a model': { use: 'summarize', with: { method: 'model', model: 'm' }, inputs: both },
  'train softmax': { use: 'train', inputs: both },
  'train knn': { use: 'train', with: { method: 'knn' }, inputs: both },
  'train centroid': { use: 'train', with: { method: 'centroid' }, inputs: both },
  drift: { use: 'drift', with: { source: 'label', cluster: 'group' }, inputs: both },
  trends: { use: 'trends', with: { time: 'created_at', slice: 'week' }, inputs: table },
  validate: {
    use: 'validate',
    with: {
      on_fail: 'quarantine',
      expectations: [
        { expect: 'not_null', field: 'text' },
        { expect: 'unique', field: 'text', severity: 'warn' },
        { expect: 'length', field: 'text', max_value: 2000 },
      ],
    },
    inputs: table,
  },
};

let server: ModelServer;
let pool: WorkerPool;
beforeAll(async () => {
  server = await ModelServer.start({ reply: () => '{"label":"even"}' });
  pool = new WorkerPool({ threads: 2 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await pool.close();
});

/** Runs the step; a `StepError` is a value, anything else thrown fails the test. */
async function outcome({ use, with: given, inputs }: Setup, made: Data): Promise<StepOutputs | StepError> {
  const type: AnyStepType = (await stepTypes[use]!()).default;
  try {
    return await runStep(type, {
      with: given ?? {},
      inputs: inputs(made),
      pool,
      languageModels: askedModels(server, ['m']),
    });
  } catch (error) {
    if (error instanceof StepError) return error;
    throw error;
  }
}

/** Step types that read files, or inputs of any kind: the edges of `load` are in hostile.test.ts. */
const elsewhere = ['assert', 'load', 'exec', 'export', 'query', 'report'];
/** What has no answer without rows, or without words. */
const refused: Record<string, Record<string, string>> = {
  'no rows': { evaluate: 'nothing-to-score', train: 'nothing-to-learn' },
  'empty texts': { embed: 'no-terms' },
};
/** Tables that hold each row of the input once, together. */
const parts: Record<string, string[][]> = {
  clean: [['rows']],
  classify: [['rows', 'failed']],
  cluster: [['rows']],
  compress: [['rows', 'rejected', 'failed']],
  dedupe: [['rows', 'duplicates']],
  extract: [['rows', 'failed']],
  generate: [['rows', 'failed']],
  label_errors: [['rows'], ['kept', 'errors']],
  outliers: [['rows'], ['kept', 'outliers']],
  project: [['rows']],
  quality: [['rows', 'rejected']],
  sample: [['rows', 'rest']],
  split: [['rows', 'train', 'valid', 'test']],
  validate: [['rows', 'quarantined']],
};
/** Vectors only pass through these. */
const passing = ['split', 'summarize'];

it('there is a setup for every step type', () => {
  const used = new Set(Object.values(setups).map(({ use }) => use));
  expect(Object.keys(stepTypes).filter((use) => !used.has(use) && !elsewhere.includes(use))).toEqual([]);
});

describe.each(Object.entries(setups))('%s', (_, setup) => {
  it.each(Object.entries(cases))('%s', async (name, made) => {
    const result = await outcome(setup, made);
    const code = refused[name]?.[setup.use];
    if (result instanceof StepError) {
      expect(result).toMatchObject({ code });
      return;
    }
    expect(code).toBeUndefined();
    for (const rows of Object.values(result.tables))
      for (const row of rows) expect(canonicalJson(row).isWellFormed()).toBe(true);
    for (const { data, ids } of Object.values(result.matrices)) {
      expect(data.every(Number.isFinite)).toBe(true);
      expect(new Set(ids).size).toBe(ids.length);
    }
    for (const [metric, value] of Object.entries(result.metrics))
      if (typeof value === 'number') expect(value, metric).toSatisfy(Number.isFinite);
    const sorted = (rows: readonly Row[]) => rows.map(({ id }) => id).sort();
    for (const names of parts[setup.use] ?? [])
      expect(sorted(names.flatMap((table) => result.tables[table] ?? []))).toEqual(sorted(made.rows));
    if (setup.use === 'cluster') expect(result.metrics['k']).toBeLessThanOrEqual(made.rows.length);
  });

  const given = Object.keys(setup.inputs(data([])));
  if (!given.some((input) => input.endsWith('vectors')) || passing.includes(setup.use)) return;
  it.each(Object.entries(notFinite))('refuses %s', async (_, made) => {
    const result = await outcome(setup, made);
    expect(result).toBeInstanceOf(StepError);
    expect(result).toMatchObject({ code: 'bad-vector', message: expect.stringContaining('row 8') });
  });
});
