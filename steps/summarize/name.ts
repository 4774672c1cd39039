import { type Coherence, topicCoherence } from '../../numerics/topic-coherence.ts';
import { diverseTerms } from './diverse-terms.ts';
import { clusterTerms, type Term, type TermOptions } from './terms.ts';

/** Where worker threads find the functions of this module. */
export const moduleUrl = import.meta.url;

export interface ClusterName {
  name: string;
  keywords: string[];
  /** How far the keywords occur together in texts; NaN of fewer than two. */
  coherence: Coherence;
}

/** Terms of a cluster that are looked at. */
const candidates = 60;

/**
 * A name, different from all others, and keywords for each cluster. Clusters without any word are named by their
 * number in `numbers`.
 */
export function nameClusters(
  options: Omit<TermOptions, 'limit'> & {
    nameTerms: number;
    keywords: number;
    /** 0 takes the heaviest keywords, 1 looks at their unlikeness only. */
    diversity: number;
    numbers: readonly number[];
  },
): ClusterName[] {
  const sizes = new Int32Array(options.k);
  for (const cluster of options.clusters) sizes[cluster]!++;
  const { terms, table } = clusterTerms({ ...options, limit: Math.max(candidates, 3 * options.keywords) });
  const choose = (cluster: number, count: number, least: readonly number[]) =>
    nameOf(chooseNameTerms(terms[cluster]!, sizes[cluster]!, count, least));
  const names = terms.map((_, cluster) => choose(cluster, options.nameTerms, leastShare));
  // Clusters of one name get a further word; should they still be alike, their number.
  for (const extra of [1, 2]) {
    for (const cluster of repeated(names)) names[cluster] = choose(cluster, options.nameTerms + extra, []);
  }
  for (const cluster of repeated(names))
    names[cluster] = `${names[cluster] || 'Cluster'} ${options.numbers[cluster]}`;
  const chosen = terms.map((own) => diverseTerms(withoutRepeats(own), options.keywords, options.diversity));
  const textsOf = table.textsOf(chosen.flat().map(({ term }) => term));
  return names.map((name, cluster) => ({
    name: name || `Cluster ${options.numbers[cluster]}`,
    keywords: chosen[cluster]!.map(({ text }) => text),
    coherence: topicCoherence(
      chosen[cluster]!.map(({ term }) => textsOf.get(term)!),
      options.texts.length,
    ),
  }));
}

/** Indices of the names that occur more than once. */
function repeated(names: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...names.keys()].filter((index) => counts.get(names[index]!)! > 1);
}

/** How much more two words say than one, when both weigh the same; three a little more yet. */
const bonus = [0, 1, 1.6, 1.8];
/** A longer term takes the place of words of it that were chosen if so many of their texts have it. */
const longerShare = [0, 0, 0.25, 0.45];
/** A further term must score so much of what the first one does; less if that is a single word. */
const leastShare = [0, 0.12, 0.2, 0.25];

/**
 * The terms that name a cluster, at most `count`: heavy in c-TF-IDF, in many of its texts, rather some words than
 * one, and none that repeats a word of another.
 */
export function chooseNameTerms(
  terms: readonly Term[],
  size: number,
  count: number,
  least: readonly number[] = leastShare,
): Term[] {
  const score = (term: Term) =>
    term.weight * Math.sqrt(term.texts.length / size) * (bonus[term.stems.length] ?? bonus.at(-1)!);
  const ranked = terms.toSorted((a, b) => score(b) - score(a));
  const extend = (chosen: Term[]): Term[] => {
    for (const term of ranked) {
      const rivals = chosen.filter((other) => related(term, other));
      if (rivals.length > 0) {
        if (!rivals.every((rival) => widens(term, rival))) continue;
        chosen[chosen.indexOf(rivals[0]!)] = term;
        for (const rival of rivals.slice(1)) chosen.splice(chosen.indexOf(rival), 1);
      } else if (chosen.length < count) {
        const first = chosen[0];
        if (!first || score(term) >= (least[first.stems.length] ?? least.at(-1) ?? 0) * score(first))
          chosen.push(term);
      }
    }
    return chosen;
  };
  const chosen = extend([]);
  const joined = joinWords(chosen, ranked);
  return joined === chosen ? chosen : extend(joined);
}

/** Two chosen words become one term if they are mostly side by side where the rarer one is: transfer, failed. */
function joinWords(chosen: Term[], ranked: readonly Term[]): Term[] {
  for (const pair of ranked) {
    if (pair.stems.length !== 2) continue;
    const words = chosen.filter((term) => term.stems.length === 1 && pair.stems.includes(term.stems[0]!));
    if (words.length === 2 && pair.texts.length >= 0.5 * Math.min(...words.map((word) => word.texts.length)))
      return chosen.flatMap((term) => (term === words[0] ? [pair] : term === words[1] ? [] : [term]));
  }
  return chosen;
}

/** Whether a term holds all words of another one and more, in enough of its texts. */
function widens(term: Term, other: Term): boolean {
  return (
    term.stems.length > other.stems.length &&
    other.stems.every((stem) => term.stems.includes(stem)) &&
    term.texts.length >= (longerShare[term.stems.length] ?? 1) * other.texts.length
  );
}

/** Whether two terms have a word in common, or words of one family (verify, verification). */
function related(a: Term, b: Term): boolean {
  return a.stems.some((left) => b.stems.some((right) => kindred(left, right)));
}

function kindred(a: string, b: string): boolean {
  const [left, right] = [a.replace(/^-/, ''), b.replace(/^-/, '')];
  const shorter = Math.min(left.length, right.length);
  let same = 0;
  while (same < shorter && left[same] === right[same]) same++;
  return same === shorter ? left === right || same >= 4 : same >= 5 && same >= 0.7 * shorter;
}

/** Leaves out terms that hardly occur but in a longer one of the list: `exchange` beside `exchange rate`. */
export function withoutRepeats(terms: readonly Term[]): Term[] {
  const within = (term: Term, longer: Term) =>
    longer.stems.length > term.stems.length &&
    term.stems.every((stem) => longer.stems.includes(stem)) &&
    longer.texts.length >= 0.8 * term.texts.length;
  return terms.filter((term) => !terms.some((other) => within(term, other)));
}

/** The name of a cluster: its terms side by side, the first letter large. */
export function nameOf(terms: readonly Term[]): string {
  const name = terms.map((term) => term.text).join(' · ');
  return name.charAt(0).toUpperCase() + name.slice(1);
}
