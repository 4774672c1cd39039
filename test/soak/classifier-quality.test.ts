import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../engine/execute/pool.ts';
import { Encoder } from '../../models/encoder.ts';
import { readEncoderSettings } from '../../models/encoder-folder.ts';
import { createModelResolver } from '../../models/resolver.ts';
import { fitSoftmax, type SoftmaxFit, softmaxRows } from '../../numerics/softmax-regression.ts';

/** The folder with banking77 and clinc150, whose tests we do not carry along. */
const folder = [
  process.env['REPRISE_DATASETS'],
  resolve(import.meta.dirname, '../../../shared/datasets'),
].find((path) => path !== undefined && existsSync(join(path, 'clinc150/test.jsonl')));

const workers = new WorkerPool();
const pool = workers.forStep(new AbortController().signal);
afterAll(() => workers.close());

describe.skipIf(folder === undefined)(
  folder === undefined
    ? 'skipped: set REPRISE_DATASETS to a folder with banking77 and clinc150'
    : 'softmax heads on MiniLM',
  () => {
    it('banking77: accuracy of at least 0.929', async () => {
      const [train, test] = [await read('banking77/train'), await read('banking77/test')];
      const { labels, fit } = await learn(train);
      const right = test.labels.filter((label, row) => label === labels[decide(fit, test.vectors, row).best]);
      expect(right.length / test.labels.length).toBeGreaterThanOrEqual(0.929);
    });

    it('clinc150: accuracy in scope of at least 0.954, AUROC out of scope of at least 0.960', async () => {
      const [train, test] = [await read('clinc150/train'), await read('clinc150/test')];
      const { labels, fit } = await learn(train);
      let right = 0;
      const inside: number[] = [];
      const outside: number[] = [];
      test.labels.forEach((label, row) => {
        const { best, confidence } = decide(fit, test.vectors, row);
        (label === 'oos' ? outside : inside).push(1 - confidence);
        if (label === labels[best]) right++;
      });
      expect(right / inside.length).toBeGreaterThanOrEqual(0.954);
      let above = 0;
      for (const out of outside) for (const own of inside) above += out > own ? 1 : out === own ? 0.5 : 0;
      expect(above / inside.length / outside.length).toBeGreaterThanOrEqual(0.96);
    });
  },
);

interface Data {
  labels: string[];
  vectors: { data: Float32Array; rows: number; columns: number };
}

async function read(name: string): Promise<Data> {
  const rows = readFileSync(join(folder!, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { text: string; label: string });
  const model = createModelResolver({ root: import.meta.dirname }).find('all-minilm-l6-v2')!;
  const encoder = await Encoder.open(model.folder, readEncoderSettings(model.folder, model.files));
  const options = { maxTokens: 256, normalize: true, dimensions: null };
  const data = new Float32Array(rows.length * 384);
  for (let start = 0; start < rows.length; start += 512) {
    const texts = rows.slice(start, start + 512).map((row) => row.text);
    data.set((await encoder.encode(texts, options)).vectors, start * 384);
  }
  await encoder.close();
  return { labels: rows.map((row) => row.label), vectors: { data, rows: rows.length, columns: 384 } };
}

/** A head of the classes in scope, with C = 10. */
async function learn({ labels: all, vectors }: Data): Promise<{ labels: string[]; fit: SoftmaxFit }> {
  const rows = [...all.keys()].filter((row) => all[row] !== 'oos');
  const labels = [...new Set(rows.map((row) => all[row]!))].sort();
  const data = new Float32Array(rows.length * vectors.columns);
  rows.forEach((row, at) => {
    data.set(vectors.data.subarray(row * 384, (row + 1) * 384), at * 384);
  });
  const classes = Int32Array.from(rows, (row) => labels.indexOf(all[row]!));
  const known = softmaxRows({ data, rows: rows.length, columns: 384 }, classes);
  const options = { C: 10, maxIterations: 1000, tolerance: 1e-4 };
  return { labels, fit: await fitSoftmax(known, labels.length, pool, options) };
}

function decide({ weights, intercepts }: SoftmaxFit, vectors: Data['vectors'], row: number) {
  const scores = [...intercepts].map((intercept, own) => {
    let sum = intercept;
    for (let i = 0; i < 384; i++) sum += weights.data[own * 384 + i]! * vectors.data[row * 384 + i]!;
    return sum;
  });
  const most = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - most), 0);
  return { best: scores.indexOf(most), confidence: 1 / total };
}
