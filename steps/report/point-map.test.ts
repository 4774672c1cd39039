import { expect, test } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { ArtefactInput, StepInput } from '../../engine/step.ts';
import { matrixInput, runStep, tableInput } from '../../test/run-step.ts';
import report from './index.ts';

const rows: Row[] = Array.from({ length: 40 }, (_, index) => ({
  id: `row-${index}`,
  text: `question number ${index}`,
  cluster: index % 4,
}));

function step(use: string, outputs: Record<string, ArtefactInput>): StepInput {
  return { step: use, use, metrics: {}, output: 'rows', outputs };
}

/** What `project` makes of the first rows; they keep the field `cluster`. */
function placed(count: number): StepInput {
  const data = Float32Array.from({ length: count * 2 }, (_, at) => (at % 2 === 0 ? at / 2 : (at % 7) * 3));
  const own = rows.slice(0, count);
  return step('project', {
    rows: tableInput(own.map((row) => ({ ...row, x: 0, y: 0 }))),
    coordinates: matrixInput(
      { data, rows: count, columns: 2 },
      own.map(({ id }) => id),
    ),
  });
}

async function page(inputs: Record<string, StepInput>) {
  const { files } = await runStep(report, { inputs });
  const html = files['page']!['index.html']!.toString('utf8');
  const found = [...html.matchAll(/<script type="application\/json" data-points>(.*?)<\/script>/gs)];
  return { html, maps: found.map(([, json]) => (JSON.parse(json!) as { map: { x: number[] } | null }).map) };
}

test('takes the map from a step that placed the same rows', async () => {
  const topics = step('cluster', { rows: tableInput(rows) });
  const { html, maps } = await page({ topics, map: placed(40) });
  expect(maps).toHaveLength(1);
  expect(maps[0]!.x).toEqual(Array.from({ length: 40 }, (_, row) => Math.round((row * 4095) / 39)));
  expect(html).not.toContain('principal components');
});

test('has no map from places of other rows, and takes clustered rows with places as both', async () => {
  const topics = step('cluster', { rows: tableInput(rows) });
  expect((await page({ topics, map: placed(39) })).maps[0]).toBeNull();
  expect((await page({ map: placed(40) })).maps[0]!.x).toHaveLength(40);
});
