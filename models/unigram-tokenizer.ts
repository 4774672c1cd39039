import { PrecompiledCharsmap } from './charsmap.ts';
import type { Tokenizer, TokenizerJson } from './tokenizer.ts';
import { Unigram } from './unigram.ts';

/** A part of tokenizer.json, as far as this file reads it. */
interface Part {
  type?: string;
  normalizers?: Part[];
  pretokenizers?: Part[];
  precompiled_charsmap?: string;
  strip_left?: boolean;
  strip_right?: boolean;
  pattern?: { Regex?: string; String?: string };
  content?: string;
  replacement?: string;
  prepend_scheme?: string;
  add_prefix_space?: boolean;
  split?: boolean;
  single?: { SpecialToken?: { id: string }; Sequence?: object }[];
  special_tokens?: Record<string, { ids?: number[] }>;
}

type Normalize = (text: string) => string;
// White space as Rust has it: U+0085 belongs to it, U+FEFF does not.
const leadingSpace = /^[[\s--\ufeff]\u0085]+/v;
const someSpace = /[[\s--\ufeff]\u0085]+/v;
const oneSpace = /^[[\s--\ufeff]\u0085]$/v;

/** Pieces of a text that are segmented each by itself. */
type Split = (texts: string[]) => string[];

/**
 * A SentencePiece Unigram tokenizer (multilingual USE, XLM-R, multilingual E5 …) from its tokenizer.json: the same
 * ids as the Rust library, which the JavaScript one does not give for all scripts, and ten times faster.
 * Undefined if the file asks for something that is not known here. `general` is the library's tokenizer.
 */
export function unigramTokenizer(file: TokenizerJson, general: () => Tokenizer): Tokenizer | undefined {
  const model = file.model;
  if (model.type !== 'Unigram' || model.byte_fallback === true || typeof model.unk_id !== 'number')
    return undefined;
  const normalize = normalizerOf(file.normalizer as Part | null);
  const split = splitterOf(file.pre_tokenizer as Part | null);
  const around = specialsOf(file.post_processor as Part | null);
  if (!normalize || !split || !around || !Array.isArray(model.vocab)) return undefined;
  const unigram = new Unigram(model.vocab as [string, number][], model.unk_id);
  return {
    ...around,
    encode(text) {
      // Tokens such as <mask> that a text may spell out are cut from it before all else.
      if (file.added_tokens.some(({ content }) => text.includes(content))) return general().encode(text);
      const parts = split([normalize(text)]);
      return parts.length === 1 ? unigram.encode(parts[0]!) : parts.flatMap((part) => unigram.encode(part));
    },
  };
}

function normalizerOf(part: Part | null): Normalize | undefined {
  switch (part?.type) {
    case undefined:
      return (text) => text;
    case 'Sequence': {
      const steps = (part!.normalizers ?? []).map(normalizerOf);
      if (steps.includes(undefined)) return undefined;
      return (text) => steps.reduce((done, step) => step!(done), text);
    }
    case 'Precompiled': {
      if (!part!.precompiled_charsmap) return (text) => text;
      const map = new PrecompiledCharsmap(part!.precompiled_charsmap);
      return (text) => map.normalize(text);
    }
    case 'Strip': {
      const { strip_left: left, strip_right: right } = part!;
      return (text) => {
        const start = left ? text.replace(leadingSpace, '') : text;
        return right ? withoutTrailingSpace(start) : start;
      };
    }
    case 'Replace': {
      const { pattern, content = '' } = part!;
      if (pattern?.String !== undefined) return (text) => text.replaceAll(pattern.String!, () => content);
      if (pattern?.Regex === undefined) return undefined;
      const regex = new RegExp(pattern.Regex, 'gu');
      return (text) => text.replace(regex, () => content);
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = part!.type;
      return (text) => text.normalize(form);
    }
    case 'Lowercase':
      return (text) => text.toLowerCase();
    default:
      return undefined;
  }
}

function splitterOf(part: Part | null): Split | undefined {
  switch (part?.type) {
    case undefined:
      return (texts) => texts;
    case 'Sequence': {
      const steps = (part!.pretokenizers ?? []).map(splitterOf);
      if (steps.includes(undefined)) return undefined;
      return (texts) => steps.reduce((done, step) => step!(done), texts);
    }
    case 'WhitespaceSplit':
      return (texts) => texts.flatMap((text) => text.split(someSpace)).filter((text) => text !== '');
    case 'Metaspace': {
      const { replacement = '▁', prepend_scheme: scheme, add_prefix_space: prefix, split = true } = part!;
      if (scheme !== undefined && scheme !== 'always' && scheme !== 'never') return undefined;
      const prepend = scheme ? scheme === 'always' : prefix !== false;
      return (texts) =>
        texts.flatMap((text) => {
          if (text === '') return [];
          const replaced = text.replaceAll(' ', replacement);
          const full = prepend && !replaced.startsWith(replacement) ? replacement + replaced : replaced;
          return split ? splitBefore(full, replacement) : [full];
        });
    }
    default:
      return undefined;
  }
}

/** By hand: a regular expression anchored at the end takes quadratic time on runs of spaces within a text. */
function withoutTrailingSpace(text: string): string {
  let end = text.length;
  while (end > 0 && oneSpace.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** Cuts a text before every mark, which stays with what follows it. */
function splitBefore(text: string, mark: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = text.indexOf(mark, 1); at >= 0; at = text.indexOf(mark, at + 1)) {
    parts.push(text.slice(from, at));
    from = at;
  }
  parts.push(text.slice(from));
  return parts;
}

function specialsOf(part: Part | null): { before: number[]; after: number[] } | undefined {
  if (!part) return { before: [], after: [] };
  if (part.type !== 'TemplateProcessing' || !part.single) return undefined;
  const before: number[] = [];
  const after: number[] = [];
  let side = before;
  for (const item of part.single) {
    if (item.Sequence) side = after;
    else if (item.SpecialToken) side.push(...(part.special_tokens?.[item.SpecialToken.id]?.ids ?? []));
  }
  return { before, after };
}
