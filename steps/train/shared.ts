/** What both kinds of learning have in common. */
export const shared = {
  type: 'train',
  summary: 'Learns a head for classify from vectors with a class, or distils an encoder into a static one',
  description: `The \`method\` is one of

- \`softmax\` (default): multinomial logistic regression with an L2 penalty, the objective and tolerance of scikit-learn's \`LogisticRegression\`, by L-BFGS. Of several values of \`C\` the one with the best accuracy in stratified cross-validation is taken (of equals the smallest).
- \`knn\`: the \`k\` nearest rows by cosine vote, each as heavy as its cosine. The head holds all vectors, and each row that it classifies is compared with all of them.
- \`centroid\`: the class whose mean direction is nearest by cosine.
- \`static_embedding\`: no head but an encoder, hundreds of times faster than the one that it is made from; see below.

The output \`head\` holds \`head.onnx\` (input \`vectors\`, outputs \`scores\` and \`probabilities\`), \`labels.json\` (the order of their columns) and \`head.json\` (method,
parameters, metrics). \`classify\` uses it in this workflow (\`model: head\`) or, as \`run:latest/head\`, in any other; so does onnxruntime in any language:

\`\`\`python
session = onnxruntime.InferenceSession("head.onnx")
scores, probabilities = session.run(["scores", "probabilities"], {"vectors": vectors})
\`\`\`

The same rows, vectors and seed give the same head, byte by byte, whatever the number of threads, on processors of one kind.

**static_embedding** distils an ONNX encoder into a table with a vector for each token (Model2Vec: Tulkens and van Dongen 2024). Each token of its
vocabulary goes through the network by itself, between the special tokens; the vectors are put on their first \`dimensions\` principal
components, and each is multiplied by a / (a + p), where p is how likely the token is (smooth inverse frequency: Arora, Liang and Ma 2017), told from
its place in the vocabulary by Zipf's law. A text's vector is then the mean of its tokens', which \`embed\` takes with \`method: static\`:

\`\`\`yaml
static:
  use: train
  with: { method: static_embedding, encoder: all-minilm-l6-v2 }
vectors:
  use: embed
  from: { rows: queries, model: static }
  with: { method: static }
\`\`\`

With \`vocabulary: rows\` words that occur often in the rows and that the tokenizer has in pieces get a vector of their own (of WordPiece
tokenizers). The output \`encoder\` is a folder in Model2Vec's form (\`model.safetensors\`,
\`tokenizer.json\`, \`config.json\`, \`modules.json\`), which \`StaticModel.from_pretrained\` reads too.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      method: {
        enum: ['softmax', 'knn', 'centroid', 'static_embedding'],
        default: 'softmax',
        description: 'What is learnt.',
      },
      label: {
        type: 'string',
        minLength: 1,
        default: 'label',
        description: 'The field with the class of a row. Rows without one are left out, with a warning.',
      },
      C: {
        anyOf: [
          { type: 'number', exclusiveMinimum: 0 },
          {
            type: 'array',
            items: { type: 'number', exclusiveMinimum: 0 },
            minItems: 1,
            uniqueItems: true,
          },
        ],
        default: [1, 10, 100],
        description:
          'softmax: inverse of the strength of the penalty; of a list the best by cross-validation.',
      },
      folds: {
        type: 'integer',
        minimum: 2,
        default: 5,
        description: 'softmax: parts of the cross-validation.',
      },
      class_weight: {
        enum: ['none', 'balanced'],
        default: 'none',
        description: 'softmax: whether small classes count as much as large ones.',
      },
      max_iter: { type: 'integer', minimum: 1, default: 1000, description: 'softmax: most iterations.' },
      tol: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 1e-4,
        description: 'softmax: ends when no part of the gradient of the mean loss is larger.',
      },
      k: { type: 'integer', minimum: 1, default: 10, description: 'knn: how many rows vote.' },
      encoder: {
        type: 'string',
        minLength: 1,
        'x-reprise': 'model',
        description: 'static_embedding: the ONNX encoder that is distilled, named as for `embed`.',
      },
      dimensions: {
        type: ['integer', 'null'],
        minimum: 1,
        default: 256,
        description: 'static_embedding: principal components that are kept; null: the vectors as they are.',
      },
      sif_coefficient: {
        type: ['number', 'null'],
        exclusiveMinimum: 0,
        default: 1e-4,
        description: 'static_embedding: a in the weight a / (a + p) of a token; null: all weigh the same.',
      },
      vocabulary: {
        enum: ['tokenizer', 'rows'],
        default: 'tokenizer',
        description:
          "static_embedding: the tokens of the encoder's tokenizer, or these with the frequent words of the rows beside them.",
      },
      text: {
        type: 'string',
        minLength: 1,
        default: 'text',
        description: 'static_embedding with `vocabulary: rows`: the field with the text.',
      },
      min_count: {
        type: 'integer',
        minimum: 1,
        default: 5,
        description: 'static_embedding with `vocabulary: rows`: words that occur less often are left out.',
      },
      max_words: {
        type: 'integer',
        minimum: 0,
        default: 20000,
        description: 'static_embedding with `vocabulary: rows`: most words, the most frequent first.',
      },
      precision: {
        enum: ['float32', 'float16', 'int8'],
        default: 'float16',
        description: 'static_embedding: how numbers are kept.',
      },
    },
  },
  metrics: {
    rows: 'Rows that were learnt from.',
    excluded: 'Rows without a class.',
    classes: 'Number of classes.',
    C: 'The strength that was taken (softmax).',
    iterations: 'Iterations of the fit (softmax).',
    cv_accuracy: 'Share of rows right in cross-validation, with that strength.',
    cv_log_loss: 'Mean −log p of the right class in cross-validation.',
    train_accuracy: 'Share right of the rows that were learnt from: too good to judge by (softmax).',
    tokens: 'Tokens with a vector (static_embedding).',
    words: 'Of these, words of the rows that the tokenizer has in pieces (static_embedding).',
    dimensions: 'Numbers in a vector (static_embedding).',
  },
  example: `head:
  use: train
  from: { rows: parts.train, vectors: parts.train_vectors }
  with: { label: label, C: 10 }`,
  seeded: true,
  check({ method, encoder }: { method: string; encoder?: string | undefined }) {
    if (method === 'static_embedding' && encoder === undefined)
      return [{ parameter: 'method', message: 'method: static_embedding needs encoder: what is distilled' }];
    if (method !== 'static_embedding' && encoder !== undefined)
      return [{ parameter: 'encoder', message: 'encoder is for method: static_embedding' }];
    return [];
  },
} as const;
