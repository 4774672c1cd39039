import { anyInputs, defineStep } from '../../engine/step.ts';
import { gather } from './gather.ts';
import { renderPage } from './page.ts';

export default defineStep({
  type: 'report',
  summary: 'Makes one HTML page of what steps found: numbers, clusters, a map, tables',
  description: `The page is one file that holds its style, script and data; it asks for nothing from the network and opens
from disk. What it shows follows from the shapes of its inputs, not from the names of their steps:

- a table with a field \`cluster\`: sizes, a table of the clusters, and, if the step also gives a matrix for these
  rows, a map of them: the first two principal components, or the places that a \`project\` step found for the same rows
- a table with a row for each cluster (\`cluster\`, \`name\`, and any of \`keywords\`, \`examples\`, \`size\`): the names
- metrics: a card of numbers for each step
- a table with \`player\` and \`rating\`, as \`evaluate\` makes of games: the ratings with their intervals
- the \`sweep\` of \`compress\`, the rows of \`evaluate\` for a router, the \`k_curve\` of \`cluster\`: curves
- a table with \`cluster\`, \`slice\` and \`share\`, as \`trends\` makes it: the share of each cluster over time, with its bursts
- any other table: its first rows; of more than twelve fields the id, the text and the last ones, which a step added

The map shows at most \`max_points\` rows: those whose ids have the smallest SHA-256, so that the choice does not hang
on the order. Equal inputs give the same bytes. In a run the page also gets the DAG and the run's provenance
(\`runs/<id>/report.html\`).`,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      title: {
        type: 'string',
        description: 'Headline of the page. Default: a summary of what it shows.',
        maxLength: 300,
      },
      text: {
        type: 'string',
        description:
          'Field with the text of a row. Default: `text`, or else the field with the longest texts.',
        minLength: 1,
      },
      label: {
        type: 'string',
        description: 'Field with a known class: each cluster then shows its most frequent one.',
        minLength: 1,
      },
      max_points: {
        type: 'integer',
        description: 'Most points on the map; beyond it a sample is shown.',
        minimum: 10,
        maximum: 100000,
        default: 20000,
      },
      examples: {
        type: 'integer',
        description: 'Most examples for a cluster.',
        minimum: 0,
        maximum: 50,
        default: 6,
      },
      rows: {
        type: 'integer',
        description: 'Rows shown of a plain table.',
        minimum: 1,
        maximum: 1000,
        default: 20,
      },
    },
  },
  inputs: anyInputs,
  outputs: { page: { kind: 'files', description: 'index.html: the page, whole.' } },
  metrics: {
    clusters: 'Clusters on the page, if there are any.',
    points: 'Points on its maps.',
    bytes: 'Size of the page.',
  },
  example: `page:
  use: report
  from: { topics: topics, names: names, scores: scores }
  with: { title: What do customers ask about? }`,

  async run({ parameters, inputs, outputs, context }) {
    const report = await gather(
      inputs,
      {
        title: parameters.title?.trim() || null,
        text: parameters.text ?? null,
        label: parameters.label ?? null,
        maxPoints: parameters.max_points,
        examples: parameters.examples,
        rows: parameters.rows,
      },
      context.pool,
    );
    const page = Buffer.from(renderPage(report));
    await outputs.page.write('index.html', page);
    return {
      metrics: {
        ...(report.clusterings.length > 0 && {
          clusters: report.clusterings.reduce((sum, { clusters }) => sum + clusters.length, 0),
          points: report.clusterings.reduce((sum, { map }) => sum + (map?.x.length ?? 0), 0),
        }),
        bytes: page.byteLength,
      },
    };
  },
});
