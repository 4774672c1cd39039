import { defineStep } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { distancesFromMeans, nearestTexts } from './examples.ts';
import { type ClusterName, moduleUrl } from './name.ts';
import { readClusters } from './read-clusters.ts';

export default defineStep({
  type: 'summarize',
  summary: 'Names clusters by the words typical of them, with the rows nearest their centres',
  description: `\`keywords\` needs no model. It weighs the words of each cluster, and words in a row, by class-based TF-IDF (Grootendorst 2022):
W = tf · log(1 + A/f) with tf the share of the cluster's words, f how often the word occurs at all, A the mean number of words in a cluster.
Forms of a word count together (Snowball stems for English and Russian), stop words of both languages do not count; words of scripts without
spaces are found by dictionary. The name is made of the terms that weigh most and that many texts have; no two clusters have the same name.

Examples are the texts nearest the centre: by the field \`rank\` or \`distance\` that \`cluster\` writes, else by the vectors, else the first ones.
Rows without a cluster, or in the cluster −1 (noise), are left out.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      method: { enum: ['keywords'], default: 'keywords', description: 'How names are made.' },
      text: { type: 'string', minLength: 1, default: 'text', description: 'The field with the text.' },
      cluster: {
        type: 'string',
        minLength: 1,
        default: 'cluster',
        description: 'The field with the number of the cluster.',
      },
      examples: {
        type: 'integer',
        minimum: 0,
        maximum: 1000,
        default: 5,
        description: 'Different texts of each cluster to show.',
      },
      keywords: {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        default: 10,
        description: 'Keywords of each cluster.',
      },
      name_terms: {
        type: 'integer',
        minimum: 1,
        maximum: 10,
        default: 2,
        description: 'Terms in a name, at most; a further one where two names would be the same.',
      },
      max_ngram: {
        type: 'integer',
        minimum: 1,
        maximum: 4,
        default: 3,
        description: 'Words in a term, at most.',
      },
      stop_words: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        default: [],
        description: 'Words that say nothing here, besides the usual ones.',
      },
      bm25_weighting: {
        type: 'boolean',
        default: false,
        description: 'Weigh by log(1 + (A − f + 0.5)/(f + 0.5)), which counts frequent words less.',
      },
      reduce_frequent_words: {
        type: 'boolean',
        default: false,
        description: 'Use √tf, for the same purpose.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Rows with a text and a cluster.' },
    vectors: {
      kind: 'matrix',
      optional: true,
      description: 'Their vectors: used to find examples if the rows have no `rank` and no `distance`.',
    },
  },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'A row for each cluster: `cluster`, `name`, `size`, `share` of the rows, `keywords`, `examples` (texts) and their `example_ids`.',
    },
  },
  metrics: {
    clusters: 'Clusters that were named.',
    unclustered: 'Rows without a cluster.',
    rows: 'Rows in them.',
  },
  example: `names:
  use: summarize
  from: topics
  with: { method: keywords, text: text, examples: 5 }`,

  async run({ parameters, inputs, outputs, context }) {
    const { text, cluster } = parameters;
    requireFields(inputs.rows, [text, cluster]);
    const found = await readClusters(inputs.rows, { text, cluster });
    const total = found.rows.length;
    if (found.withoutText > 0)
      context.warn(
        `${found.withoutText} of ${inputs.rows.rows} rows have no ${text}; they add nothing to a name`,
      );

    if (found.places === undefined && inputs.vectors && total > 0) {
      sameRows(inputs.rows, inputs.vectors);
      found.places = distancesFromMeans(await inputs.vectors.read(), found);
    }
    const names = await context.pool.run<unknown, ClusterName[]>(moduleUrl, 'nameClusters', {
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
    });
    const examples = nearestTexts(found, parameters.examples);
    const sizes = new Int32Array(found.numbers.length);
    for (const index of found.clusters) sizes[index]!++;
    for (const [index, number] of found.numbers.entries()) {
      await outputs.rows.write({
        id: String(number),
        cluster: number,
        name: names[index]!.name,
        size: sizes[index]!,
        share: significant(sizes[index]! / total),
        keywords: names[index]!.keywords,
        examples: examples[index]!.map((row) => found.texts[row]!),
        example_ids: examples[index]!.map((row) => found.ids[row]!),
      });
    }
    return {
      metrics: { clusters: found.numbers.length, unclustered: inputs.rows.rows - total, rows: total },
    };
  },
});
