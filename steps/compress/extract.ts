import type { WordScores } from './informativeness.ts';
import { markSentences, markWords } from './marking.ts';
import { type Piece, piecesOf } from './pieces.ts';
import { type Preserved, protectedSpans } from './protected-spans.ts';
import { type Layout, layOut, render } from './render.ts';

export interface ExtractOptions {
  /** Share of the text to keep, in what `count` counts; or how much of it. */
  rate?: number;
  target?: number;
  /** What is left out whole. */
  level: 'word' | 'phrase' | 'sentence';
  preserve: readonly Preserved[];
  force: readonly string[];
  scores: WordScores;
  isName(word: string): boolean;
  count(text: string): number;
}

/** As near as this to the rate, units stay whole. */
const wholeUnits = 0.01;

/**
 * Leaves out what says least until the text is as short as asked, and changes nothing else: an ordering of all units (the most
 * informative first; equals so that they lie evenly over the text) is cut where the written text comes nearest to the length asked for. Where a
 * whole phrase or sentence is too coarse, the one at the cut is taken word by word.
 */
export function extract(text: string, options: ExtractOptions): string {
  const { count } = options;
  const all = count(text);
  const target = options.target ?? Math.round((options.rate ?? 1) * all * 1e6) / 1e6;
  if (target >= all) return text;
  const pieces = piecesOf(
    text,
    protectedSpans(text, options.preserve, options.force),
    options.preserve.includes('numbers'),
  );
  markSentences(text, pieces);
  markWords(text, pieces, options.preserve, options.isName);
  const words = pieces.flatMap(({ kind }, index) => (kind === 'word' ? [index] : []));
  if (words.length === 0) return text;
  const scores = options.scores(words.map((index) => text.slice(pieces[index]!.start, pieces[index]!.end)));
  const scoreOf = new Map(words.map((index, at) => [index, scores[at]!]));
  const byScore = (members: readonly number[]) => ranked(members, (index) => scoreOf.get(index)!);
  const units =
    options.level === 'word'
      ? byScore(words).map((index) => [index])
      : ranked(groups(words, pieces, options.level), (members) => mean(members, scoreOf));

  const layout = layOut(text, pieces);
  const keep = new Uint8Array(pieces.length);
  const whole = nearest(layout, keep, units, target, count);
  if (options.level === 'word' || Math.abs(whole.length - target) <= wholeUnits * all) return whole.text;
  // The unit at the cut, word by word, over those that fit whole.
  keep.fill(0);
  for (const members of units.slice(0, whole.below)) for (const index of members) keep[index] = 1;
  const cut = byScore(units[whole.below] ?? []).map((index) => [index]);
  return nearest(layout, keep, cut, target, count).text;
}

/** The items by their score, the greatest first; of equals any number from the first on lies evenly over all of them. */
function ranked<T>(items: readonly T[], score: (item: T) => number): T[] {
  const sorted = items
    .map((item, place) => ({ item, place, score: score(item) }))
    .sort((a, b) => b.score - a.score || a.place - b.place);
  const order: T[] = [];
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1;
    while (end < sorted.length && sorted[end]!.score === sorted[start]!.score) end++;
    for (const index of evenly(end - start)) order.push(sorted[start + index]!.item);
    start = end;
  }
  return order;
}

/** All whole numbers below `n` in the order of van der Corput's sequence: by their bits, the other way round. */
function* evenly(n: number): Generator<number> {
  const bits = 32 - Math.clz32(n - 1);
  for (let at = 0; at < 2 ** bits; at++) {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit++) if (at & (1 << bit)) reversed |= 1 << (bits - 1 - bit);
    if (reversed < n) yield reversed;
  }
}

/** Words by the phrase or the sentence that they stand in. */
function groups(
  words: readonly number[],
  pieces: readonly Piece[],
  level: 'phrase' | 'sentence',
): number[][] {
  const found = new Map<number, number[]>();
  for (const index of words) {
    const key = pieces[index]![level];
    const members = found.get(key);
    if (members === undefined) found.set(key, [index]);
    else members.push(index);
  }
  return [...found.values()];
}

function mean(members: readonly number[], scoreOf: ReadonlyMap<number, number>): number {
  return members.reduce((sum, index) => sum + scoreOf.get(index)!, 0) / members.length;
}

/**
 * The text with the first so many units that is nearest to the target; of two as near, the shorter one. `keep`: what is
 * kept besides. `below`: units, at most, with which the text is no longer than the target.
 */
function nearest(
  layout: Layout,
  keep: Uint8Array,
  units: readonly (readonly number[])[],
  target: number,
  count: (text: string) => number,
): { text: string; length: number; below: number } {
  const at = (taken: number) => {
    const own = Uint8Array.from(keep);
    for (const members of units.slice(0, taken)) for (const index of members) own[index] = 1;
    const text = render(layout, own);
    return { text, length: count(text) };
  };
  let low = 0;
  let high = units.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (at(middle).length <= target) low = middle;
    else high = middle - 1;
  }
  // Something is left of every text.
  if (low === 0 && units.length > 0 && at(0).text.trim() === '') return { ...at(1), below: 0 };
  const shorter = at(low);
  if (low === units.length) return { ...shorter, below: low };
  const longer = at(low + 1);
  const best = longer.length - target < target - shorter.length ? longer : shorter;
  return { ...best, below: low };
}
