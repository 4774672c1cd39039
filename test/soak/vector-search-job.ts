/** `node vector-search-job.ts write|search <folder>`: a million vectors into a store, and a search among them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../engine/digest.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import { npyHeader } from '../../engine/store/npy.ts';
import { Store } from '../../engine/store/store.ts';
import { words } from '../../numerics/random.ts';
import { DocumentVectors } from '../../steps/search/document-vectors.ts';

const [rows, columns, rowsAtOnce] = [1_000_000, 384, 10_000];
const [what, folder] = process.argv.slice(2) as [string, string];
const store = Store.open({ folder });
const place = join(folder, 'matrix.json');

/** The same numbers for the same row. */
function row(number: number): Float32Array {
  const next = words(number);
  return Float32Array.from({ length: columns }, () => next() / 2 ** 31 - 1);
}

async function* file(): AsyncGenerator<Uint8Array> {
  yield npyHeader(rows, columns);
  for (let first = 0; first < rows; first += rowsAtOnce) {
    const block = new Float32Array(rowsAtOnce * columns);
    for (let index = 0; index < rowsAtOnce; index++) block.set(row(first + index), index * columns);
    yield new Uint8Array(block.buffer);
  }
}

if (what === 'write') {
  const { digest, bytes } = await store.put(file());
  await store.sync();
  const artefact = { kind: 'matrix', digest, blob: digest, rows, columns, bytes, ids: digestOf('') };
  writeFileSync(place, JSON.stringify(artefact));
} else {
  const input = store.readMatrix(JSON.parse(readFileSync(place, 'utf8')));
  const pool = new WorkerPool({ threads: 1 });
  const wanted = [0, 123_456, 999_999];
  const data = new Float32Array(wanted.length * columns);
  wanted.forEach((number, query) => void data.set(row(number), query * columns));
  const vectors = await DocumentVectors.open(input, null, pool.forStep(new AbortController().signal));
  const queries = { data, rows: wanted.length, columns };
  const { found } = await vectors.nearest(queries, 10, { index: 'auto', recall: 0.96 });
  await pool.close();
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(JSON.stringify({ nearest: found.map((hits) => hits[0]?.document), peakMiB }));
}
