import { defineVariants } from '../../engine/step.ts';
import { byModel } from './by-model.ts';
import { byKeywords } from './keywords.ts';
import { shared } from './shared.ts';

export default defineVariants({
  ...shared,
  inputs: {
    rows: { kind: 'table', description: 'Rows with a text and a cluster; documents.' },
    vectors: {
      kind: 'matrix',
      optional: true,
      description:
        'Their vectors: used to find examples if the rows have no `rank` and no `distance`, and the nearest texts of other clusters.',
    },
    feedback: {
      kind: 'table',
      optional: true,
      description: 'By a model: what was said of earlier names, by cluster or document.',
    },
  },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'A row for each cluster: `cluster`, `name`, `size`, `share` of the rows, `keywords`, their `coherence` (by keywords only), `examples` (texts) and their `example_ids`; by a model also `description`. Of documents: the rows with `title` and `summary`.',
    },
    failed: {
      kind: 'table',
      optional: true,
      description: 'By a model: clusters, or documents, that failed, with the reason.',
    },
  },
  variantOf: ({ method }) => (method === 'model' ? byModel : byKeywords),
});
