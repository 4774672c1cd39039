/** Words with inner apostrophes, runs of one and the same mark, and single marks. */
const pieces = /[\p{L}\p{N}\p{M}]+(?:['’][\p{L}\p{M}]+)*|([^\s\p{L}\p{N}\p{M}])\1*/gu;
const unspaced =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const hasLetterOrDigit = /[\p{L}\p{N}]/u;
let wordSegmenter: Intl.Segmenter | undefined;
let sentenceSegmenter: Intl.Segmenter | undefined;

/**
 * Words and punctuation marks of a text, in order. It stands for DataTrove's word tokenizers, which are spaCy's for most languages:
 * contractions stay whole here. Scripts without spaces are cut by the dictionaries of `Intl.Segmenter`.
 */
export function tokensOf(text: string): string[] {
  const found: string[] = [];
  for (const [piece] of text.matchAll(pieces)) {
    if (!unspaced.test(piece)) found.push(piece);
    else {
      wordSegmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
      for (const { segment } of wordSegmenter.segment(piece)) found.push(segment);
    }
  }
  return found;
}

/** Whether a token is a word and no punctuation. */
export function isWord(token: string): boolean {
  return hasLetterOrDigit.test(token);
}

/** Sentences of a text by the rules of Unicode (UAX 29), without empty ones. */
export function sentenceCount(text: string): number {
  sentenceSegmenter ??= new Intl.Segmenter('en', { granularity: 'sentence' });
  let count = 0;
  for (const { segment } of sentenceSegmenter.segment(text)) if (segment.trim() !== '') count++;
  return count;
}

/** Characters (code points). */
export function characterCount(text: string): number {
  let count = text.length;
  for (let at = 0; at + 1 < text.length; at++)
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) count--;
  return count;
}

/** Lines as Python's `splitlines` gives them: none for an empty text, none after a last line break. */
export function linesOf(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the separators U+001C to U+001E end lines there
  const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
