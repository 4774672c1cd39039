import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EncoderError } from '../encoder-folder.ts';
import { encodeWithin, openTokenizer, type Tokenizer, type TokenizerJson } from '../tokenizer.ts';
import type { StaticSettings } from './folder.ts';
import { readTensors } from './safetensors.ts';

export interface StaticOptions {
  /** Tokens of a text that count; null: all. */
  maxTokens: number | null;
  normalize: boolean;
  /** Keep only so many leading numbers, before scaling; null keeps all. */
  dimensions: number | null;
}

export interface StaticEncoded {
  /** Row-major, `rows * dimensions`. */
  vectors: Float32Array;
  dimensions: number;
  /** Tokens of each text that have a vector; negative if the text had more than were allowed. 0: its vector is zeros. */
  tokens: Int32Array;
}

/**
 * Static embeddings: a text's vector is the mean of its tokens' vectors (Model2Vec: Tulkens and van Dongen 2024; in its
 * form a token's weight is the length of its vector, or stands in `weights`, and tokens may share a vector by `mapping`).
 * Tokens that the vocabulary does not know are left out. Sums are taken in float64, in the order of the tokens: the same
 * text has the same bytes, whatever is encoded with it. Time per text: tokens × dimensions.
 */
export class StaticEncoder {
  readonly #tokenizer: Tokenizer;
  readonly #unknown: number | null;
  readonly #embeddings: Float32Array;
  readonly #columns: number;
  readonly #weights: Float32Array | null;
  readonly #mapping: Float32Array | null;

  private constructor(options: {
    tokenizer: Tokenizer;
    unknown: number | null;
    embeddings: Float32Array;
    columns: number;
    weights: Float32Array | null;
    mapping: Float32Array | null;
  }) {
    this.#tokenizer = { before: [], after: [], encode: (text) => options.tokenizer.encode(text) };
    this.#unknown = options.unknown;
    this.#embeddings = options.embeddings;
    this.#columns = options.columns;
    this.#weights = options.weights;
    this.#mapping = options.mapping;
  }

  /** Throws an `EncoderError` for a folder that is none of static embeddings, or not whole. */
  static async open(folder: string, settings: StaticSettings): Promise<StaticEncoder> {
    const tensors = readTensors(resolve(folder, settings.tensors), [
      settings.embeddings,
      'weights',
      'mapping',
    ]);
    const found = tensors.get(settings.embeddings);
    if (found === undefined || found.shape.length !== 2)
      throw new EncoderError(
        `${settings.tensors} in ${folder} has no table ${settings.embeddings}`,
        'a static model has a vector for each token of its tokenizer',
      );
    const path = resolve(folder, settings.tokenizer);
    let json: TokenizerJson;
    let tokenizer: Tokenizer;
    try {
      json = JSON.parse(readFileSync(path, 'utf8')) as TokenizerJson;
      tokenizer = await openTokenizer(path);
    } catch (error) {
      throw new EncoderError(
        `${settings.tokenizer} in ${folder} cannot be used: ${(error as Error).message}`,
      );
    }
    const [rows, columns] = found.shape as [number, number];
    const size = vocabularySize(json);
    const weights = tensors.get('weights')?.data ?? null;
    const mapping = tensors.get('mapping')?.data ?? null;
    if ((mapping?.length ?? rows) < size)
      throw new EncoderError(
        `the tokenizer in ${folder} has ${size} tokens, and there are ${mapping?.length ?? rows} vectors`,
        'copy tokenizer.json and model.safetensors of one and the same model',
      );
    if (weights !== null && weights.length < size)
      throw new EncoderError(`${folder} has weights for ${weights.length} of ${size} tokens`);
    if (mapping?.some((row) => !(row >= 0 && row < rows)) === true)
      throw new EncoderError(`the mapping in ${folder} names vectors that are not there`);
    return new StaticEncoder({
      tokenizer,
      unknown: unknownId(json),
      embeddings: found.data,
      columns,
      weights,
      mapping,
    });
  }

  /** Vectors of texts, in their order. */
  encode(texts: readonly string[], options: StaticOptions): StaticEncoded {
    const columns = this.#columns;
    const dimensions = Math.min(options.dimensions ?? columns, columns);
    const vectors = new Float32Array(texts.length * dimensions);
    const tokens = new Int32Array(texts.length);
    const sum = new Float64Array(dimensions);
    for (const [row, text] of texts.entries()) {
      const { ids, truncated } = encodeWithin(this.#tokenizer, text, options.maxTokens ?? Infinity);
      sum.fill(0);
      let count = 0;
      for (const id of ids) {
        if (id === this.#unknown) continue;
        count++;
        const weight = this.#weights === null ? 1 : this.#weights[id]!;
        const from = (this.#mapping === null ? id : this.#mapping[id]!) * columns;
        for (let i = 0; i < dimensions; i++) sum[i]! += weight * this.#embeddings[from + i]!;
      }
      tokens[row] = truncated ? -count : count;
      if (count === 0) continue;
      let scale = 1 / count;
      if (options.normalize) {
        let squares = 0;
        for (let i = 0; i < dimensions; i++) squares += sum[i]! * sum[i]!;
        scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
      }
      const at = row * dimensions;
      for (let i = 0; i < dimensions; i++) vectors[at + i] = sum[i]! * scale;
    }
    return { vectors, dimensions, tokens };
  }
}

/** One more than the greatest id of a tokenizer's vocabulary. */
function vocabularySize({ model, added_tokens }: TokenizerJson): number {
  const vocabulary = model.vocab as Record<string, number> | unknown[] | undefined;
  let greatest = -1;
  if (Array.isArray(vocabulary)) greatest = vocabulary.length - 1;
  else for (const id of Object.values(vocabulary ?? {})) greatest = Math.max(greatest, id);
  for (const { id } of added_tokens ?? []) greatest = Math.max(greatest, id ?? -1);
  return greatest + 1;
}

/** The id of tokens that the vocabulary does not know; null where there is none. */
function unknownId({ model }: TokenizerJson): number | null {
  if (typeof model.unk_id === 'number') return model.unk_id;
  const vocabulary = model.vocab;
  if (typeof model.unk_token !== 'string' || Array.isArray(vocabulary)) return null;
  return (vocabulary as Record<string, number> | undefined)?.[model.unk_token] ?? null;
}
