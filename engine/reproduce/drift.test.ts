import { expect, it, onTestFinished } from 'vitest';
import { exampleFingerprint, exampleStep } from '../../test/run-record.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import type { Row, TableArtefact } from '../artefacts.ts';
import { digestOf } from '../digest.ts';
import type { StepRecord } from '../record/record.ts';
import { Store } from '../store/store.ts';
import type { Side } from './compare.ts';
import { measureDrift, type Similarity } from './drift.ts';

async function table(store: Store, rows: readonly object[]): Promise<TableArtefact> {
  const writer = store.writeTable();
  for (const row of rows) await writer.write(row as Row);
  return writer.finish();
}

/** An answer as steps keep it; `asked` names the request. */
const answer = (asked: string, text: string, row: string, json: object | null = null) => ({
  id: `writer/${asked}`,
  request: digestOf(asked),
  model: 'writer',
  row,
  text,
  json,
});

/** A run in which `labels` read `rows` and asked a model. */
async function side(answers: object[], labels: object[]): Promise<Side> {
  const store = Store.open({ folder: temporaryFolder() });
  onTestFinished(() => store.close());
  const rows = { rows: await table(store, [{ id: 'a', n: 1 }]) };
  const outputs = { rows: await table(store, labels), answers: await table(store, answers) };
  await store.sync();
  const fingerprint = exampleFingerprint({ models: { writer: '{}' } });
  const inputs: StepRecord['inputs'] = {
    rows: [{ run: null, step: 'unique', output: 'rows', digest: rows.rows.digest }],
  };
  return {
    store,
    record: {
      id: 'a',
      steps: [
        exampleStep('unique', { outputs: rows, fingerprint: exampleFingerprint({ models: {} }) }),
        exampleStep('labels', { outputs, fingerprint, inputs }),
      ],
    },
  };
}

/** 0.5 for all pairs, which are kept. */
function halfAlike(): { similarity: Similarity; pairs: (readonly [string, string])[] } {
  const pairs: (readonly [string, string])[] = [];
  return {
    pairs,
    similarity: async (asked) => {
      pairs.push(...asked);
      return asked.map(() => 0.5);
    },
  };
}

it('drift is told by agreement, similarity, and what became of scores', async () => {
  const old = await side(
    [
      answer('1', 'refund', 'a'),
      answer('2', '{"x":1,"y":2}', 'b', { x: 1, y: 2 }),
      answer('3', 'late parcel', 'c'),
      answer('4', 'hangs on another answer', 'd'),
      answer('5', 'twice for a row', 'e'),
      answer('6', 'twice for a row', 'e'),
    ],
    [
      { id: 'a', n: 1, score: 3, label: 'x' },
      { id: 'b', n: 2, score: 5 },
      { id: 'gone', score: 9 },
    ],
  );
  const now = await side(
    [
      answer('1', ' refund\n', 'a'),
      answer('2', '{"y":2,"x":1}', 'b', { y: 2, x: 1 }),
      answer('3', 'parcel was late', 'c'),
      answer('40', 'asked in other words', 'd'),
      answer('50', 'twice for a row', 'e'),
      answer('60', 'twice for a row', 'e'),
    ],
    [
      { id: 'a', n: 1, score: 4, label: 'y' },
      { id: 'b', n: 2, score: 4 },
    ],
  );
  const { similarity, pairs } = halfAlike();
  expect(await measureDrift(old, now, similarity)).toEqual([
    {
      step: 'labels',
      answers: { recorded: 6, compared: 4 },
      agreement: 0.5,
      similarity: { mean: 0.75, least: 0.5, embedded: 2 },
      scores: [{ field: 'score', rows: 2, recorded_mean: 4, mean: 4, mean_abs_difference: 1 }],
    },
  ]);
  expect(pairs.toSorted()).toEqual([
    ['hangs on another answer', 'asked in other words'],
    ['late parcel', 'parcel was late'],
  ]);
});

it('what is embedded of many is a sample of all of them, in whatever order they come', async () => {
  const many = (text: string) =>
    Array.from({ length: 1000 }, (_, n) => answer(`${n}`, `${text} ${n}`, `r${n}`));
  const sampleOf = async (old: object[], now: object[]) => {
    const { similarity, pairs } = halfAlike();
    await measureDrift(await side(old, []), await side(now, []), similarity);
    return pairs;
  };
  const sample = await sampleOf(many('old'), many('new'));
  const numbers = sample.map(([text]) => Number(text.slice(4)));
  const mean = numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
  // Within three standard errors of the mean of all; that of the first half would be 250.
  expect(Math.abs(mean - 499.5)).toBeLessThan(28);
  expect(await sampleOf(many('old').reverse(), many('new'))).toEqual(sample);
});

it('of many differing answers a sample is embedded; without an encoder none', async () => {
  const many = (text: string) =>
    Array.from({ length: 1000 }, (_, n) => answer(`${n}`, `${n < 800 ? text : ''}x`, `r${n}`));
  const [old, now] = [await side(many('old'), []), await side(many('new'), [])];
  const { similarity, pairs } = halfAlike();
  const [drift] = await measureDrift(old, now, similarity);
  expect(drift!.agreement).toBeCloseTo(0.2);
  expect(drift!.similarity!.mean).toBeCloseTo(0.6);
  expect(pairs).toHaveLength(500);
  expect((await measureDrift(old, now, async () => []))[0]).toMatchObject({ similarity: null });
  expect((await measureDrift(old, old, similarity))[0]).toMatchObject({
    agreement: 1,
    similarity: { mean: 1 },
  });
  // What is gone is passed over.
  expect(await measureDrift({ ...old, store: now.store }, now, similarity)).toEqual([]);
});
