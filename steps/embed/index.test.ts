import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { askedModels } from '../../test/asked-models.ts';
import { ModelServer } from '../../test/model-server.ts';
import { filesInput, folderWith, runStep } from '../../test/run-step.ts';
import embed from './index.ts';
import { fitFiles } from './lexical-fit.ts';

const dimensions = 384;
const rows = [
  { id: 'a', text: 'How do I locate my card?' },
  { id: 'b', text: 'The weather is lovely today.' },
  { id: 'c', text: 'Where can I find my bank card?' },
  { id: 'd', text: '' },
];

function cosine(matrix: { data: Float32Array; columns: number }, a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < matrix.columns; i++)
    sum += matrix.data[a * matrix.columns + i]! * matrix.data[b * matrix.columns + i]!;
  return sum;
}

describe('embed with an encoder', () => {
  it('gives vectors in which like texts are near, and counts', async () => {
    const { matrices, metrics, tables, warnings } = await runStep(embed, { inputs: { rows } });
    const vectors = matrices['vectors']!;
    expect(vectors.ids).toEqual(['a', 'b', 'c', 'd']);
    expect(vectors.columns).toBe(dimensions);
    expect(cosine(vectors, 0, 2)).toBeGreaterThan(0.7);
    expect(cosine(vectors, 0, 1)).toBeLessThan(0.3);
    expect(cosine(vectors, 3, 3)).toBeCloseTo(1, 5);
    expect(metrics).toEqual({
      dimensions,
      model: 'all-minilm-l6-v2',
      tokens_total: 9 + 8 + 10 + 2,
      truncated: 0,
    });
    expect(tables['failed']).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('fails rows without a text, each with its reason, and keeps the others', async () => {
    const odd: Row[] = [...rows, { id: 'n', text: 5 }, { id: 'o' }, { id: 'l', text: ['x'] }];
    const { matrices, tables } = await runStep(embed, { inputs: { rows: odd } });
    expect(matrices['vectors']!.ids).toEqual(['a', 'b', 'c', 'd']);
    expect(tables['failed']!.map(({ id, reason }) => [id, reason])).toEqual([
      ['n', 'the field "text" is a number, not a text'],
      ['o', 'the field "text" is missing'],
      ['l', 'the field "text" is a list, not a text'],
    ]);
  });

  it('says how many texts lost their end', async () => {
    const { metrics, warnings } = await runStep(embed, { with: { max_tokens: 6 }, inputs: { rows } });
    expect(metrics['truncated']).toBe(3);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('3 of 4 texts have more tokens than 6');
  });

  it('puts the prefix before every text', async () => {
    const [plain, prefixed] = await Promise.all([
      runStep(embed, { inputs: { rows: [{ id: 'a', text: 'query: my card' }] } }),
      runStep(embed, { with: { prefix: 'query: ' }, inputs: { rows: [{ id: 'a', text: 'my card' }] } }),
    ]);
    expect(prefixed.matrices['vectors']!.data).toEqual(plain.matrices['vectors']!.data);
  });

  it('refuses what the encoder cannot do, with the remedy', async () => {
    const run = (parameters: Record<string, number | string>) =>
      runStep(embed, { with: parameters, inputs: { rows } });
    await expect(run({ max_tokens: 513 })).rejects.toMatchObject({
      code: 'max-tokens',
      hint: 'write max_tokens: 512 or less',
    });
    await expect(run({ dimensions: 385 })).rejects.toMatchObject({ code: 'dimensions' });
    await expect(run({ text: 'txt' })).rejects.toMatchObject({
      code: 'missing-field',
      hint: expect.stringContaining('text'),
    });
  });

  it('says what is wrong with a folder that is no encoder', async () => {
    const source = resolve(import.meta.dirname, '../../models/all-minilm-l6-v2');
    const files = {
      'onnx/model.onnx': 'not a network',
      'tokenizer.json': readFileSync(join(source, 'tokenizer.json')),
    };
    const run = (folder: string) =>
      runStep(embed, { with: { model: 'mine' }, models: { mine: folder }, inputs: { rows } });
    await expect(run(folderWith(files))).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining('model.onnx'),
    });
    await expect(run(folderWith({ 'onnx/model.onnx': '' }))).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining('no tokenizer.json'),
    });
  });

  it('tells by its names alone which models do not go with a method', () => {
    const said = (given: Record<string, string>, inputs = ['rows']) =>
      embed.check!({ model: 'all-minilm-l6-v2', ...given }, { inputs, languageModels: ['ada'] }).map(
        ({ parameter, message }) => `${parameter}: ${message}`,
      );
    expect(said({ method: 'onnx' })).toEqual([]);
    expect(said({ method: 'onnx', model: 'ada' })).toEqual([expect.stringContaining('method: openai')]);
    expect(said({ method: 'openai' })).toEqual([expect.stringContaining('is no model of a provider')]);
    expect(said({ method: 'openai', model: 'ada' })).toEqual([]);
    expect(said({ method: 'static' })).toEqual([expect.stringContaining('takes the input model')]);
    expect(said({ method: 'static' }, ['rows', 'model'])).toEqual([]);
    expect(said({ method: 'static', model: './mine' })).toEqual([]);
    expect(said({ method: 'lexical' }, ['rows', 'model'])).toEqual([
      expect.stringContaining('write method: static'),
    ]);
  });

  it('takes no rows', async () => {
    const { matrices, metrics } = await runStep(embed, { inputs: { rows: [] } });
    expect(matrices['vectors']).toMatchObject({ rows: 0, ids: [] });
    expect(metrics['tokens_total']).toBe(0);
  });
});

