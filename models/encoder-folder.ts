import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How the vectors of a text's tokens become one (sentence-transformers' `Pooling`). */
export const poolings = ['mean', 'mean_sqrt_len', 'cls', 'max', 'lasttoken'] as const;
export type Pooling = (typeof poolings)[number];

/** A layer after pooling: y = activation(W x + b) (sentence-transformers' `Dense`). */
export interface DenseLayer {
  /** A safetensors file with `linear.weight` and, perhaps, `linear.bias`. */
  tensors: string;
  activation: 'identity' | 'tanh' | 'relu' | 'gelu';
}

/** What the settings in an encoder's folder say about its use. All paths are relative to the folder. */
export interface EncoderSettings {
  network: string;
  tokenizer: string;
  tokenizerConfig: string | null;
  /** Tokens of a text that count unless a caller asks for another number, special tokens included. */
  maxTokens: number;
  /** Tokens that the network can take at most; null if it does not say. */
  limit: number | null;
  /** Null if the folder does not say. */
  pooling: Pooling | null;
  /** The pooling is the caller's wish, not what the folder says: the network cannot have done it. */
  ownPooling?: boolean;
  /** Layers between pooling and scaling. */
  dense: DenseLayer[];
  /** Other stages there, which only the network can contain. */
  later: string[];
}

/** A folder that is not one of an encoder, said so that its owner can mend it. */
export class EncoderError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.name = 'EncoderError';
    this.hint = hint;
  }
}

/** An `EncoderError` as a value: it would lose its class and hint on the way out of a worker. */
export interface Refused {
  readonly kind: 'refused';
  readonly message: string;
  readonly hint?: string;
}

/** The value for an `EncoderError`; what else was thrown is thrown on. */
export function refusalOf(error: unknown): Refused {
  if (!(error instanceof EncoderError)) throw error;
  const { message, hint } = error;
  return { kind: 'refused', message, ...(hint !== undefined && { hint }) };
}

const defaultMaxTokens = 512;
/** Python's tokenizers write 1e30 for "no limit". */
const noLimit = 1_000_000;

/** Reads the settings of an encoder from the files of its folder that count. */
export function readEncoderSettings(folder: string, files: readonly string[]): EncoderSettings {
  const read = (name: string): Record<string, unknown> | undefined => {
    if (!files.includes(name)) return undefined;
    try {
      return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>;
    } catch (error) {
      throw new EncoderError(`${name} in ${folder} cannot be read: ${(error as Error).message}`);
    }
  };
  const networks = files.filter((file) => file.endsWith('.onnx'));
  const network = networks[0];
  if (network === undefined)
    throw new EncoderError(`${folder} has no .onnx file`, 'export the model to onnx/model.onnx');
  if (networks.length > 1)
    throw new EncoderError(`${folder} has several networks: ${networks.join(', ')}`, 'name one of the files');
  if (!files.includes('tokenizer.json'))
    throw new EncoderError(`${folder} has no tokenizer.json`, 'save the fast tokenizer beside the model');
  const config = read('config.json');
  const tokenizerConfig = read('tokenizer_config.json');
  const modules = (read('modules.json') as unknown as { path: string; type: string }[] | undefined) ?? [];
  const dense: DenseLayer[] = [];
  const kinds = modules.map(({ type }) => String(type).split('.').at(-1)!);
  const poolingFile = modules.find((_, index) => kinds[index] === 'Pooling')?.path ?? '1_Pooling';
  const limit = limitOf(config);
  const asked =
    numberIn(read('sentence_bert_config.json'), 'max_seq_length') ??
    numberIn(tokenizerConfig, 'model_max_length') ??
    defaultMaxTokens;
  const later = modules.filter((module, index) => {
    if (['Transformer', 'Pooling', 'Normalize'].includes(kinds[index]!)) return false;
    const layer = kinds[index] === 'Dense' ? denseOf(module.path, read, files) : undefined;
    if (layer) dense.push(layer);
    return layer === undefined;
  });
  return {
    network,
    tokenizer: 'tokenizer.json',
    tokenizerConfig: tokenizerConfig ? 'tokenizer_config.json' : null,
    maxTokens: Math.min(asked < noLimit ? asked : defaultMaxTokens, limit ?? Number.POSITIVE_INFINITY),
    limit,
    pooling: poolingOf(read(`${poolingFile}/config.json`)),
    dense,
    later: later.map(({ type }) => String(type).split('.').at(-1)!),
  };
}

const activations: { readonly [name: string]: DenseLayer['activation'] } = {
  Identity: 'identity',
  Tanh: 'tanh',
  ReLU: 'relu',
  GELU: 'gelu',
};

/** A layer whose weights are in safetensors and whose activation is known; undefined for others. */
function denseOf(
  path: string,
  read: (name: string) => Record<string, unknown> | undefined,
  files: readonly string[],
): DenseLayer | undefined {
  const tensors = `${path}/model.safetensors`;
  const config = read(`${path}/config.json`);
  const name = String(config?.['activation_function'] ?? 'Identity');
  const activation = activations[name.split('.').at(-1)!];
  return activation && config && files.includes(tensors) ? { tensors, activation } : undefined;
}

/** Positions that the network has embeddings for; those of the RoBERTa family begin after the padding id. */
function limitOf(config: Record<string, unknown> | undefined): number | null {
  const positions = numberIn(config, 'max_position_embeddings');
  if (positions === undefined) return null;
  const offset = /roberta|mpnet|camembert/.test(String(config!['model_type']));
  return offset ? positions - (numberIn(config, 'pad_token_id') ?? 1) - 1 : positions;
}

function poolingOf(config: Record<string, unknown> | undefined): Pooling | null {
  if (!config) return null;
  const modes: Record<string, Pooling> = {
    pooling_mode_cls_token: 'cls',
    pooling_mode_max_tokens: 'max',
    pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len',
    pooling_mode_mean_tokens: 'mean',
    pooling_mode_lasttoken: 'lasttoken',
  };
  const asked = Object.keys(config).filter((key) => key.startsWith('pooling_mode_') && config[key] === true);
  const mode = asked.length === 1 ? modes[asked[0]!] : undefined;
  if (mode === undefined)
    throw new EncoderError(
      `pooling ${asked.join(' + ') || 'without a mode'} is not known`,
      'export the model with a sentence_embedding output',
    );
  return mode;
}

function numberIn(object: Record<string, unknown> | undefined, key: string): number | undefined {
  const value = object?.[key];
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}
