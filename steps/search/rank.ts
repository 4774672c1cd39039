import { type AnalysedLanguage, analyserOf } from '../../numerics/analyser.ts';
import { Bm25, type Bm25Options } from '../../numerics/bm25.ts';
import { type ExpansionOptions, expandedQuery, type WeightedWord } from '../../numerics/query-expansion.ts';
import { fuseRankings, fuseScores, type Ranked } from '../../numerics/ranking.ts';
import { phrases } from '../../numerics/words.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

export interface KeywordTask extends Bm25Options {
  documents: readonly string[];
  queries: readonly string[];
  /** Documents for each query, at most. */
  k: number;
  /** Whose stems and stop words; `auto` if not given. */
  language?: AnalysedLanguage;
  /** Compare stems, so that `cards` finds `card`. */
  stem: boolean;
  /** Words such as `how` and `the` do not count in a query that has others. */
  stopWords: boolean;
  /** Searches again with words of the first hits. */
  expand?: ExpansionOptions;
}

export interface KeywordHits {
  found: Ranked[][];
  /** Of each query the words that were added to it, as a text says them, the heaviest first; with `expand` only. */
  added?: WeightedWord[][];
}

/** Ranks documents for each query by BM25. */
export function rankByKeywords(task: KeywordTask): KeywordHits {
  const { stem, isStopWord } = analyserOf(task.language ?? 'auto');
  const analyse = (words: string[]) => (task.stem ? words.map(stem) : words);
  const telling = (words: string[]) => (task.stopWords ? words.filter((word) => !isStopWord(word)) : words);
  const index = new Bm25(
    analysed(task.documents, (text) => analyse(wordsOf(text))),
    task,
  );
  const queries = task.queries.map((text) => {
    const words = wordsOf(text);
    const left = telling(words);
    return analyse(left.length > 0 ? left : words);
  });
  const { expand } = task;
  if (expand === undefined) return { found: queries.map((query) => index.search(query, task.k)) };
  const hits: Required<KeywordHits> = { found: [], added: [] };
  for (const query of queries) {
    const first = index.search(query, expand.documents);
    const texts = first.map(({ document }) => telling(wordsOf(task.documents[document]!)));
    const { own, added } = expandedQuery(query, texts.map(analyse), index, expand);
    const words = [...own, ...added];
    hits.found.push(
      index.search(
        words.map(({ word }) => word),
        task.k,
        words.map(({ weight }) => weight),
      ),
    );
    const spelt = task.stem ? commonestForms(texts.flat(), stem) : undefined;
    hits.added.push(added.map(({ word, weight }) => ({ word: spelt?.get(word) ?? word, weight })));
  }
  return hits;
}

/** One text at a time: the words of all would take several times their memory. */
function* analysed(texts: readonly string[], analyse: (text: string) => string[]): Generator<string[]> {
  for (const text of texts) yield analyse(text);
}

function wordsOf(text: string): string[] {
  return phrases(text.toLowerCase()).flat();
}

/** Of each stem the word that is met most often; of equals the first. */
function commonestForms(words: readonly string[], stem: (word: string) => string): Map<string, string> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const forms = new Map<string, string>();
  for (const [word, count] of counts) {
    const known = forms.get(stem(word));
    if (known === undefined || count > counts.get(known)!) forms.set(stem(word), word);
  }
  return forms;
}

/** A hit, with its rank in each of the lists that a hybrid one comes from. */
export interface Hit extends Ranked {
  keywordRank: number | null;
  semanticRank: number | null;
}

/** How two lists become one: by reciprocal ranks with this constant, or by scores, with alpha the weight of the semantic ones. */
export type Fusion = { rrf_k: number } | { alpha: number };

/** One list from two; of one list its own hits and scores. */
export function fuseHits(
  keyword: readonly Ranked[] | undefined,
  semantic: readonly Ranked[] | undefined,
  fusion: Fusion,
  k: number,
): Hit[] {
  const best =
    keyword === undefined || semantic === undefined
      ? (keyword ?? semantic ?? []).slice(0, k)
      : 'alpha' in fusion
        ? fuseScores([keyword, semantic], [1 - fusion.alpha, fusion.alpha], k)
        : fuseRankings([keyword, semantic], fusion.rrf_k, k);
  const rankIn = (list: readonly Ranked[] | undefined) =>
    new Map(list?.map(({ document }, place) => [document, place + 1]));
  const [keywordRanks, semanticRanks] = [rankIn(keyword), rankIn(semantic)];
  return best.map((ranked) => ({
    ...ranked,
    keywordRank: keywordRanks.get(ranked.document) ?? null,
    semanticRank: semanticRanks.get(ranked.document) ?? null,
  }));
}
