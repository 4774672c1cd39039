/** An encoder that comes with the product: a folder beside this file. */
export interface BuiltInEncoder {
  /** The name that a `model` parameter says, and the folder's. */
  readonly name: string;
  readonly summary: string;
  /** Numbers in a vector. */
  readonly dimensions: number;
  /** Longer texts lose their end, unless `max_tokens` asks for more. */
  readonly maxTokens: number;
  /** ISO 639-1 codes of the languages that it was trained for. */
  readonly languages: readonly string[];
  /** SPDX identifier. */
  readonly licence: string;
  readonly source: string;
  /** Spearman's rank correlation with human judgements on the test part of STS-B, in percent. */
  readonly stsb: number;
}

export const builtInEncoders: readonly BuiltInEncoder[] = [
  {
    name: 'all-minilm-l6-v2',
    summary: 'sentence encoder for English: 6-layer BERT, weights in 8 bits, arithmetic in float32',
    dimensions: 384,
    maxTokens: 256,
    languages: ['en'],
    licence: 'Apache-2.0',
    source: 'https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2',
    stsb: 82.0,
  },
  {
    name: 'use-multilingual-v3',
    summary: 'fast sentence encoder for 16 languages: Universal Sentence Encoder multilingual, version 3',
    dimensions: 512,
    maxTokens: 256,
    languages: ['ar', 'de', 'en', 'es', 'fr', 'it', 'ja', 'ko', 'nl', 'pl', 'pt', 'ru', 'th', 'tr', 'zh'],
    licence: 'Apache-2.0',
    source: 'https://www.kaggle.com/models/google/universal-sentence-encoder/tensorFlow2/multilingual',
    stsb: 80.1,
  },
];
