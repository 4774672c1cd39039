import { defineStep } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { significant } from '../significant.ts';
import { findClusters, nameByKeywords } from './clusters.ts';
import { nearestTexts } from './examples.ts';
import { shared } from './shared.ts';

export const inputs = {
  rows: { kind: 'table', description: 'Rows with a text and a cluster.' },
  vectors: {
    kind: 'matrix',
    optional: true,
    description: 'Their vectors: used to find examples if the rows have no `rank` and no `distance`.',
  },
} as const;

/** Names clusters by the words typical of them. */
export const byKeywords = defineStep({
  ...shared,
  inputs,
  outputs: { rows: { kind: 'table', description: 'A row for each cluster.' } },
  async run({ parameters, inputs, outputs, context }) {
    requireFields(inputs.rows, [parameters.text, parameters.cluster]);
    const found = await findClusters(parameters, inputs, context);
    const names = await nameByKeywords(found, parameters, context);
    const examples = nearestTexts(found, parameters.examples);
    const total = found.rows.length;
    for (const [index, number] of found.numbers.entries()) {
      await outputs.rows.write({
        id: String(number),
        cluster: number,
        name: names[index]!.name,
        size: found.sizes[index]!,
        share: significant(found.sizes[index]! / total),
        keywords: names[index]!.keywords,
        examples: examples[index]!.map((row) => found.texts[row]!),
        example_ids: examples[index]!.map((row) => found.ids[row]!),
      });
    }
    return {
      metrics: { clusters: found.numbers.length, unclustered: inputs.rows.rows - total, rows: total },
    };
  },
});
