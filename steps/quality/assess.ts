import { StepError } from '../../engine/problems.ts';
import { type Identified, openLanguageIdentifier } from '../../models/language-identifier.ts';
import { packTexts } from '../../numerics/packed-texts.ts';
import { Shingler, shingleSet } from '../../numerics/shingles.ts';
import { type PiiType, replacePii } from '../clean/pii.ts';
import { normalize } from '../dedupe/normalize.ts';
import { type OwnParts, openAcross, type Surveyed } from './across.ts';
import { gopherQuality, gopherRepetition } from './gopher.ts';
import type { Rules } from './parameters.ts';
import { openProfanity } from './profanity.ts';
import { characterCount, isWord, tokensOf } from './tokens.ts';
import { c4Quality, fineWebQuality } from './web-text.ts';

/** URL of this module, for `pool.run`. */
export const assessModule = import.meta.url;

export interface AssessTask {
  texts: (string | null)[];
  rules: Rules;
  /** Ascending hashes of the n-grams that must not be there, in memory that threads share. */
  forbidden: Float64Array | undefined;
  /** Words that a text must not have. */
  profane: readonly string[];
  /** What the table says as a whole, where a rule asks. */
  surveyed: Surveyed | undefined;
}

/** What was found about a text. */
export interface Assessment {
  /** Broken rules; empty if the text passes. */
  reasons: string[];
  language?: Identified;
  /** The text that is left, where rules cut lines from it. */
  text?: string;
  /** With the rule `coherence`. */
  coherent?: number;
  /** With the rule `score`. */
  parts?: OwnParts;
}

/** What does not count when n-grams are compared: datatrove's normalisation for decontamination. */
const form = {
  unicode: 'NFC',
  lowercase: true,
  whitespace: true,
  punctuation: true,
  diacritics: true,
  numbers: true,
} as const;

let opened: { key: string; identify: (text: string) => Identified } | undefined;

/** Checks texts against the rules, in a worker thread. */
export async function assess({
  texts,
  rules,
  forbidden,
  profane,
  surveyed,
}: AssessTask): Promise<Assessment[]> {
  const countTokens = await tokenCounter(rules.length);
  const offences =
    rules.profanity &&
    openProfanity(profane, {
      cyrillic: rules.profanity.languages.includes('ru'),
      allow: rules.profanity.allow,
    });
  const identify = rules.language && identifier(rules.language.min_confidence, rules.language.min_letters);
  const overlaps = forbidden && rules.contamination && openOverlap(forbidden, rules.contamination.ngram);
  const across = surveyed && openAcross(rules, surveyed);
  return texts.map((text) => {
    if (text === null) return { reasons: ['no_text'] };
    const found: Assessment = { reasons: [] };
    const { reasons } = found;
    if (identify) {
      found.language = identify(text);
      const { keep } = rules.language!;
      if (keep && !keep.includes(found.language.language)) reasons.push('language');
    }
    // DataTrove's C4 filter hands what is left of the text to those after it; here all rules see the text as it came.
    const needTokens = rules.length || rules.gopher_quality || rules.gopher_repetition || rules.fineweb;
    const tokens = needTokens ? tokensOf(text) : [];
    if (rules.length) reasons.push(...lengthReasons(text, tokens, countTokens(text), rules.length));
    if (rules.gopher_quality) reasons.push(...gopherQuality(text, tokens, rules.gopher_quality));
    if (rules.gopher_repetition) reasons.push(...gopherRepetition(text, tokens, rules.gopher_repetition));
    if (rules.fineweb) reasons.push(...fineWebQuality(text, tokens, rules.fineweb));
    if (rules.c4) {
      const result = c4Quality(text, rules.c4);
      reasons.push(...result.reasons);
      found.text = result.text;
    }
    if (rules.pii) reasons.push(...piiReasons(text, rules.pii));
    if (rules.profanity && offences && offences(text) > rules.profanity.max) reasons.push('profanity');
    if (overlaps?.(text)) reasons.push('contaminated');
    if (across) {
      const { reasons: wider, ...told } = across(text);
      reasons.push(...wider);
      Object.assign(found, told);
    }
    found.reasons = [...new Set(reasons)];
    return found;
  });
}

function identifier(minConfidence: number, minLetters: number) {
  const key = `${minConfidence} ${minLetters}`;
  if (opened?.key !== key) {
    try {
      opened = { key, identify: openLanguageIdentifier({ minConfidence, minLetters }) };
    } catch (error) {
      throw new StepError('model', (error as Error).message, 'install reprise again: the file comes with it');
    }
  }
  return opened.identify;
}

/** Counts tokens of a model, if a bound asks for it: the vocabulary takes a second to load. */
async function tokenCounter(rules: Rules['length']): Promise<(text: string) => number> {
  if (!rules || (rules.min_tokens === 0 && rules.max_tokens === null)) return () => 0;
  const { countTokens } =
    rules.tokenizer === 'o200k_base'
      ? await import('gpt-tokenizer/encoding/o200k_base')
      : await import('gpt-tokenizer/encoding/cl100k_base');
  // The time for a run without spaces, or of spaces only, grows with its square: long ones are cut, which may cost a token
  // at each cut.
  return (text) =>
    text
      .split(/(\S{1000}|\s{1000})/)
      .reduce((sum, part) => sum + (part === '' ? 0 : countTokens(part, { allowedSpecial: 'all' })), 0);
}

function lengthReasons(
  text: string,
  tokens: readonly string[],
  modelTokens: number,
  rules: NonNullable<Rules['length']>,
): string[] {
  const reasons: string[] = [];
  const characters = characterCount(text);
  const words = tokens.filter(isWord).length;
  if (characters < rules.min_characters) reasons.push('too_few_characters');
  if (rules.max_characters !== null && characters > rules.max_characters) reasons.push('too_many_characters');
  if (words < rules.min_words) reasons.push('too_few_words');
  if (rules.max_words !== null && words > rules.max_words) reasons.push('too_many_words');
  if (modelTokens < rules.min_tokens) reasons.push('too_few_tokens');
  if (rules.max_tokens !== null && modelTokens > rules.max_tokens) reasons.push('too_many_tokens');
  return reasons;
}

function piiReasons(text: string, types: readonly PiiType[]): string[] {
  const found = new Set<string>();
  replacePii(text, types, (type, match) => {
    found.add(`pii_${type}`);
    return match;
  });
  return [...found];
}

/** Hashes of the n-grams of words of a normalised text; of a text of fewer words, that of all its words. */
export function ngramsOf(texts: readonly string[], size: number): Float64Array[] {
  const shingler = new Shingler({ unit: 'word', size });
  const packed = packTexts(texts.map((text) => normalize(text, form)));
  return texts.map((text, index) =>
    text.trim() === '' ? new Float64Array(0) : shingleSet(shingler, packed, index),
  );
}

function openOverlap(forbidden: Float64Array, size: number): (text: string) => boolean {
  const has = (key: number) => {
    let low = 0;
    let high = forbidden.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (forbidden[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return forbidden[low] === key;
  };
  return (text) => ngramsOf([text], size)[0]!.some(has);
}
