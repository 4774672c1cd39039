import type { Matrix, MatrixInput, StepContext, TableInput } from '../../engine/step.ts';
import { sameRows } from '../same-rows.ts';
import { distancesFromMeans } from './examples.ts';
import { type ClusterName, moduleUrl } from './name.ts';
import { type ClusteredTexts, readClusters } from './read-clusters.ts';
import type { Given } from './shared.ts';

export interface FoundClusters extends ClusteredTexts {
  /** Rows of each cluster. */
  sizes: Int32Array;
  /** The vectors of the input's rows, where they were read. */
  vectors: Matrix | null;
}

/** Reads clusters with the places of their rows, by the vectors where the rows do not say them. */
export async function findClusters(
  { text, cluster }: Given,
  inputs: { rows: TableInput; vectors: MatrixInput | undefined },
  context: StepContext,
): Promise<FoundClusters> {
  const found = await readClusters(inputs.rows, { text, cluster });
  if (found.withoutText > 0)
    context.warn(
      `${found.withoutText} of ${inputs.rows.rows} rows have no ${text}; they add nothing to a name`,
    );
  let vectors: Matrix | null = null;
  if (found.places === undefined && inputs.vectors && found.rows.length > 0) {
    sameRows(inputs.rows, inputs.vectors);
    vectors = await inputs.vectors.read();
    found.places = distancesFromMeans(vectors, found);
  }
  const sizes = new Int32Array(found.numbers.length);
  for (const index of found.clusters) sizes[index]!++;
  return { ...found, sizes, vectors };
}

/** Names and keywords of clusters by class-based TF-IDF, in a worker thread. */
export async function nameByKeywords(
  found: FoundClusters,
  parameters: Given,
  context: StepContext,
): Promise<ClusterName[]> {
  return context.pool.run<unknown, ClusterName[]>(moduleUrl, 'nameClusters', {
    texts: found.texts,
    clusters: found.clusters,
    k: found.numbers.length,
    numbers: found.numbers,
    nameTerms: parameters.name_terms,
    keywords: parameters.keywords,
    longest: parameters.max_ngram,
    stopWords: parameters.stop_words,
    bm25Weighting: parameters.bm25_weighting,
    reduceFrequentWords: parameters.reduce_frequent_words,
    seedWords: parameters.seed_words,
    seedMultiplier: parameters.seed_multiplier,
    diversity: parameters.diversity,
  });
}
