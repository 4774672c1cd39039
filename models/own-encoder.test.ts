import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { folderWith } from '../test/run-step.ts';
import { Encoder } from './encoder.ts';
import { EncoderError, type Pooling, readEncoderSettings } from './encoder-folder.ts';
import { createModelResolver } from './resolver.ts';
import { safetensors } from './static/safetensors.ts';

/** Encoders of a user's own: networks of a table of ten tokens, in the layout of sentence-transformers. */
const tiny = resolve(import.meta.dirname, '../test/fixtures/encoders/tiny');
const root = folderWith({});
afterAll(() => rmSync(root, { recursive: true, force: true }));
const options = { maxTokens: 16, normalize: false, dimensions: null };

async function open(network: string, files: Record<string, string> = {}): Promise<Encoder> {
  const folder = mkdtempSync(join(root, 'encoder-'));
  cpSync(tiny, folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const found = createModelResolver({ root, aliases: { mine: join(folder, network) } }).find('mine')!;
  return Encoder.open(found.folder, readEncoderSettings(found.folder, found.files));
}

describe('an encoder of one’s own', () => {
  it('is pooled as its folder says', async () => {
    // [CLS] my card [SEP]: rows 2, 7, 4, 3 of the table.
    const mean = [
      (-0.5 + 0 + 0.25 + 1.25) / 4,
      (0.25 + 0.75 + 1 - 0.75) / 4,
      (1 - 1.25 - 1 + 0) / 4,
      (-1 - 0.5 - 0.25 + 0.75) / 4,
    ];
    const encoder = await open('model.onnx');
    const { vectors, tokens } = await encoder.encode(['my card'], options);
    expect([...vectors]).toEqual(mean.map(Math.fround));
    expect([...tokens]).toEqual([4]);
    const first = await open('model.onnx', { '1_Pooling/config.json': '{"pooling_mode_cls_token": true}' });
    expect([...(await first.encode(['my card'], options)).vectors]).toEqual([-0.5, 0.25, 1, -1]);
  });

  it('is pooled otherwise where that is asked for, if the network gives the tokens', async () => {
    const asked = async (network: string, pooling: Pooling) => {
      const found = createModelResolver({ root, aliases: { mine: join(tiny, network) } }).find('mine')!;
      const settings = readEncoderSettings(found.folder, found.files);
      const encoder = await Encoder.open(found.folder, { ...settings, pooling, ownPooling: true });
      return [...(await encoder.encode(['my card'], options)).vectors];
    };
    expect(await asked('model.onnx', 'cls')).toEqual([-0.5, 0.25, 1, -1]);
    expect(await asked('model.onnx', 'lasttoken')).toEqual([1.25, -0.75, 0, 0.75]);
    expect(await asked('model.onnx', 'max')).toEqual([1.25, 1, 1, 0.75]);
    await expect(asked('model_logits.onnx', 'cls')).rejects.toThrow('no other pooling can be had');
  });

  it('goes through the Dense layers of its folder', async () => {
    const folder = mkdtempSync(join(root, 'dense-'));
    cpSync(tiny, folder, { recursive: true });
    mkdirSync(join(folder, '2_Dense'));
    const types = ['Transformer', 'Pooling', 'Dense'].map((type, idx) => ({
      idx,
      path: idx === 0 ? '' : `${idx}_${type}`,
      type: `sentence_transformers.models.${type}`,
    }));
    writeFileSync(join(folder, 'modules.json'), JSON.stringify(types));
    writeFileSync(join(folder, '1_Pooling/config.json'), '{"pooling_mode_cls_token": true}');
    const settings = { in_features: 4, out_features: 2, bias: true };
    const bytes = (...numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);
    const write = (activation: string, width: number) => {
      const config = { ...settings, activation_function: `torch.nn.modules.activation.${activation}` };
      writeFileSync(join(folder, '2_Dense/config.json'), JSON.stringify(config));
      const weight = {
        dtype: 'F32',
        shape: [2, width],
        bytes: bytes(...new Array(2 * width).fill(1)),
      } as const;
      const bias = { dtype: 'F32', shape: [2], bytes: bytes(1, 0) } as const;
      const tensors = { 'linear.weight': weight, 'linear.bias': bias };
      writeFileSync(join(folder, '2_Dense/model.safetensors'), safetensors(tensors));
      const found = createModelResolver({ root, aliases: { mine: join(folder, 'model.onnx') } }).find(
        'mine',
      )!;
      return Encoder.open(found.folder, readEncoderSettings(found.folder, found.files));
    };
    // The first token's vector is -0.5, 0.25, 1, -1: its sum is -0.25.
    const encode = async (encoder: Encoder) => [...(await encoder.encode(['my card'], options)).vectors];
    expect(await encode(await write('Tanh', 4))).toEqual(
      [Math.tanh(0.75), Math.tanh(-0.25)].map(Math.fround),
    );
    expect(await encode(await write('ReLU', 4))).toEqual([0.75, 0]);
    const [gelu] = await encode(await write('GELU', 4));
    expect(gelu).toBeCloseTo(0.75 * 0.7733726, 5);
    await expect(encode(await write('Tanh', 3))).rejects.toThrow('takes 3 numbers');
    await expect(write('Softsign', 4)).rejects.toThrow('ends before Dense');
  });

  it('gives the same vector in any company, even where the network scales by batch', async () => {
    const encoder = await open('model_quantized.onnx');
    const alone = await encoder.encode(['my card'], options);
    // "bank" has numbers ten times as large: in one batch they would set the scale for all.
    const together = await encoder.encode(['my bank', 'my card', 'is card'], options);
    expect(together.vectors.slice(4, 8)).toEqual(alone.vectors);
  });

  it('says what it cannot use', async () => {
    const modules = `[{"type": "sentence_transformers.models.Transformer", "path": ""},
      {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}, {"type": "sentence_transformers.models.Dense", "path": "2_Dense"}]`;
    const refused = async (network: string, files?: Record<string, string>) => {
      const error = await open(network, files).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EncoderError);
      return (error as EncoderError).message;
    };
    expect(await refused('model_images.onnx')).toContain('pixel_values');
    expect(await refused('model_logits.onnx')).toContain('the network gives logits');
    expect(await refused('model.onnx', { 'modules.json': modules })).toContain('ends before Dense');
    expect(await refused('model.onnx', { 'tokenizer.json': '{}' })).toContain('tokenizer.json');
    const cut = readFileSync(join(tiny, 'model.onnx')).toString('latin1').slice(0, 100);
    expect(await refused('model.onnx', { 'model.onnx': cut })).toContain('cannot be opened');
  });
});
