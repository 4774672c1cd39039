import { join } from 'node:path';
import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-node';
import { unitLength } from '../numerics/vectors.ts';
import { type Dense, dense, openDense } from './dense.ts';
import { EncoderError, type EncoderSettings, type Pooling } from './encoder-folder.ts';
import { dependsOnBatch } from './network-file.ts';
import { pool } from './pooling.ts';
import { encodeWithin, openTokenizer, type Tokenizer } from './tokenizer.ts';

export interface EncodeOptions {
  /** Tokens of a text that count, special tokens included. */
  maxTokens: number;
  /** Scale the vectors to length 1. */
  normalize: boolean;
  /** Keep only so many leading numbers (Matryoshka), before scaling; null keeps all. */
  dimensions: number | null;
}

export interface Encoded {
  /** Row-major, `rows * dimensions`. */
  vectors: Float32Array;
  dimensions: number;
  /**
   * Tokens of each text that counted, special tokens included; negative if the text had more. A text without any
   * (no special tokens, no known ones) has no vector: its numbers are zeros.
   */
  tokens: Int32Array;
}

/**
 * Rows and tokens in one run of the network, at most. More of them gain nothing on a processor, and from about 1,000
 * tokens on the layers' values leave its cache (25 % slower at 4,000). It bounds the memory for long texts, too.
 */
const mostRows = 32;
const mostTokens = 512;

/**
 * An encoder on this thread: tokenizer and network. Runs block the thread, so it belongs in a worker.
 *
 * A text's vector does not depend, to the last bit, on the texts it is encoded with: a run holds only texts of
 * exactly the same number of tokens, so that nothing is padded or masked. Products over a single row take another way
 * through onnxruntime, with another order of additions; so where the network pools the tokens itself, a text alone
 * is doubled, and where it can be had, the vectors of the tokens are pooled here. A network that scales activations
 * by batch (dynamic quantisation) gets every text by itself.
 */
export class Encoder {
  readonly #session: InferenceSession;
  readonly #tokenizer: Tokenizer;
  readonly #tensor: typeof Tensor;
  readonly #output: Output;
  readonly #dense: readonly Dense[];
  readonly #rowsPerRun: number;

  static async open(folder: string, settings: EncoderSettings): Promise<Encoder> {
    const { InferenceSession, Tensor } = await import('onnxruntime-node');
    const network = join(folder, settings.network);
    const tokenizer = await openTokenizer(
      join(folder, settings.tokenizer),
      settings.tokenizerConfig === null ? undefined : join(folder, settings.tokenizerConfig),
    ).catch((error: Error) => {
      throw new EncoderError(`${settings.tokenizer} in ${folder} cannot be used: ${error.message}`);
    });
    const session = await InferenceSession.create(network, {
      // With three threads and more, sums are taken in another order. More cores are used by more encoders.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Patterns are kept per shape, and every length of text is another shape.
      enableMemPattern: false,
      logSeverityLevel: 3,
    }).catch((error: Error) => {
      throw new EncoderError(`the network cannot be opened: ${error.message}`, 'export or copy it again');
    });
    const rowsPerRun = dependsOnBatch(network) ? 1 : mostRows;
    const layers = settings.dense.map((layer) => openDense(folder, layer));
    return new Encoder(session, tokenizer, Tensor, settings, rowsPerRun, layers);
  }

