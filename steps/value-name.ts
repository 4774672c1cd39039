import { canonicalJson, type Json } from '../engine/json.ts';

/** Texts that JSON reads as something else: a number, true, false, null, a list, an object, another text. */
const readsAsOther = /^(?:["[{].*|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null)$/isu;

/** A value as a text, each as another: a text as it is, `"1"` and `"null"` with their quotes; all else as JSON. */
export function valueName(value: Json): string {
  return typeof value === 'string' && !readsAsOther.test(value) ? value : canonicalJson(value);
}
