import { estimatedTokens } from '../../models/language/cost.ts';
import { openTokenizer } from '../../models/tokenizer.ts';
import { countWords } from './pieces.ts';

export const measures = ['words', 'characters', 'tokens'] as const;
export type Measure = (typeof measures)[number];

/** How long a text is. */
export interface Size {
  /** Code points. */
  characters: number;
  words: number;
  tokens: number;
}

export type Counters = { readonly [M in Measure]: (text: string) => number };

/** Encodings of OpenAI's models: gpt-4o and later; gpt-4 and gpt-3.5. */
export const encodings = ['o200k_base', 'cl100k_base'] as const;

/** Files of a tokenizer: tokenizer.json, and tokenizer_config.json if there is one; or an encoding. */
export type TokenizerSource =
  | { file: string; config: string | undefined }
  | { encoding: (typeof encodings)[number] };

/** What counts a text. Without a tokenizer a token is four bytes. */
export async function openCounters(tokenizer: TokenizerSource | null): Promise<Counters> {
  return {
    characters: (text) => {
      let count = 0;
      for (const _ of text) count++;
      return count;
    },
    words: countWords,
    tokens: tokenizer === null ? estimatedTokens : await tokenCounter(tokenizer),
  };
}

async function tokenCounter(source: TokenizerSource): Promise<(text: string) => number> {
  if ('file' in source) {
    const opened = await openTokenizer(source.file, source.config);
    return (text) => opened.encode(text.toWellFormed()).length;
  }
  const { countTokens } =
    source.encoding === 'o200k_base'
      ? await import('gpt-tokenizer/encoding/o200k_base')
      : await import('gpt-tokenizer/encoding/cl100k_base');
  return (text) => countTokens(text, { allowedSpecial: 'all' });
}

export function sizeOf(text: string, counters: Counters): Size {
  return {
    characters: counters.characters(text),
    words: counters.words(text),
    tokens: counters.tokens(text),
  };
}
