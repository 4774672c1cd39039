import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import { type FilesInput, type RowComputer, RowFailure, type StepContext } from '../../engine/step.ts';
import {
  encodeStatic,
  type StaticReply,
  type StaticTask,
  staticModule,
} from '../../models/static/encode-task.ts';
import { staticModelFiles } from '../../models/static/files.ts';
import { readStaticConfig } from '../../models/static/folder.ts';
import { encodedBy, staticSettings } from '../encoder-folders.ts';
import { describeValue } from './text-field.ts';
import { dimensionsProblem } from './too-many-dimensions.ts';

export interface StaticParameters {
  model: string;
  text: string;
  prefix: string;
  max_tokens: number | null;
  normalize: boolean;
  dimensions: number | null;
}

const rowsPerBatch = 1024;

/**
 * Rows to vectors by static embeddings in worker threads. A row's value is its vector and, as one more number at the end,
 * how many of its tokens have one: negative if the text had more than were allowed, 0 if its vector is zeros.
 */
export async function openStatic(
  parameters: StaticParameters,
  given: FilesInput | undefined,
  context: StepContext,
): Promise<RowComputer<Float32Array>> {
  const { name, model } = given ? await modelOfFiles(given) : modelOfFolder(parameters.model, context);
  const options = {
    maxTokens: parameters.max_tokens ?? model.settings.maxTokens,
    normalize: parameters.normalize,
    dimensions: parameters.dimensions,
  };
  return {
    identity: { model: model.digest },
    batchSize: rowsPerBatch,
    concurrency: context.pool.threads,
    async compute(batch) {
      const texts = batch.map(([text]) => text).filter((text) => typeof text === 'string');
      const reply = await context.pool.run<StaticTask, StaticReply>(staticModule, encodeStatic.name, {
        model,
        texts: texts.map((text) => parameters.prefix + text),
        options,
      });
      const { vectors, dimensions, tokens } = encodedBy(name, reply);
      if (parameters.dimensions !== null && dimensions < parameters.dimensions)
        throw dimensionsProblem(parameters.dimensions, name, dimensions);
      let next = 0;
      return batch.map(([text]) => {
        if (typeof text !== 'string') return new RowFailure(describeValue(parameters.text, text as Json));
        const row = next++;
        const value = new Float32Array(dimensions + 1);
        value.set(vectors.subarray(row * dimensions, (row + 1) * dimensions));
        value[dimensions] = tokens[row]!;
        return value;
      });
    },
  };
}

interface OpenedModel {
  /** For messages. */
  name: string;
  model: StaticTask['model'];
}

function modelOfFolder(name: string, context: StepContext): OpenedModel {
  const { folder, digest, ...model } = context.model(name);
  return { name, model: { digest, folder, settings: staticSettings({ folder, digest, ...model }) } };
}

/** The output `encoder` of a step `train`. */
async function modelOfFiles(input: FilesInput): Promise<OpenedModel> {
  const { tensors, tokenizer, config } = staticModelFiles;
  const missing = [tensors, tokenizer, config].filter((name) => !input.names.includes(name));
  if (missing.length > 0)
    throw new StepError(
      'model',
      `the input model is no static model: it has no ${missing.join(', ')}`,
      'name the output encoder of a step train with method: static_embedding',
    );
  const said = JSON.parse(Buffer.from(await input.read(config)).toString('utf8')) as Record<string, unknown>;
  return {
    name: 'the input model',
    model: {
      digest: input.digest,
      folder: 'the input model',
      settings: {
        tensors: input.path(tensors),
        tokenizer: input.path(tokenizer),
        embeddings: 'embeddings',
        ...readStaticConfig(said),
      },
    },
  };
}
