import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { folderWith } from '../../test/run-step.ts';
import { EncoderError } from '../encoder-folder.ts';
import { createModelResolver } from '../resolver.ts';
import { openTokenizer, type TokenizerJson } from '../tokenizer.ts';
import { StaticEncoder } from './encoder.ts';
import { staticModel } from './files.ts';
import { readStaticSettings } from './folder.ts';
import { floatToHalf, readTensors, safetensors } from './safetensors.ts';
import { frequentWords, staticVocabulary } from './vocabulary.ts';

const root = folderWith({});
afterAll(() => rmSync(root, { recursive: true, force: true }));
const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer as ArrayBuffer);
const options = { maxTokens: null, normalize: false, dimensions: null };

/** [PAD] [UNK] my card ##s ? with vectors of two numbers. */
const tokenizer: TokenizerJson = {
  added_tokens: [],
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    ...{ continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
    vocab: { '[PAD]': 0, '[UNK]': 1, my: 2, card: 3, '##s': 4, '?': 5 },
  },
};
const table = Float32Array.of(9, 9, 8, 8, 1, 0, 0, 2, -4, 0, 0.5, 0.5);

function open(files: Record<string, string | Uint8Array>): Promise<StaticEncoder> {
  const folder = mkdtempSync(join(root, 'static-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const found = createModelResolver({ root, aliases: { mine: folder } }).find('mine');
  if (found === undefined) throw new Error('not found');
  return StaticEncoder.open(found.folder, readStaticSettings(found.folder, found.files));
}

const whole = (precision: 'float32' | 'float16' | 'int8' = 'float32') =>
  Object.fromEntries(
    staticModel({
      vectors: { data: table, rows: 6, columns: 2 },
      precision,
      tokenizer,
      encoder: 'x',
      sifCoefficient: 1e-4,
      dimensions: 2,
    }),
  );

describe('a static encoder', () => {
  it('gives the mean of the vectors of the tokens that it knows', async () => {
    const encoder = await open(whole());
    const { vectors, tokens, dimensions } = encoder.encode(
      ['My cards?', 'card xyzzy', 'xyzzy', '', 'Ω'],
      options,
    );
    expect(dimensions).toBe(2);
    expect([...tokens]).toEqual([4, 1, 0, 0, 0]);
    expect([...vectors]).toEqual([-2.5 / 4, 2.5 / 4, 0, 2, 0, 0, 0, 0, 0, 0]);
  });

  it('cuts, scales and keeps leading numbers as it is told', async () => {
    const encoder = await open(whole());
    const cut = encoder.encode(['my card my card'], { ...options, maxTokens: 1 });
    expect([...cut.tokens]).toEqual([-1]);
    expect([...cut.vectors]).toEqual([1, 0]);
    const scaled = encoder.encode(['my cards', 'Ω'], { ...options, normalize: true, dimensions: 1 });
    expect([...scaled.vectors]).toEqual([-1, 0]);
  });

  it('takes weights, shared vectors and all kinds of numbers', async () => {
    const tensors = {
      embeddings: { dtype: 'F64', shape: [2, 2], bytes: bytesOf(Float64Array.of(1, 0, 0, 2)) },
      weights: { dtype: 'F32', shape: [6], bytes: bytesOf(Float32Array.of(0, 0, 3, 1, 1, 1)) },
      mapping: { dtype: 'I64', shape: [6], bytes: bytesOf(BigInt64Array.of(0n, 0n, 0n, 1n, 1n, 0n)) },
    } as const;
    const files = whole();
    const encoder = await open({ ...files, 'model.safetensors': safetensors(tensors) });
    expect([...encoder.encode(['my card'], options).vectors]).toEqual([1.5, 1]);
    const halves = await open(whole('float16'));
    expect([...halves.encode(['card'], options).vectors]).toEqual([0, 2]);
    const bytes = await open(whole('int8'));
    const [x, y] = bytes.encode(['card'], { ...options, normalize: true }).vectors;
    expect([x, y]).toEqual([0, 1]);
  });

  it('takes any text: of length 1 or zeros, the same in any company', async () => {
    const encoder = await open(whole());
    const strings = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../test/hostile/naughty-strings/blns.json'), 'utf8'),
    ) as string[];
    const texts = [
      ...strings,
      'my card '.repeat(12_500),
      'x'.repeat(100_000),
      '\ud800 card',
      '\0card',
      '\u202ecard',
    ];
    const scaled = { ...options, normalize: true };
    const { vectors, tokens } = encoder.encode(texts, scaled);
    for (const [row, text] of texts.entries()) {
      const vector = vectors.subarray(2 * row, 2 * row + 2);
      expect(Math.hypot(...vector)).toBeCloseTo(tokens[row] === 0 ? 0 : 1, 6);
      expect(encoder.encode([text], scaled).vectors).toEqual(vector);
    }
    expect(tokens.at(-5)).toBe(25_000);
    expect([...tokens.slice(-4)]).toEqual([0, 1, 1, 1]);
  });

  it('reads what sentence-transformers saves', async () => {
    const files = whole();
    const encoder = await open({
      'tokenizer.json': files['tokenizer.json']!,
      'modules.json': files['modules.json']!,
      'config_sentence_transformers.json': '{}',
      'model.safetensors': safetensors({
        'embedding.weight': { dtype: 'F32', shape: [6, 2], bytes: bytesOf(table) },
      }),
    });
    expect([...encoder.encode(['card'], options).vectors]).toEqual([0, 2]);
  });

  it('says what is wrong with a folder', async () => {
    const files = whole();
    const refused = async (change: Record<string, string | Uint8Array>) => {
      const error = await open({ ...files, ...change }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EncoderError);
      return (error as EncoderError).message;
    };
    const tensors = Buffer.from(files['model.safetensors']!);
    expect(await refused({ 'model.safetensors': '' })).toContain('ends before its header');
    expect(await refused({ 'model.safetensors': tensors.subarray(0, -1) })).toContain('within embeddings');
    expect(await refused({ 'model.safetensors': Buffer.alloc(8, 255) })).toContain('header is too long');
    expect(await refused({ 'tokenizer.json': '{' })).toContain('tokenizer.json');
    const short = safetensors({
      embeddings: { dtype: 'F32', shape: [5, 2], bytes: bytesOf(table.slice(2)) },
    });
    expect(await refused({ 'model.safetensors': short })).toContain('6 tokens, and there are 5 vectors');
    const other = safetensors({ other: { dtype: 'F32', shape: [6, 2], bytes: bytesOf(table) } });
    expect(await refused({ 'model.safetensors': other })).toContain('no table embeddings');
  });
});

describe('the vocabulary of a static model', () => {
  const encoders = JSON.parse(
    readFileSync(join(import.meta.dirname, '../all-minilm-l6-v2/tokenizer.json'), 'utf8'),
  ) as TokenizerJson;

  it('leaves out special tokens and free places, and puts words behind the rest', async () => {
    const words = frequentWords(
      ['Chargebacks, chargebacks!', 'a chargeback', 'unaffable'],
      await openTokenizer(join(import.meta.dirname, '../all-minilm-l6-v2/tokenizer.json')),
      encoders,
      { minCount: 2, most: 10 },
    );
    expect(words.map(({ token }) => token)).toEqual(['chargebacks']);
    const { tokens, tokenizer: made } = staticVocabulary(encoders, words);
    expect(tokens).toHaveLength(30522 - 994 - 4 + 1);
    expect(tokens.some(({ token }) => /^\[(unused\d+|CLS|SEP|MASK|PAD)\]$/.test(token))).toBe(false);
    const ids = made.model.vocab as Record<string, number>;
    tokens.forEach(({ token }, id) => void (ids[token] === id || expect(ids[token]).toBe(id)));
    expect(tokens.at(-1)!.token).toBe('chargebacks');
    expect(tokens.at(-1)!.ids.length).toBeGreaterThan(1);
  });
});

it('a static model has vectors for tokens that were added to a tokenizer, unless they are special', async () => {
  const added = [
    { id: 0, content: '[PAD]', special: true },
    { id: 5, content: '?', special: false },
    { id: 6, content: 'foobarium', special: false },
    { id: 7, content: '[EXTRA]', special: true },
  ];
  const made = staticVocabulary({ ...tokenizer, added_tokens: added });
  expect(made.tokens.map(({ token, ids }) => [token, ...ids])).toEqual([
    ['[UNK]', 1],
    ['my', 2],
    ['card', 3],
    ['##s', 4],
    ['?', 5],
    ['foobarium', 6],
  ]);
  const encoder = await open({ ...whole(), 'tokenizer.json': JSON.stringify(made.tokenizer) });
  expect([...encoder.encode(['foobarium [EXTRA]'], options).vectors]).toEqual([0.5, 0.5]);
});

describe('safetensors', () => {
  it('gives numbers back as they were', () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, maxLength: 50 }), (numbers) => {
        const path = join(root, 'one.safetensors');
        const shape = [numbers.length];
        writeFileSync(path, safetensors({ ä: { dtype: 'F32', shape, bytes: bytesOf(numbers.slice()) } }));
        expect(readTensors(path, ['ä', 'b'])).toEqual(new Map([['ä', { shape, data: numbers }]]));
      }),
      { numRuns: 50 },
    );
  });

  it('rounds to half precision, and reads every half', () => {
    const path = join(root, 'half.safetensors');
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, half) => half);
    writeFileSync(path, safetensors({ x: { dtype: 'F16', shape: [2 ** 16], bytes: bytesOf(all) } }));
    const { data } = readTensors(path, ['x']).get('x')!;
    const wrong = [...all.keys()].filter(
      (half) => !Number.isNaN(data[half]) && floatToHalf(data[half]!) !== half,
    );
    expect(wrong).toEqual([]);
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65000, max: 65000 }), (value) => {
        const half = floatToHalf(value);
        const magnitude = half & 0x7fff;
        const distance = (bits: number) => Math.abs(data[(half & 0x8000) | bits]! - value);
        for (const near of [magnitude - 1, magnitude + 1])
          if (near >= 0 && near < 0x7c00) expect(distance(magnitude)).toBeLessThanOrEqual(distance(near));
      }),
    );
  });
});
