/** A step that is measured as its input grows. */
export interface CostStep {
  name: string;
  /** The step in the workflow: YAML in flow style, over the steps `rows`, `vectors`, `clusters` and `table`. */
  step: string;
  /** What must be there before the step is measured, without counting. */
  needs: readonly ('rows' | 'vectors' | 'clusters' | 'table')[];
  /** The largest size that it is measured at; 100,000 rows if not given. */
  most?: number;
  /** How its time grows, where the algorithm is worse than n·log n. */
  growth?: string;
}

const rows = 'from: rows';
const both = 'from: { rows: rows, vectors: vectors }';
const halves =
  'from: { queries: few, documents: rows, query_vectors: few_vectors, document_vectors: vectors }';
const million = 1_000_000;

export const costSteps: readonly CostStep[] = [
  {
    name: 'load',
    step: 'use: load, with: { path: rows.jsonl, id: id, text: text }',
    needs: [],
    most: million,
  },
  {
    name: 'filter',
    step: `use: filter, ${rows}, with: { where: "row.n % 10 != 3" }`,
    needs: ['rows'],
    most: million,
  },
  {
    name: 'clean',
    step: `use: clean, ${rows}, with: { mask: [email, phone, card, ip, key] }`,
    needs: ['rows'],
  },
  {
    name: 'quality, language and Gopher',
    step: `use: quality, ${rows}, with: { language: {}, gopher_quality: {}, gopher_repetition: {} }`,
    needs: ['rows'],
  },
  { name: 'dedupe, exact', step: `use: dedupe, ${rows}`, needs: ['rows'], most: million },
  { name: 'dedupe, MinHash', step: `use: dedupe, ${rows}, with: { method: minhash }`, needs: ['rows'] },
  {
    name: 'dedupe, semantic',
    step: `use: dedupe, ${both}, with: { method: semantic, threshold: 0.95 }`,
    needs: ['vectors'],
    growth: 'n·√n: compared within √n clusters',
  },
  {
    name: 'embed, static',
    step: 'use: embed, from: { rows: rows, model: table }, with: { method: static }',
    needs: ['rows', 'table'],
    most: million,
  },
  { name: 'embed, lexical', step: `use: embed, ${rows}, with: { method: lexical }`, needs: ['rows'] },
  { name: 'embed, MiniLM', step: `use: embed, ${rows}`, needs: ['rows'], most: 10_000 },
  {
    name: 'cluster, k-means',
    step: `use: cluster, ${both}, with: { method: kmeans, k: 77 }`,
    needs: ['vectors'],
  },
  {
    name: 'cluster, minibatch k-means',
    step: `use: cluster, ${both}, with: { method: minibatch_kmeans, k: 77 }`,
    needs: ['vectors'],
    most: million,
  },
  {
    name: 'cluster, HDBSCAN',
    step: `use: cluster, ${both}, with: { method: hdbscan, min_cluster_size: 10 }`,
    needs: ['vectors'],
    growth: 'n²: exact mutual reachability',
  },
  {
    name: 'cluster, agglomerative',
    step: `use: cluster, ${both}, with: { method: agglomerative, k: 77 }`,
    needs: ['vectors'],
    most: 10_000,
    growth: 'n²',
  },
  {
    name: 'cluster, Leiden',
    step: `use: cluster, ${both}, with: { method: leiden }`,
    needs: ['vectors'],
    growth: 'n²: exact neighbours',
  },
  {
    name: 'summarize, keywords',
    step: 'use: summarize, from: { rows: clusters, vectors: vectors }',
    needs: ['clusters'],
  },
  {
    name: 'evaluate, clustering',
    step: 'use: evaluate, from: { rows: clusters, vectors: vectors }, with: { task: clustering, truth: topic }',
    needs: ['clusters'],
  },
  { name: 'project, PCA', step: `use: project, ${both}, with: { method: pca }`, needs: ['vectors'] },
  {
    name: 'project, UMAP',
    step: `use: project, ${both}`,
    needs: ['vectors'],
    growth: 'n²: exact neighbours',
  },
  {
    name: 'project, t-SNE',
    step: `use: project, ${both}, with: { method: tsne }`,
    needs: ['vectors'],
    most: 10_000,
    growth: 'n²: exact neighbours',
  },
  { name: 'search, BM25, 1,000 queries', step: `use: search, ${halves}`, needs: ['vectors'] },
  {
    name: 'search, hybrid, 1,000 queries',
    step: `use: search, ${halves}, with: { mode: hybrid }`,
    needs: ['vectors'],
  },
  {
    name: 'sample, diverse 100',
    step: `use: sample, ${both}, with: { method: diverse, size: 100 }`,
    needs: ['vectors'],
    growth: 'n·size',
  },
  { name: 'split', step: `use: split, ${rows}, with: { stratify: topic }`, needs: ['rows'] },
  {
    name: 'train, softmax head of 77 classes',
    step: `use: train, ${both}, with: { label: topic, C: 10 }`,
    needs: ['vectors'],
  },
  { name: 'label_errors', step: `use: label_errors, ${both}, with: { label: topic }`, needs: ['vectors'] },
  {
    name: 'outliers, neighbours',
    step: `use: outliers, ${both}`,
    needs: ['vectors'],
    growth: 'n²: exact neighbours',
  },
  {
    name: 'trends',
    step: 'use: trends, from: clusters, with: { time: at, slice: day }',
    needs: ['clusters'],
  },
  {
    name: 'validate, four expectations',
    step: `use: validate, ${rows}, with: { expectations: [{ expect: not_null, field: text }, { expect: unique, field: text, severity: warn }, { expect: length, field: text, max_value: 500 }, { expect: regex, field: topic, regex: "^topic" }] }`,
    needs: ['rows'],
  },
  {
    name: 'query, group by',
    step: `use: query, from: { rows: rows }, with: { sql: "SELECT topic, count(*) AS n FROM rows GROUP BY topic ORDER BY topic" }`,
    needs: ['rows'],
    most: million,
  },
  { name: 'compress, extractive', step: `use: compress, ${rows}, with: { rate: 0.5 }`, needs: ['rows'] },
  {
    name: 'generate, a loopback server',
    step: `use: generate, ${rows}, with: { model: m, prompt: { text: "{{text}}" } }`,
    needs: ['rows'],
    most: 10_000,
  },
  {
    name: 'export, Parquet',
    step: `use: export, ${rows}, with: { path: out.parquet }`,
    needs: ['rows'],
    most: million,
  },
  { name: 'report', step: 'use: report, from: { topics: clusters }', needs: ['clusters'], most: 10_000 },
];
