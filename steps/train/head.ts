import type { JsonObject } from '../../engine/json.ts';
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
import { type Examples, readExamples, smallClasses } from './examples.ts';
import { shared } from './shared.ts';
import { type LearntSoftmax, learnSoftmax, measure } from './softmax.ts';

export const headInputs = {
  rows: { kind: 'table', learnt: true, description: 'Rows with their class.' },
  vectors: { kind: 'matrix', learnt: true, description: 'A vector for each of the rows.' },
} as const;
export const headOutputs = {
  head: { kind: 'files', description: '`head.onnx`, `labels.json` and `head.json`.' },
  candidates: {
    kind: 'table',
    description: 'A row for each `C` that was tried: `accuracy` and `log_loss` in cross-validation.',
  },
} as const;

/** Learns a head for `classify` from rows with a class and their vectors. */
export const trainHead = defineStep({
  ...shared,
  inputs: headInputs,
  outputs: headOutputs,

  async run({ parameters, inputs, outputs, context }) {
    const method = parameters.method as HeadDescription['method'];
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
      const small = [parameters.C].flat().length > 1 && smallClasses(examples, parameters.folds);
      if (small) context.warn(small);
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
      parameters: headParameters(parameters),
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

/** Without those of other kinds of learning. */
function headParameters(given: JsonObject): JsonObject {
  const names = ['method', 'label', 'C', 'folds', 'class_weight', 'max_iter', 'tol', 'k'];
  return Object.fromEntries(
    names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
  );
}
