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
        coherence: finite(names[index]!.coherence.npmi),
        examples: examples[index]!.map((row) => found.texts[row]!),
        example_ids: examples[index]!.map((row) => found.ids[row]!),
      });
    }
    const words = names.flatMap(({ keywords }) => keywords);
    return {
      metrics: {
        clusters: found.numbers.length,
        unclustered: inputs.rows.rows - total,
        rows: total,
        ...meanOf(
          'npmi',
          names.map(({ coherence }) => coherence.npmi),
        ),
        ...meanOf(
          'c_v',
          names.map(({ coherence }) => coherence.cv),
        ),
        ...(words.length > 0 && { topic_diversity: significant(new Set(words).size / words.length) }),
      },
    };
  },
});

function finite(value: number): number | null {
  return Number.isNaN(value) ? null : significant(value);
}

/** The mean of the values that there are, under a name; nothing if there are none. */
function meanOf(name: string, values: readonly number[]): Record<string, number> {
  const known = values.filter((value) => !Number.isNaN(value));
  if (known.length === 0) return {};
  return { [name]: significant(known.reduce((sum, value) => sum + value, 0) / known.length) };
}
