import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StepError } from '../../engine/problems.ts';
import { defineStep, type ModelFolder, type StepContext, type TableInput } from '../../engine/step.ts';
import {
  type EncodeReply,
  type EncodeTokensTask,
  encodeModule,
  encodeTokens,
} from '../../models/encode-task.ts';
import type { EncoderSettings } from '../../models/encoder-folder.ts';
import { staticModel } from '../../models/static/files.ts';
import { type ReduceTask, reduceModule, reduceVectors } from '../../models/static/reduce-task.ts';
import {
  frequentWords,
  type StaticToken,
  staticVocabulary,
  takesWords,
} from '../../models/static/vocabulary.ts';
import { sifWeights, zipfProbabilities } from '../../models/static/weights.ts';
import { openTokenizer, type TokenizerJson } from '../../models/tokenizer.ts';
import { encodedBy, onnxSettings } from '../encoder-folders.ts';
import { requireFields } from '../missing-field.ts';
import { shared } from './shared.ts';

/** Lists of tokens that a worker is given at once. */
const listsPerTask = 512;

/** Distils an ONNX encoder into a static one; see the step's description. */
export const distilEncoder = defineStep({
  ...shared,
  inputs: {
    rows: { kind: 'table', optional: true, learnt: true, description: 'Rows with a text.' },
  },
  outputs: {
    encoder: {
      kind: 'files',
      description: '`model.safetensors`, `tokenizer.json`, `config.json` and `modules.json`.',
    },
  },

  async run({ parameters, inputs, outputs, context }) {
    const { encoder: name, dimensions, sif_coefficient: coefficient, precision } = parameters;
    if (name === undefined) throw new StepError('model', 'no encoder is named', 'name one: encoder');
    const model = context.model(name);
    const settings = onnxSettings(model);
    const json = JSON.parse(readFileSync(join(model.folder, settings.tokenizer), 'utf8')) as TokenizerJson;
    const words =
      parameters.vocabulary === 'rows'
        ? await wordsOf(await textsOf(inputs.rows, parameters.text), { model, settings, json }, parameters)
        : [];
    const { tokens, tokenizer } = staticVocabulary(json, words);
    if (tokens.length === 0)
      throw new StepError('model', `the tokenizer of ${model.name} lists no tokens`, 'save it again');
    context.log(`${tokens.length} tokens go through ${model.name}`);
    const vectors = await vectorsOf(tokens, model, settings, context);
    const { data, columns } = await context.pool.run<ReduceTask, ReturnType<typeof reduceVectors>>(
      reduceModule,
      reduceVectors.name,
      {
        vectors,
        dimensions,
        weights:
          coefficient === null
            ? new Float64Array(tokens.length).fill(1)
            : sifWeights(zipfProbabilities(tokens.length), coefficient),
      },
    );
    const files = staticModel({
      vectors: { data, rows: tokens.length, columns },
      precision,
      tokenizer,
      encoder: model.name,
      sifCoefficient: coefficient,
      dimensions,
    });
    for (const [file, content] of files) await outputs.encoder.write(file, content);
    return { metrics: { tokens: tokens.length, words: words.length, dimensions: columns } };
  },
});

async function textsOf(rows: TableInput | undefined, field: string): Promise<string[]> {
  if (rows === undefined)
    throw new StepError('missing-input', 'vocabulary: rows needs rows', 'bind them: from: { rows: queries }');
  requireFields(rows, [field]);
  const texts: string[] = [];
  for await (const block of rows.blocks())
    for (const row of block) {
      const text = row[field];
      if (typeof text === 'string') texts.push(text);
    }
  return texts;
}

async function wordsOf(
  texts: readonly string[],
  { model, settings, json }: { model: ModelFolder; settings: EncoderSettings; json: TokenizerJson },
  { min_count: minCount, max_words: most }: { min_count: number; max_words: number },
): Promise<StaticToken[]> {
  if (!takesWords(json))
    throw new StepError(
      'vocabulary',
      `the tokenizer of ${model.name} is ${json.model.type ?? 'of no known kind'}: it takes no words beside its pieces`,
      'leave vocabulary out',
    );
  const tokenizer = await openTokenizer(join(model.folder, settings.tokenizer));
  return frequentWords(texts, tokenizer, json, { minCount, most });
}

/** A vector for each token, by the network in worker threads. */
async function vectorsOf(
  tokens: readonly StaticToken[],
  model: ModelFolder,
  settings: EncoderSettings,
  context: StepContext,
): Promise<{ data: Float32Array; rows: number; columns: number }> {
  const encoder = { digest: model.digest, folder: model.folder, settings };
  let data = new Float32Array(0);
  let columns = 0;
  let done = 0;
  const encodeFrom = async (start: number) => {
    const lists = tokens.slice(start, start + listsPerTask).map(({ ids }) => [...ids]);
    const reply = await context.pool.run<EncodeTokensTask, EncodeReply>(encodeModule, encodeTokens.name, {
      encoder,
      lists,
    });
    const { vectors, dimensions } = encodedBy(model.name, reply);
    if (columns === 0) {
      columns = dimensions;
      data = new Float32Array(tokens.length * columns);
    }
    data.set(vectors, start * columns);
    done += lists.length;
    context.progress(done, tokens.length, 'tokens');
  };
  const starts = Array.from(
    { length: Math.ceil(tokens.length / listsPerTask) },
    (_, at) => at * listsPerTask,
  );
  await Promise.all(starts.map(encodeFrom));
  return { data, rows: tokens.length, columns };
}
