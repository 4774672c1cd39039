import type { JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import {
  defineRowStep,
  type OutputSpecs,
  type ParameterProblem,
  type RowComputer,
  type StepResult,
} from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { description } from './description.ts';
import { openHosted, vectorOf } from './hosted.ts';
import { defaultDimensions, openLexical } from './lexical.ts';
import { modelProblems } from './model-problems.ts';
import { openOnnx } from './onnx.ts';
import { parameters } from './parameters.ts';
import { openStatic } from './static.ts';

/** Vectors that are written at once. */
const rowsPerPart = 4096;

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
    'Turns texts into vectors: by a sentence encoder, static embeddings, a server, or TF-IDF with SVD without any model',
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
    model: {
      kind: 'files',
      optional: true,
      description:
        'Of the method static: the output `encoder` of a step `train` with `method: static_embedding`.',
    },
  },
  outputs: { vectors: vectorsOutput, fit: fitOutput },
  outputsOf({ method }): OutputSpecs {
    return method === 'lexical' ? { vectors: vectorsOutput, fit: fitOutput } : { vectors: vectorsOutput };
  },
  metrics: {
    model: 'The encoder, of method openai its alias (where the parameter names it; not of method lexical).',
    dimensions: 'Numbers in a vector.',
    truncated: 'Texts that had more than max_tokens and lost their end (methods onnx and static).',
    tokens_total:
      'Tokens that went through the encoder, special tokens included (method onnx), that have a vector (method static), or that the server counted (method openai).',
    without_terms:
      'Texts of which the fit (method lexical) or the vocabulary (method static) knows nothing: their vectors are zeros.',
  },
  example: `vectors:
  use: embed
  from: queries
  with: { model: use-multilingual-v3 }`,
  check({ ngram_range: range, method, model, max_tokens, pooling }, around) {
    const problems: ParameterProblem[] = around ? modelProblems({ method, model }, around) : [];
    if (range && range[0]! > range[1]!)
      problems.push({
        parameter: 'ngram_range',
        message: `ngram_range goes from the least to the greatest size; ${range[0]} is above ${range[1]}`,
      });
    if (max_tokens && method === 'openai')
      problems.push({
        parameter: 'max_tokens',
        message: 'max_tokens is for encoders on this machine: a server takes texts whole, or refuses them',
      });
    if (pooling && method !== 'onnx')
      problems.push({ parameter: 'pooling', message: 'pooling is for method: onnx' });
    if (range && method !== 'lexical')
      problems.push({ parameter: 'ngram_range', message: 'ngram_range is for method: lexical' });
    return problems;
  },
  fields: ({ text }) => [text],
  rowParameters: ({ method, prefix, max_tokens, pooling, normalize, dimensions }): JsonObject =>
    method === 'lexical'
      ? { method, prefix, normalize }
      : { method, prefix, max_tokens, pooling, normalize, dimensions },
  async open({ parameters, inputs, outputs, context }): Promise<RowComputer<Float32Array | string>> {
    requireFields(inputs.rows, [parameters.text]);
    switch (parameters.method) {
      case 'onnx':
        return openOnnx(parameters, inputs.rows.rows, context);
      case 'static':
        return openStatic(parameters, inputs.model, context);
      case 'openai':
        return openHosted(parameters, context);
      case 'lexical':
        return openLexical(parameters, inputs, outputs.fit, context);
    }
  },
  async emit({ parameters, inputs, outputs, context }, rows): Promise<StepResult> {
    const ids: string[] = [];
    let dimensions = 0;
    let counted = 0;
    let truncated = 0;
    let without = 0;
    // A server counts what it likes; an encoder's text has special tokens.
    const countsTerms = parameters.method === 'static' || parameters.method === 'lexical';
    const vectors = rows[Symbol.asyncIterator]();
    let next = await vectors.next();
    const first = next.done ? '' : next.value.row.id;
    if (!next.done) dimensions = vectorOf(next.value.value).length - 1;
    // A million vectors take a gigabyte: they pass through.
    async function* parts(): AsyncGenerator<Float32Array> {
      let part = new Float32Array(0);
      let filled = 0;
      for (; !next.done; next = await vectors.next()) {
        const { row, value: filed } = next.value;
        const value = vectorOf(filed);
        if (value.length !== dimensions + 1)
          throw new StepError(
            'dimensions',
            `the vector of row ${row.id} has ${value.length - 1} numbers, that of row ${first} ${dimensions}: vectors of one matrix are of one length`,
            `if ${parameters.model} is served by another model now, say so at its alias, and all texts are asked for again: revision: "2"`,
          );
        if (filled === 0) part = new Float32Array(rowsPerPart * dimensions);
        part.set(value.subarray(0, dimensions), filled++ * dimensions);
        const count = value[dimensions]!;
        counted += Math.abs(count);
        if (count < 0) truncated++;
        if (count === 0 && countsTerms) without++;
        ids.push(row.id);
        if (filled === rowsPerPart) {
          yield part;
          filled = 0;
        }
      }
      yield part.subarray(0, filled * dimensions);
    }
    await outputs.vectors.write({ rows: rows.count, columns: dimensions, parts: parts() }, ids);
    const { method, model } = parameters;
    if (truncated > 0)
      context.warn(
        `${truncated} of ${ids.length} texts have more tokens than ${parameters.max_tokens ?? `${inputs.model ? 'the model' : model} takes by default`}: their ends do not count (max_tokens raises the limit, chunks keep all)`,
      );
    if (without > 0)
      context.warn(
        method === 'lexical'
          ? `${without} of ${ids.length} texts have no term that the fit knows: their vectors are zeros`
          : `${without} of ${ids.length} texts have no token that the model knows: their vectors are zeros`,
      );
    if (method === 'lexical') {
      const wanted = parameters.dimensions ?? defaultDimensions;
      if (ids.length > 0 && dimensions < wanted && !inputs.fit)
        context.warn(`the texts carry ${dimensions} dimensions, fewer than the ${wanted} asked for`);
      return { metrics: { dimensions, without_terms: without } };
    }
    return {
      metrics: {
        ...(inputs.model ? {} : { model }),
        dimensions,
        truncated,
        tokens_total: counted,
        ...(method === 'static' && { without_terms: without }),
      },
    };
  },
});
