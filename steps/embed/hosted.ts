import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { type RowComputer, RowFailure, type StepContext } from '../../engine/step.ts';
import { textVector, vectorText } from '../../models/language/vector-text.ts';
import { unitLength } from '../../numerics/vectors.ts';
import { describeValue } from './text-field.ts';

export interface HostedParameters {
  model: string;
  text: string;
  prefix: string;
  normalize: boolean;
  dimensions: number | null;
}

/** Rows that wait for a vector at once: several requests with many texts each. */
const rowsAtOnce = 1024;

/** A row's value: float32 in base64, its vector and, as one more number at the end, its tokens. */
type Filed = string;

/** Rows to vectors by a server; the layer of language models puts texts together, keeps what was said, and counts cost. */
export function openHosted(parameters: HostedParameters, context: StepContext): RowComputer<Filed> {
  const { model: alias, dimensions, normalize } = parameters;
  const model = context.languageModel(alias);
  return {
    identity: null,
    batchSize: 1,
    concurrency: rowsAtOnce,
    async compute([row]) {
      const [text] = row ?? [];
      if (typeof text !== 'string')
        throw new RowFailure(describeValue(parameters.text, (text ?? null) as Json));
      const answer = await model.ask({
        messages: [{ role: 'user', content: parameters.prefix + text }],
        embedding: { dimensions },
      });
      const vector = floats(answer.text);
      if (dimensions !== null && vector.length !== dimensions)
        throw new StepError(
          'dimensions',
          `dimensions is ${dimensions}, but ${alias} gives vectors of ${vector.length} numbers`,
          'leave dimensions out: the model does not take it',
        );
      const value = new Float32Array(vector.length + 1);
      value.set(normalize ? unitLength(vector) : vector);
      value[vector.length] = answer.usage.input_tokens;
      return [vectorText(value)];
    },
  };
}

/** The numbers of a row's value, whichever way it is kept. */
export function vectorOf(value: Float32Array | Filed): Float32Array {
  return typeof value === 'string' ? floats(value) : value;
}

function floats(text: string): Float32Array {
  const vector = textVector(text);
  if (vector === undefined)
    throw new StepError('model', 'the answer is no vector', 'ask again: change `revision` of the alias');
  return vector;
}
