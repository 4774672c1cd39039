import type { Json, JsonObject } from '../../engine/json.ts';
import { defineRowStep, RowFailure, type StepResult } from '../../engine/step.ts';
import { allOf, languageModel, rowsAtOnce, sampling, samplingOf } from '../asking.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { sameKey, similarities, similarity } from './similarity.ts';
import {
  byModel,
  byRule,
  damaged,
  labelFlaw,
  type Method,
  methods,
  rewritten,
  type Variant,
} from './variants.ts';

/** What is filed for a row. */
interface Made extends Variant {
  similarity: number;
}

const batchRows = 256;
const needsModel = (method: Method) => (byModel as readonly Method[]).includes(method);

export default defineRowStep({
  type: 'augment',
  summary:
    'Makes further rows out of rows: reworded by a language model, or damaged by rule, with a filter for what is of no use',
  description: `By a language model, \`variants\` of each row:

- \`paraphrase\`: the same in other words.
- \`back_translation\`: into each of the languages \`pivots\` and back (Sennrich et al. 2016).
- \`contextual\`: about every fifth word replaced by one that fits (Kobayashi 2018).

Without any, \`variants\` of each row at each of the \`rates\`, to see what a model bears:

- \`typos\`: that share of the letters mistyped: a neighbouring key (QWERTY, ЙЦУКЕН) instead or besides, a letter left out, two changed round.
- \`missing_words\`: that share of the words left out.
- \`malformed_json\`: that share of the tokens of a JSON text broken, one at least; what comes out is never JSON.

Where a share is no whole number of letters or words, the number is drawn, so that a table as a whole has the share. The same row, seed and rate give the same damage.

**Filter.** A variant goes to \`rejected\`, with the reason, if it says the same as its row, as another variant or as another row of the table (letters and digits compared), if
it is less or more alike to its row than \`similarity\` allows, or if a language model says that it has not the label of its row any more (\`label_check\`).

Each row of the output is \`<id>#k\` with \`parent_id\` and \`augmentation\`. Data marked \`purpose: eval_only\` is refused.`,
  seeded: true,
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['methods'],
    properties: {
      methods: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { enum: methods },
        description: 'How rows are made.',
      },
      text: {
        type: 'string',
        minLength: 1,
        default: 'text',
        description: 'The field with the text; lists and objects are taken as JSON.',
      },
      variants: {
        type: 'integer',
        minimum: 1,
        maximum: 100,
        default: 1,
        description: 'Of each row, by each method (and at each rate, over each pivot).',
      },
      rates: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
        default: [0.05, 0.1, 0.15],
        description: 'Shares that are damaged (methods without a model).',
      },
      model: languageModel('The alias of the language model that rewords.'),
      instructions: {
        type: 'string',
        minLength: 1,
        description: 'What else the model is to heed: the tone, the field.',
      },
      pivots: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { type: 'string', minLength: 2 },
        default: ['de'],
        description: 'Languages (ISO codes) to translate into and back from.',
      },
      label: {
        type: 'string',
        minLength: 1,
        description: 'The field with the label; the model is told to keep it.',
      },
      label_check: {
        type: 'object',
        additionalProperties: false,
        required: ['model'],
        properties: { model: languageModel('The alias of the model that is asked.') },
        description: 'Asks a model whether each variant still has the label of its row.',
      },
      similarity: {
        type: 'object',
        additionalProperties: false,
        properties: {
          min: {
            type: 'number',
            minimum: 0,
            maximum: 1,
            default: 0,
            description: 'What is less alike is rejected.',
          },
          max: {
            type: 'number',
            minimum: 0,
            maximum: 1,
            default: 1,
            description: 'What is more alike is rejected.',
          },
          measure: {
            enum: similarities,
            default: 'trigrams',
            description: 'Three characters in a row, or edits.',
          },
        },
        description: 'How alike a variant and its row may be.',
      },
      keep_original: {
        type: 'boolean',
        default: false,
        description: 'The rows themselves stand before their variants.',
      },
      ...sampling,
    },
  },
  inputs: { rows: { kind: 'table', learnt: true, description: 'Rows with a text.' } },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'The variants: the fields of their row with another text, `parent_id`, `augmentation`, `similarity`, and `rate` and `edits` or `pivot`.',
    },
    rejected: { kind: 'table', description: 'Variants of no use, with the `reason`.' },
  },
  metrics: {
    rows: 'Rows that came in.',
    variants: 'Variants that are left.',
    rejected: 'Variants of no use.',
    mean_similarity: 'Mean similarity of variants and their rows.',
    edit_rate: 'Share that was damaged, of all variants by the methods typos and missing_words together.',
  },
  example: `more:
  use: augment
  from: queries
  with:
    methods: [paraphrase, back_translation]
    model: writer
    label: team
    label_check: { model: writer }
    similarity: { min: 0.2, max: 0.9 }`,
  check({ methods: chosen, model, label, label_check, similarity: band }) {
    const problems: { parameter: string; message: string }[] = [];
    const wrong = (parameter: string, message: string) => problems.push({ parameter, message });
    const asks = chosen.find(needsModel);
    if (asks !== undefined && model === undefined) wrong('methods', `methods: ${asks} needs a model`);
    if (asks === undefined && model !== undefined) wrong('model', 'model is for the methods that ask one');
    if (label_check && label === undefined)
      wrong('label_check', 'label_check needs the field with the label: label');
    if (band && band.min > band.max)
      wrong('similarity', `similarity goes from min to max; ${band.min} is above ${band.max}`);
    return problems;
  },
  fields: ({ text, label }) => (label === undefined ? [text] : [text, label]),
  rowParameters: ({ keep_original: _, ...counted }) => counted as JsonObject,
  async open({ parameters: given, inputs, context }) {
    requireFields(inputs.rows, given.label === undefined ? [given.text] : [given.text, given.label]);
    const band = given.similarity ?? { min: 0, max: 1, measure: 'trigrams' as const };
    const labels = given.label_check ? await labelsOf(inputs.rows, given.label!) : [];
    const asksAtAll = given.model !== undefined || given.label_check !== undefined;
    const make = async (source: string, label: string | null): Promise<Made[]> => {
      const made = await allOf(
        given.methods.map(async (method) => {
          const rule = byRule.find((name) => name === method);
          if (rule) return damaged(source, rule, given.rates, given.variants, context.random);
          return rewritten(source, method as (typeof byModel)[number], {
            model: context.languageModel(given.model!),
            instructions: given.instructions ?? null,
            label,
            pivots: given.pivots,
            count: given.variants,
            sampling: samplingOf(given),
          });
        }),
      );
      return allOf(
        made.flat().map(async (variant): Promise<Made> => {
          const alike = similarity(source, variant.text, band.measure);
          const own = { ...variant, similarity: significant(alike) };
          if (variant.flaw !== null) return own;
          if (sameKey(source) === sameKey(variant.text) && variant.method !== 'malformed_json')
            return { ...own, flaw: 'duplicate: it says the same as its row' };
          if (alike < band.min || alike > band.max)
            return {
              ...own,
              flaw: `similarity: ${significant(alike)} is not from ${band.min} to ${band.max}`,
            };
          if (!given.label_check || label === null) return own;
          const judge = context.languageModel(given.label_check.model);
          return { ...own, flaw: await labelFlaw(variant.text, label, labels, judge) };
        }),
      );
    };
    return {
      // The other labels are named to who checks.
      identity: labels.length > 0 ? { labels } : null,
      batchSize: asksAtAll ? 1 : batchRows,
      concurrency: asksAtAll ? rowsAtOnce : 1,
      async compute(batch) {
        return Promise.all(
          batch.map(async ([text, label = null]) => {
            if (text === null || text === undefined) return new RowFailure(`${given.text} is not there`);
            return (await make(textOf(text), label === null ? null : textOf(label))) as unknown as Json;
          }),
        );
      },
    };
  },
  async emit(
    { parameters: { text: field, keep_original: keep }, inputs, outputs },
    rows,
  ): Promise<StepResult> {
    const seen = new Set<string>();
    for await (const block of inputs.rows.blocks())
      for (const row of block) if (row[field] != null) seen.add(sameKey(textOf(row[field]!)));
    const added = ['parent_id', 'augmentation', 'similarity', 'rate', 'edits', 'pivot'];
    outputs.rows.expect([...inputs.rows.fields, ...added]);
    outputs.rejected.expect([...inputs.rows.fields, ...added, 'reason']);
    const sum = { rows: 0, variants: 0, rejected: 0, alike: 0, edits: 0, places: 0 };
    for await (const { row, value } of rows) {
      sum.rows++;
      const source = textOf(row[field]!);
      if (keep) await outputs.rows.write(row);
      for (const [index, variant] of (value as unknown as Made[]).entries()) {
        const { method, rate, edits, pivot, text, similarity: alike } = variant;
        const key = sameKey(text);
        let { flaw } = variant;
        if (flaw === null && seen.has(key) && method !== 'malformed_json')
          flaw = 'duplicate: another row, or another variant, says the same';
        const out = {
          ...row,
          id: `${row.id}#${index + 1}`,
          parent_id: row.id,
          [field]: text,
          augmentation: method,
          similarity: alike,
          ...(rate !== null && { rate, edits }),
          ...(pivot !== null && { pivot }),
        };
        if (method === 'typos' || method === 'missing_words') {
          sum.edits += edits!;
          sum.places +=
            method === 'typos' ? (source.match(/\p{L}/gu)?.length ?? 0) : source.trim().split(/\s+/).length;
        }
        if (flaw !== null) {
          sum.rejected++;
          await outputs.rejected.write({ ...out, reason: flaw });
          continue;
        }
        seen.add(key);
        sum.variants++;
        sum.alike += alike;
        await outputs.rows.write(out);
      }
    }
    return {
      metrics: {
        rows: sum.rows,
        variants: sum.variants,
        rejected: sum.rejected,
        ...(sum.variants > 0 && { mean_similarity: significant(sum.alike / sum.variants) }),
        ...(sum.places > 0 && { edit_rate: significant(sum.edits / sum.places) }),
      },
    };
  },
});

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The different labels of a table, sorted. */
async function labelsOf(
  table: { blocks(): AsyncIterable<{ [field: string]: Json }[]> },
  field: string,
): Promise<string[]> {
  const found = new Set<string>();
  for await (const block of table.blocks())
    for (const row of block) if (row[field] != null) found.add(textOf(row[field]!));
  return [...found].sort();
}
