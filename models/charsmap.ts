/** Units of a Darts double array (Yata et al. 2007), as SentencePiece writes it; see darts.h for the bit layout. */
const hasLeaf = (unit: number) => ((unit >>> 8) & 1) === 1;
const resultOf = (unit: number) => unit & 0x7fffffff;
const labelOf = (unit: number) => (unit & 0x800000ff) >>> 0;
const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);

/** Text in which a grapheme cluster can be more than one code point: combining marks, joiners, jamo, flags, CR LF. */
const clusters =
  /[\p{M}\p{Cf}\p{Emoji_Modifier}\p{Regional_Indicator}\u0d4e\u0e33\u0eb3\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\u{11000}-\u{11fff}\r]/u;
const plainAscii = /^[\x20-\x7e]*$/;
const mostRemembered = 20_000;

/**
 * SentencePiece's precompiled character map: the normalisation (NFKC with additions) that a Unigram tokenizer was
 * trained with, as Hugging Face tokenizers applies it (crate `spm_precompiled`): grapheme by grapheme, the shortest
 * entry that a short grapheme starts with, else code point by code point.
 */
export class PrecompiledCharsmap {
  readonly #trie: Uint32Array;
  readonly #replacements: Buffer;
  readonly #known = new Map<string, string>();
  readonly #asciiIsPlain: boolean;
  #segmenter: Intl.Segmenter | undefined;

  /** `base64` is `precompiled_charsmap` of tokenizer.json: size of the trie, the trie, then NUL-ended replacements. */
  constructor(base64: string) {
    const bytes = Buffer.from(base64, 'base64');
    const size = bytes.length < 4 ? -1 : bytes.readUInt32LE(0);
    if (size < 4 || size % 4 !== 0 || 4 + size > bytes.length)
      throw new RangeError('precompiled_charsmap is damaged: its trie is longer than the data');
    this.#trie = new Uint32Array(Uint8Array.from(bytes.subarray(4, 4 + size)).buffer);
    this.#replacements = bytes.subarray(4 + size);
    this.#asciiIsPlain = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).every(
      (character) => this.#lookUp(character) === undefined,
    );
  }

  normalize(text: string): string {
    if (this.#asciiIsPlain && plainAscii.test(text)) return text;
    let result = '';
    if (!clusters.test(text)) {
      for (const character of text) result += this.#grapheme(character);
      return result;
    }
    this.#segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
    for (const { segment } of this.#segmenter.segment(text)) result += this.#grapheme(segment);
    return result;
  }

  #grapheme(grapheme: string): string {
    const known = this.#known.get(grapheme);
    if (known !== undefined) return known;
    const short = Buffer.byteLength(grapheme) < 6;
    const whole = short ? this.#lookUp(grapheme) : undefined;
    const result =
      whole ?? Array.from(grapheme, (character) => this.#lookUp(character) ?? character).join('');
    if (this.#known.size < mostRemembered) this.#known.set(grapheme, result);
    return result;
  }

  /** Replacement of the shortest prefix that the trie holds. */
  #lookUp(text: string): string | undefined {
    const trie = this.#trie;
    let position = offsetOf(trie[0]!);
    for (const byte of Buffer.from(text)) {
      if (byte === 0) return undefined;
      position ^= byte;
      const unit = trie[position];
      if (unit === undefined || labelOf(unit) !== byte) return undefined;
      position ^= offsetOf(unit);
      if (!hasLeaf(unit)) continue;
      const start = resultOf(trie[position]!);
      const end = this.#replacements.indexOf(0, start);
      return this.#replacements.toString('utf8', start, end < 0 ? undefined : end);
    }
    return undefined;
  }
}
