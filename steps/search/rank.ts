import { Bm25, type Bm25Options } from '../../numerics/bm25.ts';
import { fuseRankings, type Ranked } from '../../numerics/ranking.ts';
import { stem } from '../../numerics/stem.ts';
import { isStopWord } from '../../numerics/stop-words.ts';
import { phrases } from '../../numerics/words.ts';

/** URL of this module, for `pool.run`. */
export const moduleUrl = import.meta.url;

export interface KeywordTask extends Bm25Options {
  documents: readonly string[];
  queries: readonly string[];
  /** Documents for each query, at most. */
  k: number;
  /** Compare stems, so that `cards` finds `card`. */
  stem: boolean;
  /** Words such as `how` and `the` do not count in a query that has others. */
  stopWords: boolean;
}

/** Ranks documents for each query by BM25. */
export function rankByKeywords(task: KeywordTask): Ranked[][] {
  const analyse = (words: string[]) => (task.stem ? words.map(stem) : words);
  const index = new Bm25(
    task.documents.map((text) => analyse(wordsOf(text))),
    task,
  );
  return task.queries.map((text) => {
    const words = wordsOf(text);
    const telling = task.stopWords ? words.filter((word) => !isStopWord(word)) : words;
    return index.search(analyse(telling.length > 0 ? telling : words), task.k);
  });
}

function wordsOf(text: string): string[] {
  return phrases(text.toLowerCase()).flat();
}

/** A hit, with its rank in each of the lists that a hybrid one comes from. */
export interface Hit extends Ranked {
  keywordRank: number | null;
  semanticRank: number | null;
}

/** One list from two, by reciprocal rank fusion; of one list its own hits and scores. */
export function fuseHits(
  keyword: readonly Ranked[] | undefined,
  semantic: readonly Ranked[] | undefined,
  constant: number,
  k: number,
): Hit[] {
  const lists = [keyword, semantic].filter((list) => list !== undefined);
  const best = lists.length === 1 ? lists[0]!.slice(0, k) : fuseRankings(lists, constant, k);
  const rankIn = (list: readonly Ranked[] | undefined) =>
    new Map(list?.map(({ document }, place) => [document, place + 1]));
  const [keywordRanks, semanticRanks] = [rankIn(keyword), rankIn(semantic)];
  return best.map((ranked) => ({
    ...ranked,
    keywordRank: keywordRanks.get(ranked.document) ?? null,
    semanticRank: semanticRanks.get(ranked.document) ?? null,
  }));
}
