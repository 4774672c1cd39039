import type { TokenizerJson } from '../tokenizer.ts';
import { floatToHalf, type RawTensor, safetensors } from './safetensors.ts';

/** Files of a static model, under Model2Vec's names. */
export const staticModelFiles = {
  tensors: 'model.safetensors',
  tokenizer: 'tokenizer.json',
  config: 'config.json',
  modules: 'modules.json',
} as const;

/** How numbers are kept. */
export type Precision = 'float32' | 'float16' | 'int8';

/** A static model in the form that Model2Vec's `StaticModel.from_pretrained` reads; texts' vectors are scaled to length 1. */
export function staticModel(model: {
  vectors: { data: Float32Array; rows: number; columns: number };
  precision: Precision;
  tokenizer: TokenizerJson;
  /** What was distilled, for the record. */
  encoder: string;
  sifCoefficient: number | null;
  dimensions: number | null;
}): Map<string, string | Uint8Array> {
  const { vectors, precision } = model;
  const config = {
    model_type: 'model2vec',
    architectures: ['StaticModel'],
    tokenizer_name: model.encoder,
    apply_pca: model.dimensions,
    sif_coefficient: model.sifCoefficient,
    hidden_dim: vectors.columns,
    seq_length: 1_000_000,
    normalize: true,
    pooling: 'mean',
    max_length: 512,
    embedding_dtype: precision,
  };
  const modules = [
    { idx: 0, name: '0', path: '.', type: 'sentence_transformers.models.StaticEmbedding' },
    { idx: 1, name: '1', path: '1_Normalize', type: 'sentence_transformers.models.Normalize' },
  ];
  return new Map<string, string | Uint8Array>([
    [staticModelFiles.tensors, safetensors({ embeddings: tensorOf(vectors, precision) })],
    [staticModelFiles.tokenizer, JSON.stringify(model.tokenizer)],
    [staticModelFiles.config, `${JSON.stringify(config, null, 2)}\n`],
    [staticModelFiles.modules, `${JSON.stringify(modules, null, 2)}\n`],
  ]);
}

function tensorOf(
  { data, rows, columns }: { data: Float32Array; rows: number; columns: number },
  precision: Precision,
): RawTensor {
  const shape = [rows, columns];
  const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  switch (precision) {
    case 'float32':
      return { dtype: 'F32', shape, bytes: bytesOf(data) };
    case 'float16':
      return { dtype: 'F16', shape, bytes: bytesOf(Uint16Array.from(data, floatToHalf)) };
    case 'int8': {
      // One scale for all, as Model2Vec has it: lengths and angles stay in proportion.
      let most = 0;
      for (const value of data) most = Math.max(most, Math.abs(value));
      const scale = most > 0 ? 127 / most : 0;
      return {
        dtype: 'I8',
        shape,
        bytes: bytesOf(Int8Array.from(data, (value) => Math.round(value * scale))),
      };
    }
  }
}
