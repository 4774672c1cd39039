import { hash } from 'node:crypto';
import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson, type Json } from '../../engine/json.ts';
import { defineStep } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { KeyTable } from './key-table.ts';
import { type Normalization, normalize } from './normalize.ts';
import { TextList } from './text-list.ts';

const normalizationDefaults = {
  unicode: 'NFC',
  lowercase: true,
  whitespace: true,
  punctuation: false,
  diacritics: false,
  numbers: false,
} as const satisfies Normalization;

export default defineStep({
  type: 'dedupe',
  summary: 'Removes rows that say the same as another row',
  description: `Two rows are duplicates when all the compared \`fields\` are equal: as they are (\`exact\`), or after normalisation
(\`normalized\`: by default Unicode NFC, lower case, runs of white space as one space). Of each group one row stays, chosen by \`keep\`; the order
of the rows does not change. The others go to the output \`duplicates\` with the id of the row that stayed (\`dup_of\`) and whether the two were
equal as they stand (\`dup_kind\`: \`exact\` or \`normalized\`). Rows in which every compared field is missing are kept. Memory
grows by about 100 bytes a row, however long the texts are.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      method: {
        enum: ['exact', 'normalized'],
        default: 'exact',
        description: 'Compare the fields as they are, or after `normalize`.',
      },
      fields: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        uniqueItems: true,
        default: ['text'],
        description: 'The fields that are compared; rows are duplicates if all of them are equal.',
      },
      keep: {
        enum: ['first', 'last', 'longest'],
        default: 'first',
        description: 'Which row of a group stays; of several longest ones the first.',
      },
      normalize: {
        type: 'object',
        additionalProperties: false,
        default: {},
        description: 'What does not count when texts are compared; for `method: normalized`.',
        properties: {
          unicode: {
            enum: ['none', 'NFC', 'NFKC'],
            default: normalizationDefaults.unicode,
            description:
              'Unicode form: NFC makes composed and decomposed letters equal, NFKC also compatible characters (ﬁ and fi).',
          },
          lowercase: {
            type: 'boolean',
            default: normalizationDefaults.lowercase,
            description: 'Ignore case.',
          },
          whitespace: {
            type: 'boolean',
            default: normalizationDefaults.whitespace,
            description: 'A run of white space is one space, and none at the ends.',
          },
          punctuation: {
            type: 'boolean',
            default: normalizationDefaults.punctuation,
            description: 'Punctuation is white space.',
          },
          diacritics: {
            type: 'boolean',
            default: normalizationDefaults.diacritics,
            description: 'Ignore accents.',
          },
          numbers: {
            type: 'boolean',
            default: normalizationDefaults.numbers,
            description: 'All numbers are the same.',
          },
        },
      },
    },
  },
  inputs: { rows: { kind: 'table', description: 'Rows with the compared fields.' } },
  outputs: {
    rows: { kind: 'table', description: 'The rows that stay, in their order.' },
    duplicates: { kind: 'table', description: 'The rows that were removed, with `dup_of` and `dup_kind`.' },
  },
  metrics: {
    removed: 'Rows that were removed.',
    removed_exact: 'Removed rows that equal the row that stayed without normalisation.',
    groups: 'Groups of two or more equal rows.',
    largest_group: 'Rows in the largest group; 0 without any.',
    removed_share: 'Removed rows as a share of all.',
    kept: 'Rows that stay.',
  },
  example: `unique:
  use: dedupe
  from: queries
  with: { method: normalized, fields: [text], keep: first }`,
  check(parameters) {
    if (parameters.method === 'normalized') return [];
    const idle = Object.entries(parameters.normalize).find(
      ([option, value]) => value !== normalizationDefaults[option as keyof Normalization],
    );
    if (!idle) return [];
    return [
      {
        parameter: `normalize.${idle[0]}`,
        message: `normalize.${idle[0]} has no effect with method exact; write method: normalized`,
      },
    ];
  },

  async run({ parameters, inputs, outputs, context }) {
    outputs.rows.expect(inputs.rows.fields);
    outputs.duplicates.expect([...inputs.rows.fields, 'dup_of', 'dup_kind']);
    const { fields, keep } = parameters;
    requireFields(inputs.rows, fields);
    const normalization = parameters.method === 'normalized' ? parameters.normalize : null;
    const total = inputs.rows.rows;

    // Flat arrays, since a million rows of JavaScript values would fill the heap. A group is known by its number;
    // the arrays named `kept…` say which of its rows stays.
    const groups = new KeyTable();
    const sizes = new Uint32Array(total);
    const keptIndex = new Uint32Array(total);
    const keptId = new TextList(total);
    const keptLength = new Float64Array(keep === 'longest' ? total : 0);
    const keptIdentity = new Float64Array(normalization ? total : 0);
    const groupOf = new Int32Array(keep === 'first' ? 0 : total);
    const missing = -1;

    const valuesOf = (row: Row) => fields.map((field) => row[field] ?? null);
    let removedExact = 0;
    const emit = (row: Row, index: number, group: number) => {
      if (group === missing || keptIndex[group] === index) return outputs.rows.write(row);
      const exact = !normalization || keptIdentity[group] === identityOf(keyOf(valuesOf(row)));
      if (exact) removedExact++;
      const dup_kind = exact ? 'exact' : 'normalized';
      return outputs.duplicates.write({ ...row, dup_of: keptId.get(group), dup_kind });
    };

    let index = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        const values = valuesOf(row);
        let group = missing;
        if (values.some((value) => value !== null)) {
          group = groups.number(
            keyOf(normalization ? values.map((value) => normalizeAll(value, normalization)) : values),
          );
          const length = keep === 'longest' ? lengthOf(values) : 0;
          if (sizes[group] === 0 || keep === 'last' || length > keptLength[group]!) {
            keptIndex[group] = index;
            keptId.set(group, row.id);
            if (keep === 'longest') keptLength[group] = length;
            if (normalization) keptIdentity[group] = identityOf(keyOf(values));
          }
          sizes[group]!++;
        }
        // The first row of a group is known to stay as soon as it is seen; for the others a second pass is needed.
        if (keep === 'first') {
          const pending = emit(row, index, group);
          if (pending) await pending;
        } else groupOf[index] = group;
        index++;
      }
      context.progress(index, total, 'rows');
      context.signal.throwIfAborted();
    }

    if (keep !== 'first') {
      index = 0;
      for await (const block of inputs.rows.blocks()) {
        for (const row of block) {
          const pending = emit(row, index, groupOf[index]!);
          if (pending) await pending;
          index++;
        }
        context.signal.throwIfAborted();
      }
    }

    let repeated = 0;
    let largest = 0;
    let compared = 0;
    for (const size of sizes.subarray(0, groups.size)) {
      compared += size;
      if (size < 2) continue;
      repeated++;
      if (size > largest) largest = size;
    }
    const withoutFields = total - compared;
    if (withoutFields > 0)
      context.warn(
        `${withoutFields} of ${total} rows have no ${fields.join(', ')}; they were kept, since nothing says that they are the same`,
      );
    const removed = compared - groups.size;
    return {
      metrics: {
        removed,
        removed_exact: removedExact,
        groups: repeated,
        largest_group: largest,
        removed_share: total > 0 ? removed / total : 0,
        kept: total - removed,
      },
    };
  },
});

/** A text that is equal for equal values, and for no others. */
function keyOf(values: Json[]): string {
  const [value] = values;
  // The common case, without the cost of JSON. A text with half a surrogate pair has no UTF-8 to be hashed.
  if (values.length === 1 && typeof value === 'string' && value.isWellFormed()) return `"${value}`;
  return canonicalJson(values);
}

/** 52 bits of a hash: enough to tell whether two rows of one group are equal as they stand. */
function identityOf(key: string): number {
  return Number.parseInt(hash('sha256', key, 'hex').slice(0, 13), 16);
}

/** Normalises every text in a value, also those in lists and objects (the messages of a conversation, say). */
function normalizeAll(value: Json, options: Normalization): Json {
  if (typeof value === 'string') return normalize(value, options);
  if (Array.isArray(value)) return value.map((item) => normalizeAll(item, options));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normalizeAll(item, options)]));
}

/** Characters (UTF-16 code units) of the compared values. */
function lengthOf(values: Json[]): number {
  return values.reduce<number>(
    (sum, value) =>
      sum + (value === null ? 0 : typeof value === 'string' ? value.length : canonicalJson(value).length),
    0,
  );
}
