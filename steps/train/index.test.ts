import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { filesInput, folderWith, runStep } from '../../test/run-step.ts';
import classify from '../classify/index.ts';
import embed from '../embed/index.ts';
import train from './index.ts';

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../numerics/fixtures/logistic-regression.json'), 'utf8'),
) as {
  x: number[];
  y: number[];
  test: number[];
  plain: { probabilities: number[]; accuracy: number };
  knn: { k: number; probabilities: number[] };
};
const names = ['card', 'loan', 'rate'];
const rows: Row[] = fixture.y.map((own, row) => ({ id: `r${row}`, label: names[own]! }));
const ids = (table: Row[]) => table.map(({ id }) => id);
const vectorsOf = (table: Row[], data: number[]) => ({
  matrix: { data: Float32Array.from(data), rows: table.length, columns: 4 },
  ids: ids(table),
});
const tests: Row[] = Array.from({ length: 8 }, (_, row) => ({ id: `t${row}`, text: `test ${row}` }));

const learn = (options: JsonObject, table = rows, data = fixture.x) =>
  runStep(train, { with: options, inputs: { rows: table, vectors: vectorsOf(table, data) } });
const apply = (head: Record<string, Buffer>, options: JsonObject = {}, table = tests, data = fixture.test) =>
  runStep(classify, {
    with: options,
    inputs: { rows: table, vectors: vectorsOf(table, data), model: filesInput(head) },
  });

describe('train and classify', () => {
  it('softmax: the probabilities of scikit-learn, from an ONNX file', async () => {
    const { files, metrics, warnings } = await learn({ C: 1, tol: 1e-6 });
    expect(metrics).toMatchObject({ rows: 70, excluded: 0, classes: 3, C: 1 });
    expect(metrics['train_accuracy']).toBeCloseTo(fixture.plain.accuracy, 5);
    expect(warnings).toEqual([]);
    expect(JSON.parse(String(files['head']!['labels.json']))).toEqual(names);
    expect(JSON.parse(String(files['head']!['head.json']))).toMatchObject({
      method: 'softmax',
      dimensions: 4,
      labels: names,
      parameters: { C: 1 },
    });
    const found = await apply(files['head']!);
    const { data } = found.matrices['probabilities']!;
    fixture.plain.probabilities.forEach((expected, at) => void expect(data[at]).toBeCloseTo(expected, 3));
    const first = fixture.plain.probabilities.slice(0, 3);
    const sorted = first.toSorted((a, b) => b - a);
    const row = found.tables['rows']![0]!;
    expect(row).toMatchObject({ id: 't0', text: 'test 0', predicted: names[first.indexOf(sorted[0]!)]! });
    expect(row['confidence']).toBeCloseTo(sorted[0]!, 3);
    expect(row['margin']).toBeCloseTo(sorted[0]! - sorted[1]!, 3);
    expect(row['out_of_scope_score']).toBeCloseTo(1 - sorted[0]!, 3);
  });

  it('knn: the votes of scikit-learn; centroid: the nearest direction', async () => {
    const knn = await apply((await learn({ method: 'knn', k: fixture.knn.k })).files['head']!);
    const { data } = knn.matrices['probabilities']!;
    fixture.knn.probabilities.forEach((expected, at) => void expect(data[at]).toBeCloseTo(expected, 5));
    const simple = await learn(
      { method: 'centroid' },
      [
        { id: 'a', label: 'x' },
        { id: 'b', label: 'y' },
        { id: 'c', label: 'y' },
      ],
      [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9, 0],
    );
    const found = await apply(simple.files['head']!, {}, tests.slice(0, 2), [5, 1, 0, 0, 0, 1, 1, 0]);
    expect(found.tables['rows']!.map((row) => row['predicted'])).toEqual(['x', 'y']);
  });

  it('chooses C by cross-validation and shows what was tried', async () => {
    const { tables, metrics, files } = await learn({ C: [100, 0.001, 1] });
    const tried = tables['candidates']!;
    expect(tried.map((row) => row['C'])).toEqual([0.001, 1, 100]);
    const best = Math.max(...tried.map((row) => row['accuracy'] as number));
    expect(metrics['cv_accuracy']).toBe(best);
    expect(metrics['C']).toBe(tried.find((row) => row['accuracy'] === best)!['C']);
    expect((await learn({ C: [100, 0.001, 1] })).files).toEqual(files);
  });

  it('marks rows out of scope above a threshold', async () => {
    const { files } = await learn({ C: 1 });
    const plain = await apply(files['head']!);
    const scores = plain.tables['rows']!.map((row) => row['out_of_scope_score'] as number);
    const threshold = scores.toSorted((a, b) => a - b)[5]!;
    const { tables, metrics } = await apply(files['head']!, { threshold, out_of_scope_label: 'oos' });
    expect(metrics['out_of_scope']).toBe(2);
    for (const row of tables['rows']!) {
      expect(row['is_out_of_scope']).toBe((row['out_of_scope_score'] as number) > threshold);
      expect(row['predicted'] === 'oos').toBe(row['is_out_of_scope']);
    }
    const energy = await apply(files['head']!, { out_of_scope: 'energy' });
    const far = await apply(files['head']!, { out_of_scope: 'energy' }, tests.slice(0, 1), [0, 0, 0, 0]);
    expect(energy.tables['rows']!.every((row) => (row['out_of_scope_score'] as number) < 0)).toBe(true);
    expect(far.tables['rows']).toHaveLength(1);
  });

  it('handles one row, one class, equal rows, missing labels and vectors of zeros', async () => {
    for (const method of names.map((_, index) => ['softmax', 'knn', 'centroid'][index]!)) {
      const one = await learn({ method }, rows.slice(0, 1), fixture.x.slice(0, 4));
      expect(one.warnings).toEqual([expect.stringContaining('all rows are of the class')]);
      const found = await apply(one.files['head']!);
      expect(new Set(found.tables['rows']!.map((row) => row['predicted']))).toEqual(
        new Set([rows[0]!['label']]),
      );
      const equal = await learn({ method }, rows, new Array<number>(280).fill(0.5));
      expect((await apply(equal.files['head']!)).tables['rows']).toHaveLength(8);
      const zeros = await apply(
        (await learn({ method })).files['head']!,
        {},
        tests,
        new Array<number>(32).fill(0),
      );
      for (const row of zeros.tables['rows']!) expect(Number.isFinite(row['confidence'])).toBe(true);
    }
    const few = await learn({ C: 1 }, [...rows.slice(0, -1), { id: 'r69' }]);
    expect(few.metrics).toMatchObject({ rows: 69, excluded: 1 });
    expect(few.warnings).toEqual(['1 of 70 rows have no label; they are left out']);
  });

  it('says what it cannot learn from, and what it cannot use', async () => {
    await expect(learn({}, [], [])).rejects.toMatchObject({ code: 'nothing-to-learn' });
    await expect(learn({}, [{ id: 'a', label: '' }], [1, 2, 3, 4])).rejects.toMatchObject({
      message: 'none of the 1 rows has label',
    });
    await expect(learn({ label: 'lable' })).rejects.toMatchObject({ code: 'missing-field' });
    await expect(learn({}, rows, [Number.NaN, ...fixture.x.slice(1)])).rejects.toMatchObject({
      code: 'bad-vector',
    });
    const head = (await learn({ C: 1 })).files['head']!;
    const narrow = { matrix: { data: new Float32Array(16), rows: 8, columns: 2 }, ids: ids(tests) };
    await expect(
      runStep(classify, { inputs: { rows: tests, vectors: narrow, model: filesInput(head) } }),
    ).rejects.toMatchObject({ code: 'other-vectors' });
    await expect(apply({ 'a.txt': Buffer.from('a') })).rejects.toMatchObject({ code: 'head' });
    const none = await apply(head, { threshold: 0.5 }, [], []);
    expect(none.metrics).toEqual({ rows: 0, classes: 3, out_of_scope: 0 });
    expect(classify.check!({ out_of_scope_label: 'oos' })).toHaveLength(1);
  });
});

