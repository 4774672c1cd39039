import { readFileSync } from 'node:fs';
import type { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { unigramTokenizer } from './unigram-tokenizer.ts';

/** tokenizer.json of Hugging Face tokenizers, as far as it is read here. */
export interface TokenizerJson {
  added_tokens: {
    id?: number;
    content: string;
    /** It stands around texts or for something else; false: it is a word of texts. */
    special?: boolean;
    lstrip?: boolean;
    rstrip?: boolean;
  }[];
  normalizer: object | null;
  pre_tokenizer: object | null;
  post_processor: object | null;
  decoder: object | null;
  model: {
    type?: string;
    vocab?: unknown;
    unk_id?: number | null;
    unk_token?: string;
    byte_fallback?: boolean;
  };
}

/** A tokenizer without its limits: the ids of a text's own tokens, and the special tokens that go around them. */
export interface Tokenizer {
  readonly before: readonly number[];
  readonly after: readonly number[];
  encode(text: string): number[];
}

export interface TokenIds {
  ids: number[];
  /** The text had more tokens than the limit allows. */
  truncated: boolean;
}

/** Characters of a text that are looked at first, for each token that is wanted; see `encodeWithin`. */
const charactersPerToken = 32;
/** Tokens near the place where a text was cut that may be others than in the whole text. */
const margin = 128;

/**
 * Ids of a text with its special tokens, at most `maxTokens`; what is too long loses its end and keeps the closing
 * special token. Padding and truncation settings of tokenizer.json do not count. A text that is far longer than
 * the limit is cut (never within a character) before it is tokenised, so that a megabyte costs what a page does.
 */
export function encodeWithin(tokenizer: Tokenizer, text: string, maxTokens: number): TokenIds {
  const room = maxTokens - tokenizer.before.length - tokenizer.after.length;
  if (room < 1)
    throw new RangeError(`max_tokens ${maxTokens} leaves no room for a text between the special tokens`);
  const whole = text.toWellFormed();
  let length = room * charactersPerToken;
  let content: number[];
  for (;;) {
    content = tokenizer.encode(length < whole.length ? cut(whole, length) : whole);
    if (length >= whole.length || content.length >= room + margin) break;
    length *= 4;
  }
  const truncated = content.length > room;
  return {
    ids: [...tokenizer.before, ...(truncated ? content.slice(0, room) : content), ...tokenizer.after],
    truncated,
  };
}

function cut(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** Opens tokenizer.json (with its optional tokenizer_config.json). */
export async function openTokenizer(file: string, configFile?: string): Promise<Tokenizer> {
  const json = JSON.parse(readFileSync(file, 'utf8')) as TokenizerJson;
  const config = configFile ? (JSON.parse(readFileSync(configFile, 'utf8')) as object) : {};
  return tokenizerOf(json, config);
}

/** The tokenizer that a tokenizer.json describes. */
export async function tokenizerOf(json: TokenizerJson, config: object = {}): Promise<Tokenizer> {
  const { Tokenizer: Library } = await import('@huggingface/tokenizers');
  let opened: Tokenizer | undefined;
  const general = () => {
    opened ??= generalTokenizer(new Library(json, config), setsRareIdeographsApart(json.normalizer));
    return opened;
  };
  return unigramTokenizer(json, general) ?? (splitsAtSpaces(json) ? byChunks(general()) : general());
}

/** Whether white space ends every token, as with BERT: no added token that a text may spell out has any in it. */
function splitsAtSpaces({ model, normalizer, pre_tokenizer, added_tokens }: TokenizerJson): boolean {
  return (
    model.type === 'WordPiece' &&
    (normalizer as { type?: string } | null)?.type === 'BertNormalizer' &&
    (pre_tokenizer as { type?: string } | null)?.type === 'BertPreTokenizer' &&
    (added_tokens ?? []).every(
      ({ content, lstrip, rstrip }) => !/\s/.test(content) && lstrip !== true && rstrip !== true,
    )
  );
}

const asciiSpace = /[ \t\n\r]+/;
/** Words whose ids are kept, and the longest of them in UTF-16 units: about 20 MB. */
const mostChunks = 100_000;
const longestChunk = 32;

/** The same ids, of a tokenizer that ends tokens at white space: what stands between is looked up, once it is known. */
function byChunks(tokenizer: Tokenizer): Tokenizer {
  let known = new Map<string, readonly number[]>();
  return {
    ...tokenizer,
    encode(text) {
      const all: number[] = [];
      for (const chunk of text.split(asciiSpace)) {
        if (chunk === '') continue;
        let ids = known.get(chunk);
        if (ids === undefined) {
          ids = tokenizer.encode(chunk);
          if (chunk.length <= longestChunk) {
            if (known.size >= mostChunks) known = new Map();
            known.set(chunk, ids);
          }
        }
        for (const id of ids) all.push(id);
      }
      return all;
    },
  };
}

/** Chinese characters of two UTF-16 units, as the Rust library lists them. */
const rareIdeographs =
  /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** The library looks at UTF-16 units where BERT's normalizer sets Chinese characters apart: it misses those of two. */
function setsRareIdeographsApart(normalizer: object | null): boolean {
  const { type, handle_chinese_chars } = (normalizer ?? {}) as {
    type?: string;
    handle_chinese_chars?: boolean;
  };
  return type === 'BertNormalizer' && handle_chinese_chars === true;
}

function generalTokenizer(library: LibraryTokenizer, apart: boolean): Tokenizer {
  const encode = (text: string): number[] =>
    library.encode(apart ? text.replace(rareIdeographs, ' $& ') : text, { add_special_tokens: false }).ids;
  // The special tokens are what is around a text's own ids, whatever kind of post-processor puts them there.
  const probe = encode('a');
  const full: number[] = library.encode('a').ids;
  const at = full.findIndex((_, index) => probe.every((id, offset) => full[index + offset] === id));
  if (probe.length === 0 || at < 0)
    throw new Error('the tokenizer does not keep the ids of "a" between its special tokens');
  return { before: full.slice(0, at), after: full.slice(at + probe.length), encode };
}
