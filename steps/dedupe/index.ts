import { defineStep, type OutputSpecs, type TableInput } from '../../engine/step.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { dedupeEqual } from './equal-rows.ts';
import { checkParameters, type Parameters, parameters } from './parameters.ts';
import { findSimilarTexts } from './similar-texts.ts';
import { findSimilarVectors } from './similar-vectors.ts';
import { type Verdicts, writeVerdicts } from './verdicts.ts';

const outputs = {
  rows: { kind: 'table', description: 'The rows that stay, in their order.' },
  duplicates: {
    kind: 'table',
    description:
      'The rows that were removed, with `dup_of`, `dup_kind` (`exact`, `normalized` or the method), `dup_score` and, where `against` is bound, `dup_in` (`rows` or `against`).',
  },
  groups: {
    kind: 'table',
    description:
      'A row for each group of two or more: `id` of the row that stayed, `size`, and `least_score`, the lowest `dup_score` in it.',
  },
} as const satisfies OutputSpecs;
const keptVectors = {
  vectors: { kind: 'matrix', description: 'semantic: the vectors of the rows that stay.' },
} as const;

export default defineStep({
  type: 'dedupe',
  summary: 'Removes rows that say the same as another row',
  description: `- \`exact\`: all the compared \`fields\` are equal as they are.
- \`normalized\`: they are equal after \`normalize\` (by default Unicode NFC, lower case, runs of white space as one space).
- \`minhash\`: the sets of shingles (runs of \`ngram\` characters or words of the normalised text) have a Jaccard similarity
  |A ∩ B| / |A ∪ B| of at least \`threshold\`. Candidates come from MinHash signatures in bands (Broder 1997), every one is
  checked exactly: nothing below the threshold is taken for a duplicate. Bands and rows are chosen by datasketch's integral of the
  errors with a weight of 0.99 on missed pairs, since the others cost a comparison only: at 0.8 and 128 values 18 × 7, which misses
  1.5 % of the pairs that lie exactly on the threshold and next to none of the others.
- \`fuzzy\`: 1 − edit distance / length of the longer text is at least \`threshold\`; candidates are found as for minhash, by pairs of characters.
- \`semantic\`: the cosine of the \`vectors\` is at least \`threshold\`, within k-means clusters (SemDeDup, Abbas et al. 2023). Rows are
  taken in the order of \`keep\`; one that is like a row kept before is removed, so that no two rows that stay in a cluster are alike.

Of each group one row stays, chosen by \`keep\`; the order of the rows does not change. With \`minhash\` and \`fuzzy\` rows that are alike over
others are one group too, so a \`dup_score\` can be below the threshold. Rows in which every compared field is missing are kept.

Bound to another table, \`against\` removes the rows that are in it or like one in it (\`dup_of\` is that row's id): test rows out of
training data, also where they are marked \`purpose: eval_only\`, or what an earlier run had. What is repeated inside of \`against\` does not matter.

The result is the same with any number of threads. exact and normalized take about 100 bytes a row, however long the texts are; minhash and fuzzy hold the texts
and 4 bytes a band, semantic the vectors. Time grows with the rows, and with the square of the number of unlike rows that share
a band or a cluster.`,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'Rows with the compared fields.' },
    vectors: {
      kind: 'matrix',
      optional: true,
      description: 'A vector for each of the rows, for `method: semantic`.',
    },
    against: {
      kind: 'table',
      optional: true,
      withheld: true,
      description: 'Rows that must not be repeated.',
    },
    against_vectors: {
      kind: 'matrix',
      optional: true,
      withheld: true,
      description: 'A vector for each row of `against`, for `method: semantic`.',
    },
  },
  outputs: { ...outputs, ...keptVectors },
  outputsOf: ({ method }): OutputSpecs => (method === 'semantic' ? { ...outputs, ...keptVectors } : outputs),
  metrics: {
    removed: 'Rows that were removed.',
    groups: 'Groups of two or more rows that say the same.',
    largest_group: 'Rows in the largest group; 0 without any.',
    removed_exact: 'Removed rows that equal the row that stayed without normalisation.',
    removed_against: 'Removed rows that repeat a row of `against`.',
    removed_share: 'Removed rows as a share of all.',
    kept: 'Rows that stay.',
  },
  example: `unique:
  use: dedupe
  from: queries
  with: { method: normalized, fields: [text], keep: first }`,
  check: (given) => checkParameters(given as Parameters),

  async run({ parameters: given, inputs, outputs: written, context }) {
    const parameters = given as Parameters;
    const { method } = parameters;
    written.rows.expect(inputs.rows.fields);
    written.duplicates.expect([
      ...inputs.rows.fields,
      ...['dup_of', 'dup_kind', 'dup_score'],
      ...(inputs.against ? ['dup_in'] : []),
    ]);
    written.groups.expect(['id', 'size', 'least_score']);
    if (method === 'exact' || method === 'normalized') {
      const tally = await dedupeEqual(parameters, inputs, written, context);
      return { metrics: tally.metrics(inputs.rows.rows) };
    }
    let verdicts: Verdicts;
    if (method === 'semantic') {
      const found = await findSimilarVectors(parameters, inputs, context);
      verdicts = found.verdicts;
      const kept = await keptRows(inputs.rows, verdicts);
      await written.vectors.write(gatherRows(found.vectors, kept.places), kept.ids);
    } else verdicts = await findSimilarTexts({ ...parameters, method }, inputs, context);
    const tally = await writeVerdicts(verdicts, inputs, written, context);
    return { metrics: tally.metrics(inputs.rows.rows) };
  },
});

async function keptRows(rows: TableInput, { kept, against }: Verdicts) {
  const ids: string[] = [];
  const places: number[] = [];
  let index = 0;
  for await (const block of rows.blocks())
    for (const row of block) {
      if (against[index] === -1 && kept[index] === index) {
        ids.push(row.id);
        places.push(index);
      }
      index++;
    }
  return { ids, places };
}
