/**
 * Nearest vectors beside faiss: 50,000 × 384 and 1,000 queries, the ten greatest cosines of each; all compared, and by an inverted
 * file (faiss: IVF with as many lists, and HNSW with M 16, efConstruction 200, efSearch 50). Seconds of building and of all queries.
 *
 *   bench/.work/peers/python/bin/pip install faiss-cpu
 *   node bench/vector-search.ts --rows 50000 --rounds 5
 *
 * The vectors are those of the 10,003 questions of use-cases/support-topics by all-minilm-l6-v2, and points between two of a topic
 * with noise; the queries are others of these. Recall is told against float64 cosines. The sides take turns, each with its threads.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WorkerPool } from '../engine/execute/pool.ts';
import { Encoder } from '../models/encoder.ts';
import { readEncoderSettings } from '../models/encoder-folder.ts';
import { exactSearch, exactSearchInParts } from '../numerics/exact-search.ts';
import { ivfSearch } from '../numerics/ivf-search.ts';
import { gaussians, sampleIndices, uniform } from '../numerics/random.ts';
import type { Ranked } from '../numerics/ranking.ts';
import { gatherRows, normalized } from '../numerics/vectors.ts';
import { median } from './measure.ts';

interface Round {
  build: number;
  search: number;
  recall: number;
  note?: string;
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '50000' },
    queries: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    python: { type: 'string', default: join(import.meta.dirname, '.work/peers/python/bin/python') },
  },
});
const k = 10;
const wanted = Number(values.queries);
const grown = await grownVectors(Number(values.rows) + wanted);
const chosen = new Set(sampleIndices(grown.rows, wanted, 5));
const queries = gatherRows(grown, [...chosen]);
const documents = gatherRows(
  grown,
  Array.from({ length: grown.rows }, (_, row) => row).filter((row) => !chosen.has(row)),
);
const exact = await exactSearch({ queries, documents, k });
const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-'));
writeFileSync(join(folder, 'queries.f32'), queries.data);
writeFileSync(join(folder, 'documents.f32'), documents.data);
writeFileSync(
  join(folder, 'exact.json'),
  JSON.stringify(exact.map((hits) => hits.map((hit) => hit.document))),
);

const pool = new WorkerPool();
const workers = pool.forStep(new AbortController().signal);
const sides = new Map<string, Round[]>();
for (let round = 0; round < Number(values.rounds); round++) {
  add('reprise exact', await exactRound());
  add('reprise ivf', await ivfRound());
  for (const [side, theirs] of Object.entries(peerRounds())) add(`faiss ${side}`, theirs);
}
rmSync(folder, { recursive: true });
await pool.close();
console.log(`${documents.rows} × ${documents.columns}, ${queries.rows} queries, medians of ${values.rounds}`);
for (const [side, rounds] of sides) {
  const [build, search] = [median(rounds.map((one) => one.build)), median(rounds.map((one) => one.search))];
  const { recall, note } = rounds[0]!;
  console.log(
    `${side.padEnd(14)} build ${build.toFixed(2)} s   queries ${search.toFixed(2)} s   recall@${k} ${recall.toFixed(4)} ${note ?? ''}`,
  );
}

function add(side: string, round: Round): void {
  sides.set(side, [...(sides.get(side) ?? []), round]);
}

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
}

async function exactRound(): Promise<Round> {
  const { seconds, result } = await timed(() => exactSearchInParts({ queries, documents, k }, workers));
  return { build: 0, search: seconds, recall: recallOf(result) };
}

/** As the step calls it: the time to find out how many lists are enough counts as building. */
async function ivfRound(): Promise<Round> {
  const one = { documents, k, recall: 0.96, seed: 1 };
  const { seconds, result } = await timed(() => ivfSearch({ ...one, queries }));
  const known = { ...one, queries, probes: result.probes };
  const built = await timed(() => ivfSearch({ ...known, queries: gatherRows(queries, [0]) }));
  const note = `(${result.probes} of ${result.lists} lists)`;
  return { build: built.seconds, search: seconds - built.seconds, recall: recallOf(result.found), note };
}

function recallOf(found: readonly Ranked[][]): number {
  let hit = 0;
  found.forEach((hits, query) => {
    const own = new Set(exact[query]!.map(({ document }) => document));
    hit += hits.filter(({ document }) => own.has(document)).length;
  });
  return hit / (queries.rows * k);
}

function peerRounds(): Record<string, Round> {
  if (!existsSync(values.python)) return {};
  const script = join(import.meta.dirname, 'vector_search_faiss.py');
  const { status, stdout, stderr } = spawnSync(values.python, [script, folder, String(documents.columns)], {
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout) as Record<string, Round>;
  console.error(`faiss: ${stderr?.trim().split('\n').at(-1) ?? 'no such program'}`);
  return {};
}

/** Vectors of questions, and between two of the same topic with some noise. */
async function grownVectors(rows: number) {
  const root = join(import.meta.dirname, '..');
  const data = readFileSync(join(root, 'use-cases/support-topics/data/queries.jsonl'), 'utf8');
  const texts = data
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { text: string; label: string });
  const model = join(root, 'models/all-minilm-l6-v2');
  const files = readdirSync(model, { recursive: true, encoding: 'utf8' });
  const settings = readEncoderSettings(
    model,
    files.filter((file) => /\.(onnx|json)$/.test(file)),
  );
  const encoder = await Encoder.open(model, settings);
  const { vectors, dimensions: columns } = await encoder.encode(
    texts.map(({ text }) => text),
    { maxTokens: settings.maxTokens, normalize: true, dimensions: null },
  );
  await encoder.close();
  const all = new Float32Array(rows * columns);
  all.set(vectors.subarray(0, all.length));
  const topics = [...Map.groupBy(texts.keys(), (row) => texts[row]!.label).values()];
  const next = uniform(1);
  const any = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!;
  for (let row = texts.length; row < rows; row++) {
    const topic = any(topics);
    const [one, other, share] = [any(topic) * columns, any(topic) * columns, next()];
    const noise = gaussians(columns, row);
    for (let column = 0; column < columns; column++)
      all[row * columns + column] =
        share * vectors[one + column]! + (1 - share) * vectors[other + column]! + 0.02 * noise[column]!;
  }
  return normalized({ data: all, rows, columns });
}
