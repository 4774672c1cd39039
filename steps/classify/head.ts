import { suggestion } from '../../engine/nearest.ts';
import { StepError } from '../../engine/problems.ts';
import { defineStep, type FilesInput, type Matrix, type StepContext } from '../../engine/step.ts';
import { type HeadDescription, headFiles, readHead } from '../../models/heads/files.ts';
import { moduleUrl, type Scores, type ScoreTask } from '../../models/heads/score.ts';
import { requireFinite } from '../finite-vectors.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { type Decision, decide } from './decide.ts';
import { shared } from './shared.ts';

/** Numbers of a chunk's scores, at most; of the method knn those of all cosines. */
const mostNumbers = 2 ** 23;
const mostChunkRows = 2048;

export const headInputs = {
  rows: { kind: 'table', description: 'Any rows.' },
  vectors: { kind: 'matrix', description: 'A vector for each of the rows.' },
  model: { kind: 'files', description: 'The head: the output `head` of `train`.' },
} as const;
export const headOutputs = {
  rows: { kind: 'table', description: 'The rows with their class.' },
  probabilities: {
    kind: 'matrix',
    description: 'The probability of each class, in the order of `labels.json` of the head.',
  },
} as const;

/** Classifies rows by their vectors, with a head that `train` made. */
export const byHead = defineStep({
  ...shared,
  inputs: headInputs,
  outputs: headOutputs,

  async run({ parameters, inputs, outputs, context }) {
    sameRows(inputs.rows, inputs.vectors);
    const { threshold, out_of_scope_label: outLabel, probability_of: asked } = parameters;
    const head = await openHead(inputs.model);
    const column = asked === undefined ? -1 : head.labels.indexOf(asked);
    if (asked !== undefined && column < 0)
      throw new StepError(
        'unknown-label',
        `probability_of: the head knows no class "${asked}"`,
        suggestion(asked, head.labels, 'it knows'),
      );
    const vectors = await inputs.vectors.read();
    if (vectors.rows > 0 && vectors.columns !== head.dimensions)
      throw new StepError(
        'other-vectors',
        `the head learnt from vectors of ${head.dimensions} numbers, and these have ${vectors.columns}`,
        'make the vectors with the encoder and the parameters of the step that the head learnt from',
      );
    requireFinite(vectors);
    const found = await scoreAll(vectors, head, inputs.model, context);
    const decisions = decide(found, head.labels.length, parameters.out_of_scope);
    outputs.rows.expect([
      ...inputs.rows.fields,
      'predicted',
      'confidence',
      'margin',
      'out_of_scope_score',
      ...(asked === undefined ? [] : ['probability']),
      ...(threshold === undefined ? [] : ['is_out_of_scope']),
    ]);
    let index = 0;
    let confidences = 0;
    let outside = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        const own = found.probabilities[index * head.labels.length + column];
        const { best, confidence, margin, outOfScope }: Decision = decisions[index++]!;
        const score = significant(outOfScope);
        const isOut = threshold !== undefined && score > threshold;
        confidences += confidence;
        if (isOut) outside++;
        const pending = outputs.rows.write({
          ...row,
          predicted: isOut && outLabel !== undefined ? outLabel : head.labels[best]!,
          confidence: significant(confidence),
          margin: significant(margin),
          out_of_scope_score: score,
          ...(asked === undefined || own === undefined ? {} : { probability: significant(own) }),
          ...(threshold === undefined ? {} : { is_out_of_scope: isOut }),
        });
        if (pending) await pending;
      }
      context.signal.throwIfAborted();
    }
    const matrix = { data: found.probabilities, rows: vectors.rows, columns: head.labels.length };
    await outputs.probabilities.write(matrix, inputs.rows);
    return {
      metrics: {
        rows: index,
        classes: head.labels.length,
        ...(index === 0 ? {} : { mean_confidence: significant(confidences / index) }),
        ...(threshold === undefined ? {} : { out_of_scope: outside }),
      },
    };
  },
});

async function openHead(model: FilesInput): Promise<HeadDescription> {
  const isWhole = [headFiles.graph, headFiles.description].every((name) => model.names.includes(name));
  const head = isWhole
    ? readHead(Buffer.from(await model.read(headFiles.description)).toString('utf8'))
    : undefined;
  if (head) return head;
  throw new StepError(
    'head',
    `the model is no head: it has the files ${model.names.join(', ') || '(none)'}`,
    'name the output head of a step train: model: head, or model: run:latest/head',
  );
}

/** Scores of all vectors, in chunks whose bounds only the head decides. */
async function scoreAll(
  { data, rows, columns }: Matrix,
  head: HeadDescription,
  model: FilesInput,
  context: StepContext,
): Promise<Scores> {
  const classes = head.labels.length;
  const width = head.method === 'knn' ? head.rows : classes;
  const chunkRows = Math.max(1, Math.min(mostChunkRows, Math.floor(mostNumbers / width)));
  const all = { scores: new Float32Array(rows * classes), probabilities: new Float32Array(rows * classes) };
  const path = model.path(headFiles.graph);
  let done = 0;
  await Promise.all(
    Array.from({ length: Math.ceil(rows / chunkRows) }, async (_, chunk) => {
      const start = chunk * chunkRows;
      const end = Math.min(rows, start + chunkRows);
      const found = await context.pool.run<ScoreTask, Scores>(moduleUrl, 'score', {
        digest: model.digest,
        path,
        vectors: { data: data.slice(start * columns, end * columns), rows: end - start, columns },
      });
      all.scores.set(found.scores, start * classes);
      all.probabilities.set(found.probabilities, start * classes);
      done += end - start;
      context.progress(done, rows, 'rows');
    }),
  );
  return all;
}
