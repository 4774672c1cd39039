import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { type RowComputer, RowFailure, type StepContext } from '../../engine/step.ts';
import { type EncodeReply, type EncodeTask, encode, encodeModule } from '../../models/encode-task.ts';
import type { EncoderSettings, Pooling } from '../../models/encoder-folder.ts';
import { encodedBy, onnxSettings } from '../encoder-folders.ts';
import { describeValue } from './text-field.ts';
import { dimensionsProblem } from './too-many-dimensions.ts';

export interface OnnxParameters {
  model: string;
  text: string;
  prefix: string;
  max_tokens: number | null;
  pooling: Pooling | null;
  normalize: boolean;
  dimensions: number | null;
}

/** Each worker holds the network (100 to 200 MB for the built-in ones) and uses one core. */
const mostWorkers = 8;
const rowsPerBatch = { least: 32, most: 256 };

/**
 * Rows to vectors by an ONNX encoder in worker threads. A row's value is its vector and, as one more number at the
 * end, its count of tokens: negative if the text had more than were allowed. So the counts come from the row cache
 * too, and a cached run reports what a cold one does.
 */
export function openOnnx(
  parameters: OnnxParameters,
  rows: number,
  context: StepContext,
): RowComputer<Float32Array> {
  const model = context.model(parameters.model);
  const settings = pooledAs(parameters.pooling, onnxSettings(model));
  const maxTokens = parameters.max_tokens ?? settings.maxTokens;
  if (settings.limit !== null && maxTokens > settings.limit)
    throw new StepError(
      'max-tokens',
      `max_tokens is ${maxTokens}, but ${model.name} takes at most ${settings.limit}`,
      `write max_tokens: ${settings.limit} or less`,
    );
  const workers = Math.min(context.pool.threads, mostWorkers);
  const encoder = { digest: model.digest, folder: model.folder, settings };
  const options = { maxTokens, normalize: parameters.normalize, dimensions: parameters.dimensions };
  const encodeTexts = async (texts: string[]): Promise<(Float32Array | RowFailure)[]> => {
    if (texts.length === 0) return [];
    const reply = await context.pool.run<EncodeTask, EncodeReply>(encodeModule, encode.name, {
      encoder,
      texts,
      options,
    });
    const { vectors, dimensions, tokens } = encodedBy(model.name, reply);
    if (parameters.dimensions !== null && dimensions > 0 && dimensions < parameters.dimensions)
      throw dimensionsProblem(parameters.dimensions, model.name, dimensions);
    return texts.map((_, row) => {
      if (tokens[row] === 0) return new RowFailure('the encoder knows no token of the text');
      const value = new Float32Array(dimensions + 1);
      value.set(vectors.subarray(row * dimensions, (row + 1) * dimensions));
      value[dimensions] = tokens[row]!;
      return value;
    });
  };
  return {
    identity: { model: model.digest },
    batchSize: Math.min(rowsPerBatch.most, Math.max(rowsPerBatch.least, Math.ceil(rows / (workers * 4)))),
    concurrency: workers,
    // Longest first: what takes most time and memory does not come at the end, when other threads have nothing to do.
    order: ([text]) => (typeof text === 'string' ? -text.length : 0),
    async compute(batch) {
      const texts = batch.map(([text]) => text).filter((text) => typeof text === 'string');
      const vectors = await encodeTexts(texts.map((text) => parameters.prefix + text));
      let next = 0;
      return batch.map(([text]) =>
        typeof text === 'string'
          ? vectors[next++]!
          : new RowFailure(describeValue(parameters.text, text as Json)),
      );
    },
  };
}

/** Where a pooling is asked for, it takes the place of the folder's; the network must then give the tokens' vectors. */
function pooledAs(pooling: Pooling | null, settings: EncoderSettings): EncoderSettings {
  return pooling === null ? settings : { ...settings, pooling, ownPooling: true };
}
