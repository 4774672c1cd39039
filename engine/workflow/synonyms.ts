import { nearest } from '../nearest.ts';

/** Names that other systems have for the same thing: keys, parameters of scikit-learn and its like, methods, expectations. */
const synonyms: { readonly [name: string]: readonly string[] } = {
  use: ['uses', 'type', 'step', 'action', 'run', 'kind'],
  from: ['input', 'inputs', 'in', 'source', 'reads'],
  after: ['needs', 'depends_on', 'depends', 'dependencies', 'requires'],
  with: ['params', 'parameters', 'args', 'options', 'config'],
  when: ['if', 'condition', 'only_if'],
  matrix: ['strategy', 'foreach'],
  retries: ['retry', 'max_retries'],
  on_error: ['on_failure', 'continue_on_error'],
  steps: ['jobs', 'tasks', 'stages', 'pipeline'],
  params: ['inputs', 'parameters', 'variables', 'vars'],
  include: ['includes', 'import', 'imports', 'extends'],
  k: ['n_clusters', 'num_clusters', 'n_topics', 'nr_topics', 'num_topics'],
  dimensions: ['n_components', 'num_dimensions'],
  folds: ['n_splits', 'n_folds', 'cv'],
  ratios: ['test_size', 'train_size', 'valid_size', 'split_ratio'],
  size: ['n', 'n_samples', 'count', 'k', 'num_samples'],
  field: ['column', 'col'],
  fields: ['columns', 'column_list', 'subset'],
  project: ['umap', 'tsne', 't_sne', 'pca', 'reduce', 'dimensionality_reduction'],
  cluster: ['kmeans', 'k_means', 'hdbscan', 'dbscan', 'leiden', 'louvain', 'topic', 'bertopic'],
  dedupe: ['deduplicate', 'deduplication', 'drop_duplicates', 'unique', 'minhash'],
  query: ['sql', 'duckdb', 'join', 'aggregate', 'group_by'],
  export: ['save', 'write', 'dump', 'to_csv'],
  load: ['read', 'read_csv', 'open', 'ingest', 'csv', 'jsonl'],
  generate: ['llm', 'prompt', 'chat', 'complete', 'completion'],
  lexical: ['tfidf', 'tf_idf', 'bm25', 'bag_of_words'],
  static: ['model2vec', 'static_embedding'],
  not_null: ['expect_column_values_to_not_be_null', 'notnull', 'required'],
  unique: ['expect_column_values_to_be_unique', 'expect_compound_columns_to_be_unique'],
  in_set: ['expect_column_values_to_be_in_set', 'isin', 'one_of', 'enum'],
  not_in_set: ['expect_column_values_to_not_be_in_set'],
  regex: ['expect_column_values_to_match_regex', 'pattern', 'matches'],
  not_regex: ['expect_column_values_to_not_match_regex'],
  range: ['expect_column_values_to_be_between', 'between'],
  length: ['expect_column_value_lengths_to_be_between'],
  type: ['expect_column_values_to_be_of_type', 'dtype'],
  row_count: ['expect_table_row_count_to_be_between', 'expect_table_row_count_to_equal'],
  mean: ['expect_column_mean_to_be_between'],
};

/** The name that was meant by one that is not there: what others call so, or one that is close; undefined if neither. */
export function meant(word: string, names: readonly string[]): string | undefined {
  const plain = word.toLowerCase().replaceAll('-', '_');
  const synonym = names.find((name) => Object.hasOwn(synonyms, name) && synonyms[name]!.includes(plain));
  return synonym ?? nearest(word, names);
}