describe('train with static_embedding', () => {
  const tiny = join(import.meta.dirname, '../../test/fixtures/encoders/tiny');
  const names = ['model.onnx', 'tokenizer.json', '1_Pooling/config.json'];
  const models = {
    tiny: folderWith(Object.fromEntries(names.map((name) => [name, readFileSync(join(tiny, name))]))),
  };
  const distil = (more: JsonObject = {}, inputs = {}) =>
    runStep(train, {
      with: { method: 'static_embedding', encoder: 'tiny', precision: 'float32', ...more },
      models,
      inputs,
    });
  const texts: Row[] = ['my card', 'card', 'xyzzy', '', 'bank card is my'].map((text, row) => ({
    id: `${row}`,
    text,
  }));
  const apply = (encoder: Record<string, Buffer>, more: JsonObject = {}, table = texts) =>
    runStep(embed, {
      with: { method: 'static', ...more },
      inputs: { rows: table, model: filesInput(encoder) },
    });

  it('makes a table that embed takes: texts are the mean of their tokens', async () => {
    const { files, metrics } = await distil({ dimensions: null, sif_coefficient: null });
    expect(metrics).toMatchObject({ words: 0, dimensions: 4 });
    const {
      matrices,
      metrics: found,
      warnings,
      tables,
    } = await apply(files['encoder']!, { normalize: false });
    const { data, columns, ids: kept } = matrices['vectors']!;
    expect(kept).toEqual(['0', '1', '2', '3', '4']);
    expect(tables['failed']).toEqual([]);
    expect(found).toEqual({ dimensions: 4, truncated: 0, tokens_total: 7, without_terms: 2 });
    expect(warnings).toEqual(['2 of 5 texts have no token that the model knows: their vectors are zeros']);
    // [CLS] card [SEP] through the network, as the encoder pools it.
    const alone = await runStep(embed, {
      with: { model: 'tiny', normalize: false },
      models,
      inputs: { rows: [texts[1]!] },
    });
    expect([...data.subarray(columns, 2 * columns)]).toEqual([...alone.matrices['vectors']!.data]);
    expect([...data.subarray(2 * columns, 4 * columns)]).toEqual(new Array(8).fill(0));
  });

  it('keeps principal components, and the same bytes each time', async () => {
    const first = await distil({ dimensions: 2 });
    const second = await distil({ dimensions: 2 });
    expect(second.files).toEqual(first.files);
    expect(first.metrics).toMatchObject({ dimensions: 2 });
    const none = await apply(first.files['encoder']!, {}, []);
    expect(none.matrices['vectors']).toMatchObject({ rows: 0, ids: [] });
    await expect(apply(first.files['encoder']!, { dimensions: 3 })).rejects.toMatchObject({
      code: 'dimensions',
    });
  });

  it('says what is missing', async () => {
    expect(train.check?.({ method: 'static_embedding' })).toHaveLength(1);
    expect(train.check?.({ method: 'softmax', encoder: 'tiny' })).toHaveLength(1);
    await expect(distil({ vocabulary: 'rows' })).rejects.toMatchObject({ code: 'missing-input' });
    await expect(apply({ 'a.txt': Buffer.from('a') })).rejects.toMatchObject({ code: 'model' });
    await expect(
      runStep(embed, { with: { method: 'static', model: 'tiny' }, models, inputs: { rows: texts } }),
    ).rejects.toMatchObject({ code: 'model', message: expect.stringContaining('is an ONNX encoder') });
  });
});
