/**
 * Keyword search beside bm25s: the same texts, queries, k1, b and words (no stop words, no stems), from the texts to the ten best
 * documents of each query.
 *
 *   python3 -m venv bench/.work/peers/python
 *   bench/.work/peers/python/bin/pip install bm25s
 *   node bench/search.ts --documents 20000 --queries 1000 --rounds 5
 *
 * Then what expansion finds more: of 10,003 questions one in ten asks, those of its topic are relevant; recall of the first 20.
 *
 * Texts are made of words in Zipf's proportions. The sides take turns. Ours is timed with its thread started anew each time; bm25s
 * (method lucene, numpy) without its imports. "same" is the share of queries with the same ten scores to four digits. Without the
 * Python package only our half runs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WorkerPool } from '../engine/execute/pool.ts';
import { uniform } from '../numerics/random.ts';
import { type KeywordHits, type KeywordTask, moduleUrl, rankByKeywords } from '../steps/search/rank.ts';
import { median } from './measure.ts';

interface Round {
  seconds: number;
  /** The scores of each query's hits, best first. */
  scores: number[][];
}

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '20000' },
    queries: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    python: { type: 'string', default: join(import.meta.dirname, '.work/peers/python/bin/python') },
  },
});
const vocabulary = 30_000;
const next = uniform(1);
const documents = texts(Number(values.documents), 60);
const queries = texts(Number(values.queries), 6);
const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-'));
const corpus = join(folder, 'texts.json');
writeFileSync(corpus, JSON.stringify({ documents, queries }));

const sides = new Map<string, Round[]>();
for (let round = 0; round < Number(values.rounds); round++) {
  add('reprise', await ours());
  add('bm25s', theirs());
}
rmSync(folder, { recursive: true });

console.log(`${documents.length} documents, ${queries.length} queries, medians of ${values.rounds}`);
const reference = sides.get('reprise')![0]!.scores;
for (const [side, rounds] of sides) {
  const same = rounds[0]!.scores.filter(
    (scores, query) =>
      scores.length === reference[query]!.length &&
      scores.every((score, place) => Math.abs(score - reference[query]![place]!) < 1e-4 * score),
  ).length;
  const seconds = median(rounds.map((one) => one.seconds));
  console.log(`${side.padEnd(8)} ${seconds.toFixed(3)} s   same ${(same / queries.length).toFixed(3)}`);
}

const questions = readFileSync(
  join(import.meta.dirname, '../use-cases/support-topics/data/queries.jsonl'),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { text: string; label: string });
const asking = questions.filter((_, row) => row % 10 === 0);
const answering = questions.filter((_, row) => row % 10 !== 0);
const sizes = Map.groupBy(answering, ({ label }) => label);
for (const expand of [undefined, { terms: 10, documents: 10, alpha: 1, beta: 0.75 }]) {
  const { found } = rankByKeywords({
    documents: answering.map(({ text }) => text),
    queries: asking.map(({ text }) => text),
    ...{ k: 20, stem: true, stopWords: true },
    ...(expand && { expand }),
  });
  const shares = found.map((hits, query) => {
    const { label } = asking[query]!;
    const relevant = hits.filter(({ document }) => answering[document]!.label === label).length;
    return relevant / Math.min(20, sizes.get(label)?.length ?? 1);
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  console.log(`${expand ? 'expanded' : 'as asked'} ${mean.toFixed(4)} of the relevant among the first 20`);
}

function add(side: string, round: Round | undefined): void {
  if (round) sides.set(side, [...(sides.get(side) ?? []), round]);
}

async function ours(): Promise<Round> {
  const start = performance.now();
  const pool = new WorkerPool();
  const workers = pool.forStep(new AbortController().signal);
  const task: KeywordTask = { documents, queries, k: 10, stem: false, stopWords: false, k1: 1.2, b: 0.75 };
  const { found } = await workers.run<KeywordTask, KeywordHits>(moduleUrl, 'rankByKeywords', task);
  const seconds = (performance.now() - start) / 1000;
  await pool.close();
  return { seconds, scores: found.map((hits) => hits.map((hit) => hit.score)) };
}

function theirs(): Round | undefined {
  if (!existsSync(values.python)) return undefined;
  const out = join(folder, 'found.json');
  const script = join(import.meta.dirname, 'search_bm25s.py');
  const { status, stderr } = spawnSync(values.python, [script, corpus, out], { encoding: 'utf8' });
  if (status === 0) return JSON.parse(readFileSync(out, 'utf8')) as Round;
  console.error(`bm25s: ${stderr?.trim().split('\n').at(-1) ?? 'no such program'}`);
  return undefined;
}

/** Texts of up to twice the mean number of words; the word of rank r is about 1/r as frequent as the first. */
function texts(count: number, mean: number): string[] {
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + Math.floor(next() * 2 * mean) }, () => {
      const rank = Math.floor(vocabulary ** next());
      return `w${rank.toString(36)}x`;
    }).join(' '),
  );
}
