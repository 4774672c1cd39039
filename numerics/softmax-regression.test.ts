import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../engine/execute/pool.ts';
import { fitSoftmax, type SoftmaxFit, softmaxRows } from './softmax-regression.ts';

interface Fixture {
  x: number[];
  y: number[];
  test: number[];
  columns: number;
  plain: Expected;
  weak: Expected;
  balanced: Expected;
}
interface Expected {
  C: number;
  probabilities: number[];
}

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures/logistic-regression.json'), 'utf8'),
) as Fixture;
const { columns } = fixture;
const vectors = { data: Float32Array.from(fixture.x), rows: fixture.y.length, columns };
const classes = Int32Array.from(fixture.y);
const workers = new WorkerPool({ threads: 2 });
const pool = workers.forStep(new AbortController().signal);
afterAll(() => workers.close());

describe('fitSoftmax', () => {
  it.each(['plain', 'weak', 'balanced'] as const)(
    'gives the probabilities of scikit-learn: %s',
    async (name) => {
      const sizes = [40, 20, 10];
      const weights =
        name === 'balanced' ? Float64Array.from(classes, (own) => 70 / 3 / sizes[own]!) : undefined;
      const fit = await fitSoftmax(softmaxRows(vectors, classes, weights), 3, pool, {
        C: fixture[name].C,
        maxIterations: 1000,
        tolerance: 1e-6,
      });
      expect(fit.converged).toBe(true);
      const found = probabilities(fit, fixture.test);
      fixture[name].probabilities.forEach((expected, at) => void expect(found[at]).toBeCloseTo(expected, 3));
    },
  );

  it('gives the same bits on one thread, on two, and on its own data again', async () => {
    // Three chunks.
    const rows = 2500;
    const data = Float32Array.from({ length: rows * 5 }, (_, at) => Math.sin(at * 1.7) + Math.cos(at * at));
    const own = Int32Array.from({ length: rows }, (_, row) => (data[row * 5]! > 0 ? 1 : row % 3));
    const options = { C: 1, maxIterations: 100, tolerance: 1e-4 };
    const fitOn = (threads: typeof pool) =>
      fitSoftmax(softmaxRows({ data, rows, columns: 5 }, own), 3, threads, options);
    const alone = new WorkerPool({ threads: 1 });
    const one = await fitOn(alone.forStep(new AbortController().signal));
    await alone.close();
    expect((await fitOn(pool)).point).toEqual(one.point);
    expect((await fitOn(pool)).weights.data).toEqual(one.weights.data);
  });

  it('has nothing to learn from one class, or from equal rows but how many there are of each', async () => {
    const options = { C: 1, maxIterations: 100, tolerance: 1e-6 };
    const one = await fitSoftmax(softmaxRows(vectors, new Int32Array(vectors.rows)), 1, pool, options);
    expect([...one.weights.data]).toEqual([0, 0, 0, 0]);
    const equal = { data: new Float32Array(40).fill(0.5), rows: 10, columns };
    const two = await fitSoftmax(
      softmaxRows(equal, Int32Array.of(0, 0, 0, 0, 0, 0, 0, 1, 1, 1)),
      2,
      pool,
      options,
    );
    const [first] = probabilities(two, [0.5, 0.5, 0.5, 0.5]);
    expect(first).toBeCloseTo(0.7, 3);
  });
});

function probabilities({ weights, intercepts }: SoftmaxFit, test: number[]): number[] {
  const found: number[] = [];
  for (let start = 0; start < test.length; start += columns) {
    const scores = [...intercepts].map((intercept, own) => {
      let sum = intercept;
      for (let column = 0; column < columns; column++)
        sum += weights.data[own * columns + column]! * test[start + column]!;
      return Math.exp(sum);
    });
    const total = scores.reduce((sum, score) => sum + score, 0);
    found.push(...scores.map((score) => score / total));
  }
  return found;
}
