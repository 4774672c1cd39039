import { StepError } from '../../engine/problems.ts';
import { defineStep, type Matrix } from '../../engine/step.ts';
import { type HeadDescription, headFiles } from '../../models/heads/files.ts';
import { centroidHead, linearHead, neighboursHead } from '../../models/heads/graph.ts';
import { gatherRows, normalized } from '../../numerics/vectors.ts';
import { requireFinite } from '../finite-vectors.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { centroids } from './centroids.ts';
import { type Examples, readExamples } from './examples.ts';
import { type LearntSoftmax, learnSoftmax, measure } from './softmax.ts';

export default defineStep({
  type: 'train',
  summary: 'Learns to tell classes apart by their vectors: a head for classify, as ONNX',
  description: `The \`method\` is one of

- \`softmax\` (default): multinomial logistic regression with an L2 penalty, the objective and tolerance of scikit-learn's \`LogisticRegression\`, by L-BFGS. Of several values of \`C\` the one with the best accuracy in stratified cross-validation is taken (of equals the smallest).
- \`knn\`: the \`k\` nearest rows by cosine vote, each as heavy as its cosine. The head holds all vectors.
- \`centroid\`: the class whose mean direction is nearest by cosine.

The output \`head\` holds \`head.onnx\` (input \`vectors\`, outputs \`scores\` and \`probabilities\`), \`labels.json\` (the order of their columns) and \`head.json\` (method,
parameters, metrics). \`classify\` uses it in this workflow (\`model: head\`) or, as \`run:latest/head\`, in any other; so does onnxruntime in any language:

\`\`\`python
session = onnxruntime.InferenceSession("head.onnx")
scores, probabilities = session.run(["scores", "probabilities"], {"vectors": vectors})
\`\`\`

The same rows, vectors and seed give the same head, byte by byte, whatever the number of threads, on processors of one kind.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      method: { enum: ['softmax', 'knn', 'centroid'], default: 'softmax', description: 'What is learnt.' },
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
    },
  },
  inputs: {
    rows: { kind: 'table', learnt: true, description: 'Rows with their class.' },
    vectors: { kind: 'matrix', learnt: true, description: 'A vector for each of the rows.' },
  },
  outputs: {
    head: { kind: 'files', description: '`head.onnx`, `labels.json` and `head.json`.' },
    candidates: {
      kind: 'table',
      description: 'A row for each `C` that was tried: `accuracy` and `log_loss` in cross-validation.',
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
  },
  example: `head:
  use: train
  from: { rows: parts.train, vectors: parts.train_vectors }
  with: { label: label, C: 10 }`,
  seeded: true,

  async run({ parameters, inputs, outputs, context }) {
    const { method } = parameters;
    requireFields(inputs.rows, [parameters.label]);
    sameRows(inputs.rows, inputs.vectors);
    const all = await inputs.vectors.read();
    requireFinite(all);
    const examples = await readExamples(inputs.rows, parameters.label);
    if (examples.rows.length === 0)
      throw new StepError(
        'nothing-to-learn',
        all.rows === 0
          ? 'there are no rows to learn from'
          : `none of the ${all.rows} rows has ${parameters.label}`,
        'the rows need a class each: see label',
      );
    if (examples.without > 0)
      context.warn(`${examples.without} of ${all.rows} rows have no ${parameters.label}; they are left out`);
    if (examples.labels.length === 1)
      context.warn(`all rows are of the class "${examples.labels[0]}": the head will know no other`);
    const vectors = examples.without === 0 ? all : gatherRows(all, examples.rows);
    const metrics: HeadDescription['metrics'] = {
      rows: examples.rows.length,
      excluded: examples.without,
      classes: examples.labels.length,
    };
    let graph: Uint8Array;
    outputs.candidates.expect(['id', 'C', 'accuracy', 'log_loss']);
    if (method === 'softmax') {
      const seed = context.random('folds').seed();
      const learnt = await learnSoftmax(
        { vectors, classes: examples.classes, labels: examples.labels.length },
        { ...parameters, folds: Math.min(parameters.folds, examples.rows.length) },
        seed,
        context.pool,
        (done, total) => context.progress(done, total, 'fits'),
      );
      for (const { C, accuracy, log_loss } of learnt.candidates)
        await outputs.candidates.write({
          id: String(C),
          C,
          accuracy: significant(accuracy),
          log_loss: significant(log_loss),
        });
      if (!learnt.fit.converged)
        context.warn(`the fit still moved after ${learnt.fit.iterations} iterations: raise max_iter or tol`);
      Object.assign(metrics, await softmaxMetrics(learnt, vectors, examples));
      graph = linearHead(learnt.fit.weights, learnt.fit.intercepts);
    } else {
      const unit = normalized(vectors);
      graph =
        method === 'centroid'
          ? centroidHead(centroids(unit, examples.classes, examples.labels.length))
          : neighboursHead(unit, examples.classes, examples.labels.length, parameters.k);
    }
    const description: HeadDescription = {
      format: 1,
      method,
      dimensions: vectors.columns,
      labels: examples.labels,
      rows: examples.rows.length,
      parameters,
      metrics,
    };
    await outputs.head.write(headFiles.graph, graph);
    await outputs.head.write(headFiles.labels, `${JSON.stringify(examples.labels, null, 2)}\n`);
    await outputs.head.write(headFiles.description, `${JSON.stringify(description, null, 2)}\n`);
    return { metrics };
  },
});

async function softmaxMetrics(
  { fit, C, candidates }: LearntSoftmax,
  vectors: Matrix,
  { classes }: Examples,
): Promise<HeadDescription['metrics']> {
  const chosen = candidates.find((candidate) => candidate.C === C);
  return {
    C,
    iterations: fit.iterations,
    ...(chosen && {
      cv_accuracy: significant(chosen.accuracy),
      cv_log_loss: significant(chosen.log_loss),
    }),
    train_accuracy: significant((await measure(fit, { vectors, classes })).accuracy),
  };
}
