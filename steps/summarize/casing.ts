import { phrases } from '../../numerics/words.ts';
import { plain } from './content-words.ts';

/** How words are written inside texts, where a capital is not due to the place: ATM, Google. */
export class Casing {
  readonly #forms = new Map<string, Map<string, number>>();

  constructor(texts: Iterable<string>) {
    for (const text of texts) {
      for (const phrase of phrases(text)) {
        for (const word of phrase.slice(1))
          this.#see(plain(word), word.replace('’', "'").replace(/'s$/i, ''));
      }
    }
  }

  /** A term, given in lower case, as it is mostly written. */
  restore(term: string): string {
    return term.replaceAll(/[\p{L}\p{N}\p{M}']+/gu, (word) => {
      const forms = this.#forms.get(word);
      return forms ? mostFrequent(forms) : word;
    });
  }

  #see(word: string, written: string): void {
    const forms = this.#forms.get(word) ?? new Map<string, number>();
    this.#forms.set(word, forms.set(written, (forms.get(written) ?? 0) + 1));
  }
}

/** The key with the highest count; of equals the one that comes first in code unit order. */
export function mostFrequent(counts: ReadonlyMap<string, number>): string {
  let best = '';
  let most = 0;
  for (const [key, count] of counts) {
    if (count > most || (count === most && key < best)) {
      best = key;
      most = count;
    }
  }
  return best;
}