  private constructor(
    session: InferenceSession,
    tokenizer: Tokenizer,
    tensor: typeof Tensor,
    settings: EncoderSettings,
    rowsPerRun: number,
    layers: readonly Dense[],
  ) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#tensor = tensor;
    this.#rowsPerRun = rowsPerRun;
    const unknown = session.inputNames.filter((name) => !(name in inputFills));
    if (unknown.length > 0)
      throw new EncoderError(`the network wants ${unknown.join(', ')}, which a text encoder does not have`);
    this.#output = chooseOutput(session.outputNames, settings);
    // An output of whole texts has gone through all of its stages.
    this.#dense = this.#output.pooling === null ? [] : layers;
  }

  /** Vectors of texts, in their order. */
  async encode(texts: readonly string[], options: EncodeOptions): Promise<Encoded> {
    const tokens = new Int32Array(texts.length);
    const ids = texts.map((text, row) => {
      const encoded = encodeWithin(this.#tokenizer, text, options.maxTokens);
      tokens[row] = encoded.truncated ? -encoded.ids.length : encoded.ids.length;
      return encoded.ids;
    });
    return { ...(await this.#vectors(ids, options)), tokens };
  }

  /** Vectors of lists of tokens of the encoder's own, special tokens put around each. */
  async encodeTokens(
    lists: readonly (readonly number[])[],
    options: Omit<EncodeOptions, 'maxTokens'>,
  ): Promise<Omit<Encoded, 'tokens'>> {
    const { before, after } = this.#tokenizer;
    return this.#vectors(
      lists.map((tokens) => [...before, ...tokens, ...after]),
      options,
    );
  }

  async #vectors(
    ids: number[][],
    options: Omit<EncodeOptions, 'maxTokens'>,
  ): Promise<Omit<Encoded, 'tokens'>> {
    let vectors = new Float32Array(0);
    let dimensions = 0;
    for (const rows of this.#runs(ids)) {
      const found = await this.#run(rows.map((row) => ids[row]!));
      rows.forEach((row, index) => {
        if (dimensions === 0) {
          dimensions = Math.min(options.dimensions ?? found[index]!.length, found[index]!.length);
          vectors = new Float32Array(ids.length * dimensions);
        }
        const vector = found[index]!.subarray(0, dimensions);
        vectors.set(options.normalize ? unitLength(vector) : vector, row * dimensions);
      });
    }
    return { vectors, dimensions };
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  /** Rows that go through the network together: of the same number of tokens, longest first. */
  #runs(ids: number[][]): number[][] {
    const byLength = Map.groupBy(ids.keys(), (row) => ids[row]!.length);
    const runs: number[][] = [];
    for (const [length, rows] of [...byLength].sort(([a], [b]) => b - a)) {
      if (length === 0) continue;
      const most = Math.max(1, Math.min(this.#rowsPerRun, Math.floor(mostTokens / length)));
      // Of even size: 17 and 16 take less time than 32 and 1.
      const count = Math.ceil(rows.length / most);
      for (let run = 0; run < count; run++) {
        const [from, to] = [run, run + 1].map((part) => Math.round((part * rows.length) / count));
        runs.push(rows.slice(from, to));
      }
    }
    return runs;
  }

  /** A vector for each text of the run. */
  async #run(ids: number[][]): Promise<Float32Array[]> {
    const { name: output, pooling } = this.#output;
    const length = ids[0]!.length;
    const batch = ids.length === 1 && (pooling === null || length === 1) ? [ids[0]!, ids[0]!] : ids;
    const feeds: Record<string, Tensor> = {};
    for (const name of this.#session.inputNames)
      feeds[name] = new this.#tensor('int64', inputFills[name]!(batch, length), [batch.length, length]);
    const result = (await this.#session.run(feeds, [output]))[output] as TypedTensor<'float32'>;
    const data = result.data as Float32Array;
    const size = data.length / batch.length;
    return ids.map((_, row) => {
      const values = data.subarray(row * size, (row + 1) * size);
      if (pooling === null) return values;
      return this.#dense.reduce((vector, layer) => dense(vector, layer), pool(values, length, pooling));
    });
  }
}

/** An output of the network; `pooling` is null if it is one vector for each text already. */
interface Output {
  name: string;
  pooling: Pooling | null;
}

function chooseOutput(
  names: readonly string[],
  { pooling, later, ownPooling = false }: EncoderSettings,
): Output {
  const ofTexts = names.find((name) => name === 'sentence_embedding');
  const ofTokens = ['last_hidden_state', 'token_embeddings'].find((name) => names.includes(name));
  if (ownPooling && ofTokens === undefined)
    throw new EncoderError(
      `the network gives ${names.join(', ')}, so that no other pooling can be had`,
      'leave pooling out, or export the model with last_hidden_state',
    );
  if (ofTokens !== undefined && later.length === 0 && (pooling !== null || ofTexts === undefined))
    return { name: ofTokens, pooling: pooling ?? 'mean' };
  if (ofTexts !== undefined) return { name: ofTexts, pooling: null };
  throw ofTokens === undefined
    ? new EncoderError(
        `the network gives ${names.join(', ')}; an encoder gives sentence_embedding or last_hidden_state`,
      )
    : new EncoderError(
        `the network ends before ${later.join(', ')}`,
        'export the whole model, with a sentence_embedding output',
      );
}

/** What a network's inputs are filled with, `[rows, length]` each. Nothing is padded, so the mask is all ones. */
const inputFills: Record<string, (batch: number[][], length: number) => BigInt64Array> = {
  input_ids(batch, length) {
    const filled = new BigInt64Array(batch.length * length);
    // Ids are below 2^31: writing the low halves of little-endian words spares a BigInt for each.
    const halves = new Int32Array(filled.buffer);
    batch.forEach((ids, row) => {
      for (let index = 0; index < length; index++) halves[2 * (row * length + index)] = ids[index]!;
    });
    return filled;
  },
  attention_mask: (batch, length) => new BigInt64Array(batch.length * length).fill(1n),
  token_type_ids: (batch, length) => new BigInt64Array(batch.length * length),
  position_ids(batch, length) {
    const filled = new BigInt64Array(batch.length * length);
    return filled.map((_, index) => BigInt(index % length));
  },
};
