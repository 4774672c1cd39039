/** A word with its marks and inner apostrophes (don't, l'eau), or the punctuation that ends a phrase. */
const pieces =
  /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’][\p{L}\p{M}]+)*|[.,;:!?…()[\]{}"«»“”\n。、，！？；：]+/gu;
const wordStart = /^[\p{L}\p{N}]/u;
/** Scripts that put no spaces between words. */
const unspaced =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
let segmenter: Intl.Segmenter | undefined;

/**
 * Words of a text as they are written, phrase by phrase: a phrase ends at punctuation. Words of scripts without
 * spaces are found by the dictionaries of `Intl.Segmenter`; for all else a regular expression does, six times faster.
 */
export function phrases(text: string): string[][] {
  const found: string[][] = [];
  let phrase: string[] = [];
  for (const [piece] of text.normalize('NFC').matchAll(pieces)) {
    if (!wordStart.test(piece)) {
      if (phrase.length > 0) found.push(phrase);
      phrase = [];
    } else if (unspaced.test(piece)) {
      segmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
      for (const { segment, isWordLike } of segmenter.segment(piece)) if (isWordLike) phrase.push(segment);
    } else phrase.push(piece);
  }
  if (phrase.length > 0) found.push(phrase);
  return found;
}

/** Puts words side by side as their script does: without a space between two Chinese ones. */
export function join(words: readonly string[]): string {
  let text = '';
  for (const word of words) {
    const spaced = text !== '' && !(unspaced.test(text.at(-1)!) && unspaced.test(word[0]!));
    text += spaced ? ` ${word}` : word;
  }
  return text;
}
