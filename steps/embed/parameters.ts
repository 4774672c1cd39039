/** The encoder of method onnx, unless a step names one. */
export const defaultEncoder = 'all-minilm-l6-v2';

/** What `with` of an `embed` step may say. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    method: {
      enum: ['onnx', 'static', 'openai', 'lexical'],
      default: 'onnx',
      description:
        'onnx: a sentence encoder. static: a table of vectors of tokens, hundreds of times faster. openai: a server with OpenAI’s embeddings format. lexical: TF-IDF and truncated SVD, for any language, without a model.',
    },
    model: {
      type: 'string',
      minLength: 1,
      default: defaultEncoder,
      'x-reprise': 'embedding-model',
      description:
        'The encoder of method onnx: all-minilm-l6-v2 (English, best), use-multilingual-v3 (16 languages, five times faster), an alias, or the path of a folder in the layout of sentence-transformers with an ONNX file. Of method static, where the input `model` is not bound: an alias or the path of a folder as Model2Vec saves it. Of method openai the alias, under `models`, of a model of provider openai (with `base_url` any server of that format) or openrouter.',
    },
    text: { type: 'string', minLength: 1, default: 'text', description: 'The field with the text.' },
    prefix: {
      type: 'string',
      default: '',
      description: 'Put before every text; some encoders want "query: " or "passage: ".',
    },
    max_tokens: {
      type: ['integer', 'null'],
      minimum: 3,
      maximum: 32768,
      default: null,
      description:
        "Tokens of a text that count, special tokens included; what is beyond is cut off and counted in a warning. Default: the encoder's own (256 for both built-in ones, 512 for static ones).",
    },
    pooling: {
      enum: ['mean', 'mean_sqrt_len', 'cls', 'max', 'lasttoken', null],
      default: null,
      description:
        "onnx: how the vectors of a text's tokens become one. Default: as the folder says, mean if it does not.",
    },
    normalize: {
      type: 'boolean',
      default: true,
      description:
        'Scale vectors to length 1, so that dot product and cosine are the same. Both built-in encoders give such vectors anyway.',
    },
    dimensions: {
      type: ['integer', 'null'],
      minimum: 1,
      maximum: 65536,
      default: null,
      description:
        'onnx, static: keep only so many leading numbers (for encoders trained for it: Matryoshka; static ones have the principal components first), before scaling. openai: what the server is asked for. lexical: components of the SVD, 256 by default.',
    },
    analyzer: {
      enum: ['char_wb', 'word'],
      default: 'char_wb',
      description:
        'lexical: n-grams of characters within words (any language, forgives typing errors), or of words.',
    },
    ngram_range: {
      type: ['array', 'null'],
      items: { type: 'integer', minimum: 1, maximum: 20 },
      minItems: 2,
      maxItems: 2,
      default: null,
      description:
        'lexical: least and greatest size of the n-grams. Default: [2, 5] for char_wb, [1, 2] for word.',
    },
    min_df: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1,
      description: 'lexical: leave out terms in fewer texts than this; below 1 it is a share of the texts.',
    },
    max_df: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1,
      description: 'lexical: leave out terms in more texts than this; up to 1 it is a share of the texts.',
    },
    max_features: {
      type: ['integer', 'null'],
      minimum: 1,
      default: 50000,
      description: 'lexical: keep only so many terms, those that occur most often. null keeps all.',
    },
    sublinear_tf: { type: 'boolean', default: true, description: 'lexical: 1 + ln(tf) in place of tf.' },
    max_fit_rows: {
      type: 'integer',
      minimum: 1,
      default: 50000,
      description: 'lexical: of more rows than this, learn from a random sample of so many.',
    },
    random_state: {
      type: 'integer',
      minimum: 0,
      maximum: 4294967295,
      default: 42,
      description: "lexical: seed of the sample and of the SVD's random start.",
    },
  },
} as const;
