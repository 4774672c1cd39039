import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EncoderError } from '../encoder-folder.ts';

/** How a folder of static embeddings is used. Paths are relative to the folder, or absolute. */
export interface StaticSettings {
  tensors: string;
  /** The tensor with a vector for each token, as its writer calls it. */
  embeddings: 'embeddings' | 'embedding.weight';
  tokenizer: string;
  /** Tokens of a text that count, unless a caller asks for another number; null: all. */
  maxTokens: number | null;
}

/** Where Model2Vec and sentence-transformers put a static model, in the order in which they are looked for. */
const layouts = [
  { folder: '', settings: 'config.json', embeddings: 'embeddings' },
  { folder: '', settings: 'config_sentence_transformers.json', embeddings: 'embedding.weight' },
  {
    folder: '0_StaticEmbedding/',
    settings: 'config_sentence_transformers.json',
    embeddings: 'embedding.weight',
  },
] as const;
const tensorsName = 'model.safetensors';
const defaultMaxTokens = 512;

type Layout = (typeof layouts)[number];

/**
 * Files of a folder that count if it says that it holds static embeddings (Model2Vec's `config.json`, or the
 * `StaticEmbedding` of sentence-transformers); undefined if it does not. They need not be whole: opening them says so.
 */
export function staticFiles(folder: string): string[] | undefined {
  const layout = layoutOf(folder);
  if (layout === undefined) return undefined;
  return [
    `${layout.folder}${tensorsName}`,
    `${layout.folder}tokenizer.json`,
    layout.settings,
    'modules.json',
  ].filter((file) => existsSync(join(folder, file)));
}

function layoutOf(folder: string): Layout | undefined {
  const [ours] = layouts;
  if (read(folder, ours.settings)?.['model_type'] === 'model2vec') return ours;
  const [first] = modulesOf(folder);
  if (!isStaticEmbedding(first)) return undefined;
  return layouts.find(
    (layout) =>
      existsSync(join(folder, layout.folder, tensorsName)) && existsSync(join(folder, layout.settings)),
  );
}

const isStaticEmbedding = (type: string | undefined) => type?.endsWith('.StaticEmbedding') === true;

/** Types of the modules of a folder of sentence-transformers. */
function modulesOf(folder: string): string[] {
  const modules: unknown = read(folder, 'modules.json');
  return Array.isArray(modules) ? modules.map((module: { type?: unknown }) => String(module?.type)) : [];
}

/** Reads how a folder of static embeddings is used. `files`: those of it that count. */
export function readStaticSettings(folder: string, files: readonly string[]): StaticSettings {
  const tensors = files.find((file) => file.endsWith(tensorsName));
  if (tensors === undefined)
    throw new EncoderError(
      `${folder} has no ${tensorsName}`,
      'a static model is a folder with model.safetensors, tokenizer.json and config.json, as Model2Vec or a step train writes it',
    );
  const tokenizer = files.find((file) => file.endsWith('tokenizer.json'));
  if (tokenizer === undefined)
    throw new EncoderError(`${folder} has no tokenizer.json`, 'save the tokenizer beside the embeddings');
  return {
    tensors,
    tokenizer,
    ...(files.includes('config_sentence_transformers.json')
      ? {
          embeddings: 'embedding.weight',
          maxTokens: defaultMaxTokens,
        }
      : { embeddings: 'embeddings', ...readStaticConfig(read(folder, 'config.json') ?? {}) }),
  };
}

/** What Model2Vec's `config.json` says about the use of its table. */
export function readStaticConfig(config: Record<string, unknown>): Pick<StaticSettings, 'maxTokens'> {
  const { max_length: limit } = config;
  return {
    maxTokens: limit === null ? null : typeof limit === 'number' && limit > 0 ? limit : defaultMaxTokens,
  };
}

function read(folder: string, name: string): Record<string, unknown> | undefined {
  const path = join(folder, name);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new EncoderError(`${name} in ${folder} cannot be read: ${(error as Error).message}`);
  }
}
