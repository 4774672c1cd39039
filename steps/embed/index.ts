import type { JsonObject } from '../../engine/json.ts';
import { defineRowStep, type OutputSpecs, type StepResult } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { description } from './description.ts';
import { defaultDimensions, openLexical } from './lexical.ts';
import { openOnnx } from './onnx.ts';
import { parameters } from './parameters.ts';

const vectorsOutput = {
  kind: 'matrix',
  description: 'A vector for each row, in the order of the rows.',
} as const;
const fitOutput = {
  kind: 'files',
  description:
    "Of the method lexical: what it learnt (settings, vocabulary, components), to be another embed step's input `fit`.",
} as const;

export default defineRowStep({
  type: 'embed',
  summary:
    'Turns texts into vectors: a sentence encoder on this machine, or TF-IDF with SVD without any model',
  description,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'Rows with a text.' },
    fit: {
      kind: 'files',
      optional: true,
      description:
        'Of the method lexical: an earlier fit, so that new rows get vectors in the same space as old ones.',
    },
  },
  outputs: { vectors: vectorsOutput, fit: fitOutput },
  outputsOf({ method }): OutputSpecs {
    return method === 'lexical' ? { vectors: vectorsOutput, fit: fitOutput } : { vectors: vectorsOutput };
  },
  metrics: {
    model: 'The encoder (method onnx).',
    dimensions: 'Numbers in a vector.',
    truncated: 'Texts that had more than max_tokens and lost their end (method onnx).',
    tokens_total: 'Tokens that went through the encoder, special tokens included (method onnx).',
    without_terms: 'Texts of which the fit knows no term: their vectors are zeros (method lexical).',
  },
  example: `vectors:
  use: embed
  from: queries
  with: { model: use-multilingual-v3 }`,
  check({ ngram_range: range, method }) {
    const problems: { parameter: string; message: string }[] = [];
    if (range && range[0]! > range[1]!)
      problems.push({
        parameter: 'ngram_range',
        message: `ngram_range goes from the least to the greatest size; ${range[0]} is above ${range[1]}`,
      });
    if (range && method !== 'lexical')
      problems.push({ parameter: 'ngram_range', message: 'ngram_range is for method: lexical' });
    return problems;
  },
  fields: ({ text }) => [text],
  rowParameters: ({ method, prefix, max_tokens, normalize, dimensions }): JsonObject =>
    method === 'onnx' ? { method, prefix, max_tokens, normalize, dimensions } : { method, prefix, normalize },
  async open({ parameters, inputs, outputs, context }) {
    requireFields(inputs.rows, [parameters.text]);
    return parameters.method === 'onnx'
      ? openOnnx(parameters, inputs.rows.rows, context)
      : openLexical(parameters, inputs, outputs.fit, context);
  },
  async emit({ parameters, inputs, outputs, context }, rows): Promise<StepResult> {
    const ids: string[] = [];
    let data = new Float32Array(0);
    let dimensions = 0;
    let counted = 0;
    let flagged = 0;
    for await (const { row, value } of rows) {
      if (ids.length === 0) {
        dimensions = value.length - 1;
        data = new Float32Array(inputs.rows.rows * dimensions);
      }
      data.set(value.subarray(0, dimensions), ids.length * dimensions);
      const count = value[dimensions]!;
      counted += Math.abs(count);
      if (parameters.method === 'onnx' ? count < 0 : count === 0) flagged++;
      ids.push(row.id);
    }
    await outputs.vectors.write(
      { data: data.subarray(0, ids.length * dimensions), rows: ids.length, columns: dimensions },
      ids,
    );
    if (parameters.method === 'onnx') {
      if (flagged > 0)
        context.warn(
          `${flagged} of ${ids.length} texts have more tokens than ${parameters.max_tokens ?? `${parameters.model} takes by default`}: their ends do not count (max_tokens raises the limit, chunks keep all)`,
        );
      return { metrics: { model: parameters.model, dimensions, truncated: flagged, tokens_total: counted } };
    }
    if (flagged > 0)
      context.warn(
        `${flagged} of ${ids.length} texts have no term that the fit knows: their vectors are zeros`,
      );
    if (ids.length > 0 && dimensions < (parameters.dimensions ?? defaultDimensions) && !inputs.fit)
      context.warn(
        `the texts carry ${dimensions} dimensions, fewer than the ${parameters.dimensions ?? defaultDimensions} asked for`,
      );
    return { metrics: { dimensions, without_terms: flagged } };
  },
});
