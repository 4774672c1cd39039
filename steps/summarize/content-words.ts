import { stem } from '../../numerics/stem.ts';
import { isStopWord } from '../../numerics/stop-words.ts';
import { phrases } from '../../numerics/words.ts';

/** A word that says something, with the small words that belong to it: top up, not working. */
export interface ContentWord {
  form: string;
  stem: string;
}

/** Stop words that make one word of a verb before them, where they often follow it. */
const particles = new Set(['up', 'ups', 'off', 'out', 'down']);
/** How often a particle must follow a word, as a share of the word's occurrences, to count as a part of it. */
const boundShare = 0.3;
/** Stop words, at most, that may stand between two words in a row: `activate my card`. */
const widestGap = 2;
const negations = new Set([
  ...['not', 'не', "ain't", "can't", "couldn't", "didn't", "doesn't", "don't", "hadn't", "hasn't", "haven't"],
  ...["isn't", "wasn't", "weren't", "aren't", "won't", "wouldn't"],
]);
/** Words after which a noun comes before the verb that is negated: isn't my card working. */
const determiners = new Set(['a', 'my', 'our', 'the', 'this', 'your']);

/** Finds the content words of texts; `read` must first see all texts once. */
export class ContentWords {
  readonly #extraStops: ReadonlySet<string>;
  /** How often each stem stands alone, and how often before a particle. */
  readonly #alone = new Map<string, number>();
  readonly #followed = new Map<string, number>();

  constructor(texts: Iterable<string>, extraStops: readonly string[]) {
    this.#extraStops = new Set(extraStops.map((word) => word.toLowerCase()));
    for (const text of texts) {
      for (const phrase of phrases(text)) {
        phrase.forEach((word, at) => {
          const key = stem(plain(word));
          const counts = isParticle(phrase[at + 1]) ? this.#followed : this.#alone;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        });
      }
    }
  }

  /** Runs of content words that stand in a row, with a few stop words between them at most. */
  *runs(phrase: readonly string[]): Generator<ContentWord[]> {
    let run: ContentWord[] = [];
    let gap = 0;
    let negation = '';
    let beforeNoun = false;
    for (let at = 0; at < phrase.length; at++) {
      let form = plain(phrase[at]!);
      if (negations.has(form)) {
        negation = form === 'не' ? 'не' : 'not';
        beforeNoun = false;
      } else if (determiners.has(form)) beforeNoun = true;
      if (this.#isStop(form)) {
        if (++gap > widestGap && run.length > 0) {
          yield run;
          run = [];
        }
        continue;
      }
      let key = stem(form);
      const next = phrase[at + 1];
      if (isParticle(next) && this.#takesParticle(key)) {
        form = `${form} ${plain(next)}`;
        key += '+';
        at++;
      }
      if (negation !== '' && !beforeNoun) {
        form = `${negation} ${form}`;
        key = `-${key}`;
        negation = '';
      }
      beforeNoun = false;
      run.push({ form, stem: key });
      gap = 0;
    }
    if (run.length > 0) yield run;
  }

  #isStop(form: string): boolean {
    return (
      isStopWord(form) ||
      this.#extraStops.has(form) ||
      // Numbers, and single letters of scripts in which those are no words.
      !/\p{L}/u.test(form) ||
      /^[\p{sc=Latin}\p{sc=Cyrillic}\p{sc=Greek}]$/u.test(form)
    );
  }

  #takesParticle(key: string): boolean {
    const followed = this.#followed.get(key) ?? 0;
    return followed >= 3 && followed >= boundShare * (followed + (this.#alone.get(key) ?? 0));
  }
}

/** In lower case, with a straight apostrophe, without a possessive s. */
export function plain(word: string): string {
  return word.toLowerCase().replace('’', "'").replace(/'s$/, '');
}

function isParticle(word: string | undefined): word is string {
  return word !== undefined && particles.has(plain(word));
}
