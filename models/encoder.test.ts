import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../engine/execute/pool.ts';
import { builtInEncoders } from './catalogue.ts';
import { type EncodeReply, type EncodeTask, encodeModule } from './encode-task.ts';
import { Encoder } from './encoder.ts';
import { type EncoderSettings, readEncoderSettings } from './encoder-folder.ts';
import { createModelResolver } from './resolver.ts';

const fixtures = resolve(import.meta.dirname, '../test/fixtures/encoders');
const { texts } = JSON.parse(readFileSync(join(fixtures, 'texts.json'), 'utf8')) as { texts: string[] };
const resolver = createModelResolver({ root: import.meta.dirname });
const options = { maxTokens: 256, normalize: true, dimensions: null };

function bitsOf(vectors: Float32Array): string {
  return Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength).toString('hex');
}

describe.each(builtInEncoders)('$name', ({ name, dimensions, maxTokens }) => {
  const { folder, files } = resolver.find(name)!;
  const settings: EncoderSettings = readEncoderSettings(folder, files);
  let encoder: Encoder;
  let rows: string[];
  beforeAll(async () => {
    encoder = await Encoder.open(folder, settings);
    const { vectors } = await encoder.encode(texts, options);
    rows = texts.map((_, row) => bitsOf(vectors.subarray(row * dimensions, (row + 1) * dimensions)));
  });
  afterAll(() => encoder.close());

  it('gives the vectors that the reference gives', async () => {
    expect(settings.maxTokens).toBe(maxTokens);
    const file = readFileSync(join(fixtures, `${name}.f32`));
    const reference = new Float32Array(Uint8Array.from(file).buffer);
    const { vectors, dimensions: found } = await encoder.encode(texts, options);
    expect(found).toBe(dimensions);
    expect(vectors).toHaveLength(reference.length);
    for (let row = 0; row < texts.length; row++) {
      let cosine = 0;
      let difference = 0;
      for (let at = row * dimensions; at < (row + 1) * dimensions; at++) {
        cosine += vectors[at]! * reference[at]!;
        difference = Math.max(difference, Math.abs(vectors[at]! - reference[at]!));
      }
      // The texts after the first twelve are hardly English: 8-bit weights cost a little more there.
      expect(cosine, texts[row]!).toBeGreaterThan(
        name === 'all-minilm-l6-v2' ? (row < 12 ? 0.999 : 0.99) : 0.999999,
      );
      if (name === 'use-multilingual-v3') expect(difference, texts[row]!).toBeLessThan(1e-5);
    }
  });

  it('gives a text the same bits in any company', async () => {
    const short = [...texts.keys()].filter((row) => texts[row]!.length < 200);
    const batches = fc.array(fc.constantFrom(...short), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        const { vectors } = await encoder.encode(
          batch.map((row) => texts[row]!),
          options,
        );
        batch.forEach((row, place) => {
          expect(bitsOf(vectors.subarray(place * dimensions, (place + 1) * dimensions))).toBe(rows[row]);
        });
      }),
      { numRuns: 10 },
    );
    const crowd = await encoder.encode(new Array<string>(70).fill(texts[0]!), options);
    expect(bitsOf(crowd.vectors)).toBe(rows[0]!.repeat(70));
  });

  it('gives the same bits in workers', async () => {
    const pool = new WorkerPool({ threads: 2 });
    const tasks = pool.forStep(new AbortController().signal);
    const half = Math.ceil(texts.length / 2);
    const replies = await Promise.all(
      [texts.slice(0, half), texts.slice(half)].map((part) =>
        tasks.run<EncodeTask, EncodeReply>(encodeModule, 'encode', {
          encoder: { digest: name, folder, settings },
          texts: part,
          options,
        }),
      ),
    );
    await pool.close();
    const found = replies.map((reply) =>
      reply.kind === 'encoded' ? bitsOf(reply.encoded.vectors) : reply.message,
    );
    expect(found.join('')).toBe(rows.join(''));
  });

  it('counts tokens and says which texts were cut', async () => {
    const long = 'the card did not arrive '.repeat(40_000);
    const { tokens, vectors } = await encoder.encode(['', 'my card', long, long], {
      ...options,
      maxTokens: 16,
    });
    expect(tokens[0]).toBe(2);
    expect(tokens[1]).toBeGreaterThan(2);
    expect(tokens[2]).toBe(-16);
    expect(bitsOf(vectors.subarray(2 * dimensions, 3 * dimensions))).toBe(
      bitsOf(vectors.subarray(3 * dimensions)),
    );
  });

  it('takes hostile texts', async () => {
    const hostile = [
      '\0',
      '\ud800 half \udc00',
      ' '.repeat(100_000),
      'x'.repeat(200_000),
      '\u{1f468}\u200d'.repeat(5000),
      '﷽'.repeat(300),
    ];
    const { vectors, tokens } = await encoder.encode(hostile, options);
    expect(vectors.every(Number.isFinite)).toBe(true);
    expect(tokens.every((count) => Math.abs(count) >= 2 && Math.abs(count) <= 256)).toBe(true);
  });

  it('keeps leading numbers and scales them again', async () => {
    const whole = await encoder.encode(['my card'], options);
    const part = await encoder.encode(['my card'], { ...options, dimensions: 16 });
    expect(part.dimensions).toBe(16);
    const scale = part.vectors[0]! / whole.vectors[0]!;
    part.vectors.forEach((value, at) => void expect(value).toBeCloseTo(whole.vectors[at]! * scale, 6));
    expect(Math.hypot(...part.vectors)).toBeCloseTo(1, 6);
  });
});
