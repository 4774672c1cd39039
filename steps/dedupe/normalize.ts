/** What does not count when two texts are compared. */
export interface Normalization {
  /** Unicode normalisation form; NFC makes composed and decomposed letters equal, NFKC also ﬁ and fi, ½ and 1⁄2. */
  unicode: 'none' | 'NFC' | 'NFKC';
  lowercase: boolean;
  /** Runs of white space are one space; none at the ends. */
  whitespace: boolean;
  /** Punctuation is white space. */
  punctuation: boolean;
  /** Accents and other combining marks are dropped. */
  diacritics: boolean;
  /** Every run of digits is the same. */
  numbers: boolean;
}

/** Unicode's punctuation and the ASCII symbols that Python's `string.punctuation` counts as such. */
const punctuation = /[\p{P}$+<=>^`|~]/gu;
/**
 * White space that is not one plain space: runs of it, and the other kinds. White space is what Python's `str.split`
 * takes for it: JavaScript's, the ASCII separators and NEL.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the separators U+001C to U+001F are white space here
const whitespace = /[\s\x1c-\x1f\x85]{2,}|[^\S ]|[\x1c-\x1f\x85]/g;

/**
 * A text in the form in which it is compared. The steps and their order are those of datatrove's `simplify_text`
 * (Hugging Face). A text of which nothing would be left (one of punctuation only, say) is compared as it stands.
 */
export function normalize(text: string, options: Normalization): string {
  let form = text;
  if (options.unicode !== 'none') form = form.normalize(options.unicode);
  if (options.lowercase) form = form.toLowerCase();
  if (options.numbers) form = form.replace(/\p{Nd}+/gu, '0');
  if (options.punctuation) form = form.replace(punctuation, ' ');
  if (options.diacritics) form = form.normalize('NFD').replace(/\p{Mn}/gu, '');
  if (options.whitespace) form = form.replace(whitespace, ' ').trim();
  return form === '' ? text : form;
}
