import { defineVariants } from '../../engine/step.ts';
import { trainHead } from './head.ts';
import { shared } from './shared.ts';
import { distilEncoder } from './static-embedding.ts';

export default defineVariants({
  ...shared,
  inputs: {
    rows: {
      kind: 'table',
      optional: true,
      learnt: true,
      description: 'Rows with their class; of static_embedding with `vocabulary: rows`, with a text.',
    },
    vectors: {
      kind: 'matrix',
      optional: true,
      learnt: true,
      description: 'A vector for each of the rows; not for static_embedding.',
    },
  },
  outputs: {
    head: { kind: 'files', optional: true, description: '`head.onnx`, `labels.json` and `head.json`.' },
    candidates: {
      kind: 'table',
      optional: true,
      description: 'A row for each `C` that was tried: `accuracy` and `log_loss` in cross-validation.',
    },
    encoder: {
      kind: 'files',
      optional: true,
      description:
        'Of static_embedding: `model.safetensors`, `tokenizer.json`, `config.json` and `modules.json`.',
    },
  },
  variantOf: ({ method }) => (method === 'static_embedding' ? distilEncoder : trainHead),
});