describe('embed by a server', () => {
  it('says nothing of the terms of texts whose tokens the server counts as none', async () => {
    await using server = await ModelServer.start({ usage: () => ({ prompt_tokens: 0 }) });
    const { warnings, metrics } = await runStep(embed, {
      with: { method: 'openai', model: 'ada' },
      inputs: { rows: rows.slice(0, 3) },
      languageModels: askedModels(server, ['ada']),
    });
    expect(warnings).toEqual([]);
    expect(metrics).toEqual({ model: 'ada', dimensions: 8, tokens_total: 0, truncated: 0 });
  });

  it('writes no matrix of vectors that differ in length', async () => {
    await using server = await ModelServer.start({ vectorLength: (text) => (text.includes('card') ? 6 : 4) });
    const languageModels = askedModels(server, ['ada']);
    const given = rows.slice(0, 3);
    await expect(
      runStep(embed, { with: { method: 'openai', model: 'ada' }, inputs: { rows: given }, languageModels }),
    ).rejects.toMatchObject({
      code: 'dimensions',
      message: expect.stringContaining('the vector of row b has 4 numbers, that of row a 6'),
      hint: expect.stringContaining('revision'),
    });
  });
});

describe('embed without a model', () => {
  const texts = [
    'my card has not arrived',
    'the card did not arrive yet',
    'when will my card arrive',
    'how do I top up my account',
    'topping up the account failed',
    'top up by bank transfer',
    'где моя карта',
    'карта ещё не пришла',
    '我的卡在哪里',
  ];
  const lexicalRows = texts.map((text, index) => ({ id: `${index}`, text }));

  it('puts texts with like words near each other, in any language, the same each time', async () => {
    const run = () =>
      runStep(embed, { with: { method: 'lexical', dimensions: 6 }, inputs: { rows: lexicalRows } });
    const [first, second] = [await run(), await run()];
    const vectors = first.matrices['vectors']!;
    expect(vectors.columns).toBe(6);
    expect(cosine(vectors, 0, 1)).toBeGreaterThan(cosine(vectors, 0, 3) + 0.2);
    expect(cosine(vectors, 3, 5)).toBeGreaterThan(cosine(vectors, 3, 1) + 0.1);
    expect(cosine(vectors, 6, 7)).toBeGreaterThan(cosine(vectors, 6, 4) + 0.2);
    expect(first.metrics).toEqual({ dimensions: 6, without_terms: 0 });
    expect(second.matrices['vectors']!.data).toEqual(vectors.data);
    expect(second.files).toEqual(first.files);
  });

  it('gives new rows vectors in the space of an earlier fit', async () => {
    const old = await runStep(embed, { with: { method: 'lexical' }, inputs: { rows: lexicalRows } });
    expect(Object.keys(old.files['fit']!).sort()).toEqual([...fitFiles].sort());
    const again = await runStep(embed, {
      with: { method: 'lexical', analyzer: 'word', dimensions: 3 },
      inputs: {
        rows: [
          { id: 'new', text: texts[2]! },
          { id: 'strange', text: 'ΩΩΩ' },
        ],
        fit: filesInput(old.files['fit']!),
      },
    });
    const { columns, data } = old.matrices['vectors']!;
    expect(again.matrices['vectors']!.data.slice(0, columns)).toEqual(data.slice(2 * columns, 3 * columns));
    expect(again.matrices['vectors']!.data.slice(columns).every((value) => value === 0)).toBe(true);
    expect(again.metrics).toEqual({ dimensions: columns, without_terms: 1 });
    expect(again.warnings[0]).toContain('1 of 2 texts have no term');
    expect(again.files['fit']).toEqual(old.files['fit']);
  });

  it('says so when nothing is left to learn from, or when the fit is not one', async () => {
    const run = (options: object) => runStep(embed, { inputs: { rows: lexicalRows }, ...options });
    await expect(run({ with: { method: 'lexical', min_df: 100 } })).rejects.toMatchObject({
      code: 'no-terms',
    });
    await expect(
      run({
        with: { method: 'lexical' },
        inputs: { rows: lexicalRows, fit: filesInput({ 'a.txt': Buffer.from('a') }) },
      }),
    ).rejects.toMatchObject({ code: 'fit' });
    expect(embed.check?.({ method: 'lexical', ngram_range: [3, 2] })).toHaveLength(1);
    expect(embed.check?.({ method: 'lexical', pooling: 'cls' })).toHaveLength(1);
    expect(embed.check?.({ method: 'openai', max_tokens: 5 })).toHaveLength(1);
  });

  it('takes texts with nothing in them, and no rows', async () => {
    const blank = await runStep(embed, {
      with: { method: 'lexical' },
      inputs: { rows: [...lexicalRows, { id: 'x', text: ' \n ' }] },
    });
    expect(blank.metrics['without_terms']).toBe(1);
    const none = await runStep(embed, { with: { method: 'lexical' }, inputs: { rows: [] } });
    expect(none.matrices['vectors']).toMatchObject({ rows: 0 });
  });
});
