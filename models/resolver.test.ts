import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../test/run-step.ts';
import { builtInEncoders } from './catalogue.ts';
import { readEncoderSettings } from './encoder-folder.ts';
import { builtInModels, createModelResolver } from './resolver.ts';

const sentenceTransformers = {
  'onnx/model.onnx': '',
  'onnx/model_quantized.onnx': '',
  'tokenizer.json': '{}',
  'tokenizer_config.json': '{"model_max_length": 512}',
  'config.json': '{"max_position_embeddings": 514, "model_type": "xlm-roberta", "pad_token_id": 1}',
  'modules.json': `[{"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]`,
  '1_Pooling/config.json': '{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}',
  'README.md': 'not counted',
};

describe('createModelResolver', () => {
  it('finds every built-in encoder beside the product', () => {
    const resolver = createModelResolver({ root: folderWith({}) });
    expect(resolver.names).toEqual(builtInEncoders.map(({ name }) => name).sort());
    for (const name of ['all-MiniLM-L6-v2', 'sentence-transformers/all-MiniLM-L6-v2'])
      expect(resolver.find(name)).toEqual(resolver.find('all-minilm-l6-v2'));
    for (const { name } of builtInEncoders) {
      const found = resolver.find(name)!;
      expect(found.folder).toBe(join(builtInModels(), name));
      expect(found.files.filter((file) => file.endsWith('.onnx'))).toHaveLength(1);
      expect(found.files).toContain('tokenizer.json');
    }
  });

  it('finds aliases and paths: a folder, or one network in it', () => {
    const root = folderWith({});
    const folder = join(root, 'nets/mine');
    for (const [name, content] of Object.entries(sentenceTransformers)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const aliases = { mine: 'nets/mine', small: 'nets/mine/onnx/model_quantized.onnx', gone: 'nets/gone' };
    const resolver = createModelResolver({ root, aliases });
    expect(resolver.names).toEqual(['all-minilm-l6-v2', 'gone', 'mine', 'small', 'use-multilingual-v3']);
    const common = ['config.json', 'modules.json'];
    const after = ['tokenizer.json', 'tokenizer_config.json'];
    const files = ['1_Pooling/config.json', ...common, 'onnx/model.onnx', ...after];
    expect(resolver.find('mine')).toEqual({ folder, files });
    expect(resolver.find('nets/mine')).toEqual({ folder, files });
    expect(resolver.find('small')).toEqual({
      folder,
      files: ['1_Pooling/config.json', ...common, 'onnx/model_quantized.onnx', ...after],
    });
    for (const unknown of ['gone', 'nothing', './nets/mine', '../mine', 'nets/none', 'constructor'])
      expect(resolver.find(unknown), unknown).toBeUndefined();
  });
});

describe('readEncoderSettings', () => {
  const read = (files: Record<string, string>) =>
    readEncoderSettings(folderWith(files), Object.keys(files).sort());
  const { 'onnx/model_quantized.onnx': _, ...one } = sentenceTransformers;

  it('reads limits, pooling and what comes after it', () => {
    expect(read(one)).toEqual({
      network: 'onnx/model.onnx',
      tokenizer: 'tokenizer.json',
      tokenizerConfig: 'tokenizer_config.json',
      maxTokens: 512,
      limit: 512,
      pooling: 'cls',
      dense: [],
      later: ['Dense'],
    });
    expect(
      read({
        'model.onnx': '',
        'tokenizer.json': '{}',
        'tokenizer_config.json': '{"model_max_length": 1e30}',
      }),
    ).toMatchObject({
      maxTokens: 512,
      limit: null,
      pooling: null,
    });
  });

  it('says what is missing or not known', () => {
    expect(() => read({ 'tokenizer.json': '{}' })).toThrow('has no .onnx file');
    expect(() => read({ 'model.onnx': '' })).toThrow('has no tokenizer.json');
    expect(() => read({ ...one, 'config.json': '{' })).toThrow('config.json');
    expect(() =>
      read({ ...one, '1_Pooling/config.json': '{"pooling_mode_weightedmean_tokens": true}' }),
    ).toThrow('weightedmean');
    expect(() => read(sentenceTransformers)).toThrow('several networks');
  });
});
