import type { Row } from '../../engine/artefacts.ts';
import { suggestion } from '../../engine/nearest.ts';
import { StepError } from '../../engine/problems.ts';
import { defineStep } from '../../engine/step.ts';
import { normalQuantile } from '../../numerics/calibration.ts';
import { fisherExact } from '../../numerics/count-tails.ts';
import { jensenShannonDistance, populationStabilityIndex } from '../../numerics/distribution-shift.ts';
import { benjaminiHochberg } from '../../numerics/false-discovery.ts';
import { differenceInterval } from '../../numerics/proportion.ts';
import { requireFinite } from '../finite-vectors.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { valueName } from '../value-name.ts';
import { separation } from './domain-classifier.ts';
import { readSources } from './read.ts';

export default defineStep({
  type: 'drift',
  summary: 'Compares data sets: the share of each cluster, and how well their rows can be told apart',
  description: `Cluster the data sets together; \`source\` is the field that says which of them a row is of. Each set is compared with one of them, the \`reference\` (the first row's, if not given):

- **Clusters**: the share of each in the set and in the reference, their \`difference\` with its interval (Newcombe 1998), and whether it is more than chance: Fisher's exact test, two-sided; \`q_value\` is
  adjusted for all clusters and sets (Benjamini & Hochberg 1995). Rows in no cluster (−1, noise) count as one more cluster.
- **As a whole**: \`psi\`, the population stability index (above 0.1 some shift, above 0.25 a great one), and \`js_distance\` (Jensen-Shannon, 0 to 1) of the shares.
- **Vectors**, if there are any: \`domain_auc\`, the area under the ROC curve of a logistic regression that tells the set from the reference, each row judged by one that has not seen it: 0.5 where they cannot be told
  apart, 1 where they always can; with the interval of Hanley and McNeil (1982). At most 5,000 rows of each are looked at.

P-values are small for any difference if only there are rows enough: look at its size first. Rows of one field with two values (before and after a release, say) are two sets as well.`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['source'],
    properties: {
      source: {
        type: 'string',
        minLength: 1,
        description: 'The field that says which data set a row is of.',
      },
      reference: {
        anyOf: [{ type: 'string', minLength: 1 }, { type: 'number' }, { type: 'boolean' }],
        description:
          'Its value for the rows that the others are compared with. Default: that of the first row.',
      },
      cluster: {
        type: 'string',
        minLength: 1,
        default: 'cluster',
        description: 'The field with the cluster, or any other with a few values.',
      },
      alpha: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.05,
        description: 'Clusters with a `q_value` of at most this are counted as changed.',
      },
      confidence_level: {
        type: 'number',
        exclusiveMinimum: 0,
        exclusiveMaximum: 1,
        default: 0.95,
        description: 'How sure intervals are.',
      },
    },
  },
  inputs: {
    rows: { kind: 'table', description: 'Rows with a data set and a cluster.' },
    vectors: { kind: 'matrix', optional: true, description: 'Their vectors.' },
  },
  outputs: {
    rows: {
      kind: 'table',
      description:
        'A row for each set and cluster, the surest difference first: the source, the cluster, `rows`, `reference_rows`, `share`, `reference_share`, `difference` with `difference_low` and `difference_high`, `p_value`, `q_value`.',
    },
    sources: {
      kind: 'table',
      description:
        'A row for each set: the source, `rows`, `changed` (clusters), `psi`, `js_distance`, and with vectors `domain_auc` with `domain_auc_low` and `domain_auc_high`.',
    },
  },
  metrics: {
    sources: 'Data sets, the reference included.',
    changed: 'Clusters whose share differs, over all sets.',
    psi: 'Population stability index; the greatest of all sets.',
    js_distance: 'Jensen-Shannon distance; the greatest of all sets.',
    domain_auc: 'How well a set can be told from the reference; the greatest of all sets.',
    rows: 'Rows compared.',
    excluded: 'Rows of no data set.',
  },
  example: `shift:
  use: drift
  from: topics
  with: { source: month, reference: 2026-10 }`,
  seeded: true,

  async run({ parameters: given, inputs, outputs, context }) {
    const { source, cluster, alpha } = given;
    requireFields(inputs.rows, [source, cluster]);
    if (inputs.vectors) sameRows(inputs.rows, inputs.vectors);
    const { members, clusterOf, clusters, sources, excluded } = await readSources(
      inputs.rows,
      source,
      cluster,
    );
    if (excluded > 0)
      context.warn(`${excluded} of ${inputs.rows.rows} rows have no ${source}; they are left out`);
    const names = [...members.keys()];
    const { reference: wanted } = given;
    // The month 2026 of YAML is a number, that of CSV a text.
    const reference =
      wanted === undefined
        ? names[0]
        : (names.find((name) => name === valueName(wanted)) ??
          names.find((name) => String(sources.get(name)) === String(wanted)));
    if (reference === undefined && names.length > 0)
      throw new StepError(
        'unknown-source',
        `no row has the ${source} "${wanted}"`,
        suggestion(String(wanted), names, `its values`),
      );
    const base = members.get(reference ?? '') ?? [];
    const countsOf = (rows: readonly number[]) => {
      const counts = new Array<number>(clusters.length).fill(0);
      for (const row of rows) counts[clusterOf[row]!]!++;
      return counts;
    };
    const matrix = await inputs.vectors?.read();
    if (matrix) requireFinite(matrix);
    const z = normalQuantile(given.confidence_level);
    const baseCounts = countsOf(base);
    const found: { row: Row; pValue: number; set: string }[] = [];
    const sets: { name: string; row: Row }[] = [];
    for (const [name, rows] of members) {
      if (name === reference) continue;
      const counts = countsOf(rows);
      clusters.forEach((label, at) => {
        const [here, there] = [
          { count: counts[at]!, total: rows.length },
          { count: baseCounts[at]!, total: base.length },
        ];
        if (here.count + there.count === 0) return;
        const [low, high] = differenceInterval(here, there, z);
        const pValue = fisherExact({
          count: here.count,
          drawn: here.total,
          kind: here.count + there.count,
          total: here.total + there.total,
        });
        found.push({
          set: name,
          pValue,
          row: {
            id: `${name.includes('/') ? JSON.stringify(name) : name}/${valueName(label)}`,
            [source]: sources.get(name)!,
            [cluster]: label,
            rows: here.count,
            reference_rows: there.count,
            share: significant(here.count / here.total),
            reference_share: significant(there.count / there.total),
            difference: significant(here.count / here.total - there.count / there.total),
            difference_low: significant(low),
            difference_high: significant(high),
            p_value: significant(pValue),
          },
        });
      });
      const shares = (own: readonly number[], total: number) => own.map((count) => count / total);
      const [p, q] = [shares(baseCounts, base.length), shares(counts, rows.length)];
      const apart = matrix && (await separation(matrix, { rows, reference: base, z }, context));
      sets.push({
        name,
        row: {
          id: name,
          [source]: sources.get(name)!,
          rows: rows.length,
          psi: significant(populationStabilityIndex(p, q)),
          js_distance: significant(jensenShannonDistance(p, q)),
          ...(apart && {
            domain_auc: significant(apart.auc),
            domain_auc_low: significant(apart.low),
            domain_auc_high: significant(apart.high),
          }),
        },
      });
    }
    const adjusted = benjaminiHochberg(found.map(({ pValue }) => pValue));
    const ordered = found
      .map((one, at) => ({ ...one, qValue: adjusted[at]! }))
      .sort((a, b) => a.pValue - b.pValue || (a.row.id < b.row.id ? -1 : 1));
    for (const { row, qValue } of ordered) await outputs.rows.write({ ...row, q_value: significant(qValue) });
    const changed = ordered.filter(({ qValue }) => qValue <= alpha);
    for (const { name, row } of sets)
      await outputs.sources.write({ ...row, changed: changed.filter(({ set }) => set === name).length });
    const greatest = (field: string) => {
      const values = sets.map(({ row }) => row[field]).filter((value) => typeof value === 'number');
      return values.length > 0 ? { [field]: Math.max(...values) } : {};
    };
    return {
      metrics: {
        sources: members.size,
        changed: changed.length,
        ...greatest('psi'),
        ...greatest('js_distance'),
        ...greatest('domain_auc'),
        rows: inputs.rows.rows - excluded,
        excluded,
      },
    };
  },
});
