import { defineVariants } from '../../engine/step.ts';
import { byModel } from './by-model.ts';
import { byHead } from './head.ts';
import { shared } from './shared.ts';

export default defineVariants({
  ...shared,
  inputs: {
    rows: { kind: 'table', description: 'Any rows; by a language model those with a text.' },
    vectors: { kind: 'matrix', optional: true, description: 'With a head: a vector for each of the rows.' },
    model: { kind: 'files', optional: true, description: 'The head: the output `head` of `train`.' },
    examples: {
      kind: 'table',
      optional: true,
      learnt: true,
      description: 'By a language model, with `few_shot`: rows with a text and their class.',
    },
  },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'The rows with `predicted`, `confidence`, `margin`, `out_of_scope_score` and, with a threshold, `is_out_of_scope`, with probability_of `probability`; by a language model `votes`, with levels `levels`, and `reason`.',
    },
    probabilities: {
      kind: 'matrix',
      optional: true,
      description:
        'The probability of each class, in the order of `labels.json` of the head, or of `labels` where no class has others below.',
    },
    failed: {
      kind: 'table',
      optional: true,
      description: 'By a language model: rows that failed, with the reason.',
    },
  },
  variantOf: ({ model }) => (model === undefined ? byHead : byModel),
});
