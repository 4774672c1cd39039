import { isWord, linesOf } from './tokens.ts';

/** Gopher's quality rules (Rae et al. 2021, section A1.1), under the names and with the defaults of DataTrove's filter. */
export interface GopherQuality {
  min_doc_words: number | null;
  max_doc_words: number | null;
  min_avg_word_length: number | null;
  max_avg_word_length: number | null;
  max_symbol_word_ratio: number | null;
  max_bullet_lines_ratio: number | null;
  max_ellipsis_lines_ratio: number | null;
  max_non_alpha_words_ratio: number | null;
  min_stop_words: number | null;
  stop_words: string[];
}

const letter = /\p{L}/u;

/** Every rule that a text breaks. `tokens` are its words and marks. A rule that is null or 0 is off, as there. */
export function gopherQuality(text: string, tokens: readonly string[], rules: GopherQuality): string[] {
  const reasons: string[] = [];
  const words = tokens.filter(isWord);
  const check = (broken: boolean, reason: string) => {
    if (broken) reasons.push(reason);
  };
  check(below(words.length, rules.min_doc_words), 'gopher_short_doc');
  check(above(words.length, rules.max_doc_words), 'gopher_long_doc');
  if (words.length > 0) {
    const average = words.reduce((sum, word) => sum + [...word].length, 0) / words.length;
    check(below(average, rules.min_avg_word_length), 'gopher_below_avg_threshold');
    check(above(average, rules.max_avg_word_length), 'gopher_above_avg_threshold');
  }
  if (tokens.length > 0) {
    const share = (symbol: RegExp) => (text.match(symbol)?.length ?? 0) / tokens.length;
    check(above(share(/#/g), rules.max_symbol_word_ratio), 'gopher_too_many_hashes');
    check(above(share(/\.\.\.|…/g), rules.max_symbol_word_ratio), 'gopher_too_many_ellipsis');
    const withLetter = tokens.filter((token) => letter.test(token)).length / tokens.length;
    check(below(withLetter, rules.max_non_alpha_words_ratio), 'gopher_below_alpha_threshold');
  }
  const lines = linesOf(text);
  if (lines.length > 0) {
    const share = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length / lines.length;
    check(above(share(/^\s*[•-]/), rules.max_bullet_lines_ratio), 'gopher_too_many_bullets');
    check(above(share(/(?:\.\.\.|…)\s*$/), rules.max_ellipsis_lines_ratio), 'gopher_too_many_end_ellipsis');
  }
  const found = new Set(tokens);
  const stopWords = new Set(rules.stop_words.filter((word) => found.has(word))).size;
  check(below(stopWords, rules.min_stop_words), 'gopher_enough_stop_words');
  return reasons;
}

/** Gopher's rules of repetition (Table A1), under the names and with the defaults of DataTrove's filter. */
export interface GopherRepetition {
  dup_line_frac: number | null;
  dup_para_frac: number | null;
  dup_line_char_frac: number | null;
  dup_para_char_frac: number | null;
  /** Pairs of a size and the most that may be of that n-gram. */
  top_n_grams: number[][];
  dup_n_grams: number[][];
}

export function gopherRepetition(text: string, tokens: readonly string[], rules: GopherRepetition): string[] {
  if (text === '') return ['empty'];
  const reasons: string[] = [];
  const check = (value: number, most: number | null, reason: string) => {
    if (above(value, most)) reasons.push(reason);
  };
  const paragraphs = repeated(text.trim().split(/\n{2,}/));
  check(paragraphs.share, rules.dup_para_frac, 'dup_para_frac');
  check(paragraphs.characters / text.length, rules.dup_para_char_frac, 'dup_para_char_frac');
  const lines = repeated(text.split(/\n+/));
  check(lines.share, rules.dup_line_frac, 'dup_line_frac');
  check(lines.characters / text.length, rules.dup_line_char_frac, 'dup_line_char_frac');
  for (const [size, most] of rules.top_n_grams)
    check(topCharacters(tokens, size!) / text.length, most!, `top_${size}_gram`);
  for (const [size, most] of rules.dup_n_grams)
    check(repeatedCharacters(tokens, size!) / text.length, most!, `duplicated_${size}_n_grams`);
  return reasons;
}

/** Elements that were there before: their share, and their characters. */
export function repeated(elements: readonly string[]): { share: number; characters: number } {
  const seen = new Set<string>();
  let count = 0;
  let characters = 0;
  for (const element of elements) {
    if (seen.has(element)) {
      count++;
      characters += element.length;
    } else seen.add(element);
  }
  return { share: elements.length > 0 ? count / elements.length : 0, characters };
}

/** Characters of all occurrences of the most frequent n-gram; of several the one that comes first. */
function topCharacters(tokens: readonly string[], size: number): number {
  const counts = new Map<string, number>();
  for (let at = 0; at + size <= tokens.length; at++) {
    const gram = tokens.slice(at, at + size).join(' ');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  let top = '';
  let most = 0;
  for (const [gram, count] of counts)
    if (count > most) {
      top = gram;
      most = count;
    }
  return top.length * most;
}

/** Characters of n-grams that were there before; their words are counted once. */
function repeatedCharacters(tokens: readonly string[], size: number): number {
  const seen = new Set<string>();
  let characters = 0;
  for (let at = 0; at + size <= tokens.length; ) {
    const gram = tokens.slice(at, at + size).join('');
    if (seen.has(gram)) {
      characters += gram.length;
      at += size;
    } else {
      seen.add(gram);
      at++;
    }
  }
  return characters;
}

function below(value: number, least: number | null): boolean {
  return least !== null && least !== 0 && value < least;
}

function above(value: number, most: number | null): boolean {
  return most !== null && most !== 0 && value > most;
}
