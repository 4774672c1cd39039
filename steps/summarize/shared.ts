import type { FromSchema } from '../../engine/schema-type.ts';
import { languageModel, promptProblems, sampling, template } from '../asking.ts';

const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    method: {
      enum: ['keywords', 'model'],
      default: 'keywords',
      description: 'How names are made: of the words typical of a cluster, or by a language model.',
    },
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
    seed_words: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'Words, or a few in a row, that matter: terms with them weigh `seed_multiplier` times as much.',
    },
    seed_multiplier: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 2,
      description: 'What `seed_words` are worth.',
    },
    diversity: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0,
      description:
        'How unlike each other keywords are (maximal marginal relevance; two are alike that the same texts hold): 0 takes the heaviest, 1 looks at the unlikeness only.',
    },
    model: languageModel('The alias of the language model (method model).'),
    of: {
      enum: ['clusters', 'documents'],
      default: 'clusters',
      description: 'What is summarized by a model: clusters of rows, or each row.',
    },
    inside: {
      type: 'integer',
      minimum: 0,
      default: 10,
      description: 'Texts of a cluster that the model sees, nearest the centre first; 0: all of them.',
    },
    outside: {
      type: 'integer',
      minimum: 0,
      maximum: 100,
      default: 10,
      description: 'Texts of other clusters that it sees for contrast: those nearest to this one.',
    },
    language: {
      type: 'string',
      pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$',
      description:
        'The language of titles and descriptions (ISO code); that of the texts if not given. It is checked.',
    },
    instructions: {
      type: 'string',
      minLength: 1,
      description: 'What else the model is to heed: who reads it, what matters, feedback on earlier names.',
    },
    prompt: template(
      'What to ask, over `texts`, `others`, `keywords`, `size` and `feedback` of a cluster, or the fields of a document; the built-in prompt if not given.',
    ),
    long: {
      enum: ['map_reduce', 'refine'],
      default: 'map_reduce',
      description:
        'How texts that are too many or too long for one request are read: parts by themselves, whose notes are put together, or one after the other.',
    },
    part_tokens: {
      type: 'integer',
      minimum: 100,
      description:
        "Tokens of texts in one request; if not given, half of the model's context, or 3,000 if that is not known.",
    },
    rounds: {
      type: 'integer',
      minimum: 0,
      maximum: 5,
      default: 0,
      description:
        'How often the model looks at its summary with the eyes of a critic, at most, and mends it; it ends when nothing is found.',
    },
    ...sampling,
  },
} as const;

export type Given = FromSchema<typeof parameters>;

/** What all ways to summarize have in common. */
export const shared = {
  type: 'summarize',
  summary: 'Names clusters, by the words typical of them or by a language model, and summarizes documents',
  description: `\`keywords\` needs no model. It weighs the words of each cluster, and words in a row, by class-based TF-IDF (Grootendorst 2022):
W = tf · log(1 + A/f) with tf the share of the cluster's words, f how often the word occurs at all, A the mean number of words in a cluster.
Forms of a word count together (Snowball stems for English and Russian), stop words of both languages do not count; words of scripts without
spaces are found by dictionary. The name is made of the terms that weigh most and that many texts have; no two clusters have the same name.

Examples are the texts nearest the centre: by the field \`rank\` or \`distance\` that \`cluster\` writes, else by the vectors, else the first ones.
Rows without a cluster, or in the cluster −1 (noise), are left out.

\`coherence\` says how far a cluster's keywords occur in the same texts: normalised pointwise mutual information (NPMI, Bouma 2009), mean over their pairs. The metrics \`npmi\` and \`c_v\` (Röder et
al. 2015) are means over clusters, as gensim has them with each text as one window; \`topic_diversity\` is the share of different ones among all keywords (Dieng et al. 2020).

\`model\` asks a language model for a title and a description of each cluster, or of each row (\`of: documents\`):

\`\`\`yaml
names:
  use: summarize
  from: topics
  with: { method: model, model: writer, language: ru, rounds: 1 }
  max_row_failures: 1%
\`\`\`

- Of a cluster it sees the texts nearest the centre (\`inside\`), the nearest texts of other clusters for contrast (\`outside\`; Tamkin et al. 2024), and its keywords. Two
  clusters of one title get a keyword besides.
- Texts that do not fit into one request (\`part_tokens\`) are read in parts: notes on each are put together until they fit (\`map_reduce\`), or the summary is improved part
  by part (\`refine\`).
- With \`language\` the answer is held to it: one in another language (by fastText's identification) is sent back once, and then fails.
- With \`rounds\` the model is shown its own summary and asked what is wrong with it; it mends that, until nothing is found, nothing changes, or the rounds are over.
  With \`refine\` a round goes through all parts.
- The input \`feedback\` has what people said of earlier names: rows with \`cluster\` (or the document's id), \`feedback\` and perhaps the \`name\` that it is about.
- Several models side by side: \`matrix: { model: [a, b] }\` and \`model: "\${{ matrix.model }}"\`.

A cluster counts as a row: \`max_row_failures\`, the row cache and \`retry\` work on clusters.`,
  parameters,
  metrics: {
    clusters: 'Clusters that were named.',
    unclustered: 'Rows without a cluster.',
    rows: 'Rows in them; documents that were summarized.',
    npmi: 'keywords: how far the keywords of a cluster occur in the same texts, mean over clusters; 0 is chance, 1 always.',
    c_v: 'keywords: the same by C_V, 0 to 1.',
    topic_diversity: 'keywords: share of the keywords that differ, 0 to 1.',
  },
  example: `names:
  use: summarize
  from: topics
  with: { method: keywords, text: text, examples: 5 }`,
  check({ method, model, of, prompt, ...given }: Given) {
    const problems = promptProblems({ prompt });
    const wrong = (parameter: string, message: string) => problems.push({ parameter, message });
    if (method === 'model' && model === undefined) wrong('method', 'method: model needs a model');
    if (method !== 'model' && model !== undefined) wrong('model', 'model is for method: model');
    if (method !== 'model' && of === 'documents') wrong('of', 'of: documents is for method: model');
    for (const name of ['language', 'instructions', 'part_tokens'] as const)
      if (method !== 'model' && given[name] !== undefined) wrong(name, `${name} is for method: model`);
    if (method !== 'model' && prompt !== undefined) wrong('prompt', 'prompt is for method: model');
    return problems;
  },
} as const;
