/**
 * MinHash de-duplication beside rensa and datasketch: the same texts, 128 values, shingles of 5 characters, Jaccard 0.7.
 *
 *   python3 -m venv bench/.work/peers/python
 *   bench/.work/peers/python/bin/pip install rensa datasketch
 *   node bench/dedupe.ts --rows 20000 --rounds 5
 *
 * Texts are made of words in Zipf's proportions, a fifth of them copies with a small change. The sides take turns. Ours is timed
 * from the texts to the groups, with its threads started anew each time; the peers without their imports. Without the Python packages only our half runs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WorkerPool } from '../engine/execute/pool.ts';
import { indexTexts, linkedPairs } from '../numerics/near-texts.ts';
import { packTexts } from '../numerics/packed-texts.ts';
import { uniform } from '../numerics/random.ts';
import { UnionFind } from '../numerics/union-find.ts';
import { median } from './measure.ts';

interface Round {
  seconds: number;
  removed: number;
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    peers: { type: 'string', default: 'rensa,datasketch' },
    python: { type: 'string', default: join(import.meta.dirname, '.work/peers/python/bin/python') },
  },
});
const threshold = 0.7;
const { texts, planted } = makeTexts(Number(values.rows));
const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-'));
const file = join(folder, 'texts.json');
writeFileSync(file, JSON.stringify(texts));

const results = new Map<string, Round[]>();
for (let round = 0; round < Number(values.rounds); round++) {
  record('reprise', await ours());
  for (const peer of values.peers.split(',').filter(Boolean)) record(peer, theirs(peer));
}
rmSync(folder, { recursive: true });
console.log(
  `${texts.length} texts, ${planted} of them planted copies; Jaccard ${threshold}, 128 values, 5 characters`,
);
console.log('              seconds: median   least   most   removed');
for (const [name, rounds] of results) {
  const seconds = rounds.map((round) => round.seconds);
  const figures = [median(seconds), Math.min(...seconds), Math.max(...seconds)];
  console.log(
    `${name.padEnd(18)} ${figures.map((value) => value.toFixed(3).padStart(8)).join('')} ${String(rounds[0]!.removed).padStart(8)}`,
  );
}

function record(name: string, round: Round | undefined): void {
  if (round) results.set(name, [...(results.get(name) ?? []), round]);
}

async function ours(): Promise<Round> {
  const pool = new WorkerPool();
  const workers = pool.forStep(new AbortController().signal);
  const begin = performance.now();
  const shingling = { unit: 'char', size: 5 } as const;
  const index = await indexTexts(
    packTexts(texts),
    {
      threshold,
      measure: { kind: 'jaccard', shingling },
      shingling,
      jaccard: threshold,
      permutations: 128,
      missWeight: 0.99,
      seed: 1,
    },
    workers,
  );
  const pairs = await linkedPairs(index, Int32Array.from(texts.keys()), workers);
  const groups = new UnionFind(texts.length);
  pairs.left.forEach((text, pair) => {
    groups.union(text, pairs.right[pair]!);
  });
  const removed = texts.length - groups.count;
  const seconds = (performance.now() - begin) / 1000;
  await pool.close();
  return { seconds, removed };
}

function theirs(peer: string): Round | undefined {
  const python = existsSync(values.python) ? values.python : 'python3';
  const script = join(import.meta.dirname, 'dedupe_peers.py');
  const { status, stdout, stderr } = spawnSync(python, [script, peer, file, String(threshold)], {
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout) as Round;
  if (!results.has(peer))
    console.error(`${peer} did not run: ${stderr?.trim().split('\n').at(-1) ?? 'no Python'}`);
  return undefined;
}

function makeTexts(rows: number): { texts: string[]; planted: number } {
  const next = uniform(7);
  const words = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 2 + Math.floor(next() * 8) }, () =>
      String.fromCharCode(97 + Math.floor(next() * 26)),
    ).join(''),
  );
  const word = () => words[Math.floor(words.length ** next()) - 1]!;
  const made: string[] = [];
  let copies = 0;
  while (made.length < rows) {
    if (made.length > 0 && next() < 0.2) {
      const copy = made[Math.floor(next() * made.length)]!.split(' ');
      copy[Math.floor(next() * copy.length)] = word();
      made.push(copy.join(' '));
      copies++;
    } else made.push(Array.from({ length: 20 + Math.floor(next() * 40) }, word).join(' '));
  }
  return { texts: made, planted: copies };
}
