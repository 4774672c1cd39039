import type { FromSchema } from '../../engine/schema-type.ts';
import { languageModel, promptProblems, sampling, template } from '../asking.ts';
import { choices } from '../generate/few-shot.ts';
import { readLabels } from './labels.ts';

const parameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    model: languageModel(
      'The alias of a language model that classifies; without it a head does, which is the input `model`.',
    ),
    text: {
      type: 'string',
      minLength: 1,
      default: 'text',
      description: 'By a language model: the field with the text.',
    },
    labels: {
      type: 'array',
      minItems: 1,
      items: { type: ['string', 'object'] },
      description:
        'By a language model: the classes, as names or as `{ name, description, labels }` with the classes below; asked level by level.',
    },
    multi_label: {
      type: 'boolean',
      default: false,
      description: 'By a language model: a text can have several classes, or none.',
    },
    instructions: {
      type: 'string',
      minLength: 1,
      description: 'By a language model: what the texts are and what decides, in front of the classes.',
    },
    prompt: template('By a language model: how a row is put before it; the text alone if not given.'),
    examples: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['text', 'label'],
        properties: {
          text: { type: 'string', description: 'A text as the prompt would write it.' },
          label: {
            type: ['string', 'array'],
            description: 'Its class, with `/` between levels; with multi_label a list.',
          },
        },
      },
      description: 'By a language model: texts with their classes, shown before each row (few-shot).',
    },
    few_shot: {
      type: 'object',
      additionalProperties: false,
      required: ['label'],
      properties: {
        label: {
          type: 'string',
          minLength: 1,
          description: 'The field of the input `examples` with the class: as in `examples` above.',
        },
        by: {
          enum: choices,
          default: 'similarity',
          description:
            "`similarity`: those most like the row's text (TF-IDF cosine), the likest last; `mmr`: like it and unlike each other; `balanced`: of each answer in turns the likest; `diversity`: the same for all rows, as unlike each other as can be; `random`: the same for all rows.",
        },
        count: { type: 'integer', minimum: 1, maximum: 100, default: 4, description: 'Examples for a row.' },
        seed: { type: 'integer', default: 42, description: 'Of `random`: another number draws others.' },
      },
      description:
        'By a language model: examples that are chosen among the rows of the input `examples`, after the fixed ones.',
    },
    reason: {
      type: 'boolean',
      default: false,
      description: 'By a language model: it says why before it says which; the field `reason`.',
    },
    samples: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 1,
      description: 'By a language model: answers for each row; the class that most of them give is taken.',
    },
    confidence: {
      enum: ['votes', 'logprobs'],
      default: 'votes',
      description:
        'By a language model: what `confidence` is: the share of the samples, or the probability of the answer where the provider gives it.',
    },
    out_of_scope: {
      enum: ['max_probability', 'energy'],
      default: 'max_probability',
      description: 'What `out_of_scope_score` is; `energy` is for heads.',
    },
    threshold: { type: 'number', description: 'Rows with a greater score are out of scope.' },
    out_of_scope_label: {
      type: 'string',
      minLength: 1,
      description:
        'What `predicted` says of them; the nearest class if not given. A language model may choose it, too.',
    },
    probability_of: {
      type: 'string',
      minLength: 1,
      description:
        'By a head: a class, whose probability is the field `probability`: what rules of a route go by (`row.probability > 0.4`).',
    },
    ...sampling,
  },
} as const;

export type Given = FromSchema<typeof parameters>;

/** What both ways to classify have in common. */
export const shared = {
  type: 'classify',
  summary: 'Gives rows a class: with a head that train made, or by a language model',
  description: `Two ways, one result. The input \`model\` is the output \`head\` of a step \`train\`: of this workflow (\`model: head\`) or of an earlier run of any (\`model: run:latest/head\`,
\`model: run:<tag>/head\`). The vectors must be made as those that it learnt from: by the same encoder, with the same parameters. The parameter \`model\` is a
language model, which needs neither vectors nor training, but \`labels\`:

\`\`\`yaml
teams:
  use: classify
  from: queries
  with:
    model: writer
    instructions: Which team must answer this customer?
    labels: [cards, { name: loans, description: "credit of any kind, mortgages too" }, accounts]
    samples: 5
    out_of_scope_label: other
\`\`\`

Each row gets its class (\`predicted\`), the probability of it (\`confidence\`), how far it is ahead of the second (\`margin\`), and
\`out_of_scope_score\`, which is the greater the less the row looks like any class:

- \`max_probability\` (default): 1 − the greatest probability (Hendrycks & Gimpel 2017).
- \`energy\`: −log Σ exp(score) (Liu et al. 2020), of a head.

With \`probability_of\` a head also writes the field \`probability\`: that of this one class.

With a \`threshold\` rows with a greater score are marked (\`is_out_of_scope\`), and with \`out_of_scope_label\` they get that class.

**By a language model** the answer is held to the classes by a JSON schema. The probability of a class is the share of the \`samples\` that chose it (\`votes\`; of equals the class that
stands first is taken), or what the provider says of the first token of the answer (\`logprobs\`; the classes are numbered for it). With one sample and no logprobs nothing is
known of it: \`confidence\` is null. With classes below classes the model chooses level by level; \`predicted\` is \`loans/mortgage\`, \`levels\` is the list, and probabilities
are multiplied. With \`multi_label\` \`predicted\` is the list of the classes that at least half of the samples chose. \`votes\` says how the samples chose.`,
  parameters,
  metrics: {
    rows: 'Rows classified.',
    classes: 'Classes that there are.',
    mean_confidence: 'Mean of the greatest probabilities.',
    out_of_scope: 'Rows that are out of scope (with a threshold).',
  },
  example: `answers:
  use: classify
  from: { rows: parts.test, vectors: parts.test_vectors, model: head }`,
  check(given: Given) {
    const problems = promptProblems({ prompt: given.prompt });
    const wrong = (parameter: string, message: string) => problems.push({ parameter, message });
    const { model, labels, threshold, out_of_scope_label: outLabel } = given;
    if (model === undefined) {
      for (const name of ['labels', 'instructions', 'prompt'] as const)
        if (given[name] !== undefined)
          wrong(name, `${name} is for a language model: name its alias as the parameter model`);
      if (outLabel !== undefined && threshold === undefined)
        wrong('out_of_scope_label', 'out_of_scope_label has no effect without a threshold');
      return problems;
    }
    if (labels === undefined) {
      wrong('model', 'model needs labels: the classes to choose from');
      return problems;
    }
    const read = readLabels(labels);
    if ('wrong' in read) wrong('labels', read.wrong);
    else {
      const isDeep = read.some(({ below }) => below.length > 0);
      if (isDeep && given.multi_label) wrong('multi_label', 'multi_label takes classes without others below');
      if (!given.multi_label && !isDeep && read.length < 2 && outLabel === undefined)
        wrong('labels', 'labels: one class is no choice');
    }
    if (given.probability_of !== undefined) wrong('probability_of', 'probability_of is for heads');
    if (given.out_of_scope === 'energy') wrong('out_of_scope', 'out_of_scope: energy is for heads');
    if (given.confidence === 'logprobs') {
      if (given.multi_label)
        wrong('confidence', 'confidence: logprobs is for one class; multi_label takes votes');
      if (given.reason) wrong('confidence', 'confidence: logprobs is of an answer without a reason');
      if (given.samples > 1) wrong('confidence', 'confidence: logprobs needs one sample');
    }
    return problems;
  },
} as const;
