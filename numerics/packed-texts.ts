/** Texts in memory that threads share. */
export interface PackedTexts {
  /** UTF-16 code units of all texts, one after the other. */
  units: Uint16Array;
  /** Where each text starts in `units`, and where the last one ends: one number more than there are texts. */
  starts: Float64Array;
}

/** Copies texts into memory that threads share: 2 bytes a UTF-16 unit and 8 a text. */
export function packTexts(texts: readonly string[]): PackedTexts {
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  const units = new Uint16Array(new SharedArrayBuffer(2 * total));
  const starts = new Float64Array(new SharedArrayBuffer(8 * (texts.length + 1)));
  let at = 0;
  texts.forEach((text, index) => {
    starts[index] = at;
    for (let unit = 0; unit < text.length; unit++) units[at++] = text.charCodeAt(unit);
  });
  starts[texts.length] = at;
  return { units, starts };
}
