import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { runStep } from '../../test/run-step.ts';
import evaluate from './index.ts';

const data = join(import.meta.dirname, '../../use-cases/model-routing/data/gsm8k.jsonl');
const rows = readFileSync(data, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row & { text: string; mixtral: boolean; gpt_4: boolean });
const task = { task: 'routing', weak: 'mixtral', strong: 'gpt_4' };

it('routing by length recovers of GSM8K what was measured on the same answers elsewhere', async () => {
  const scored = rows.map((row) => ({ ...row, probability: row.text.length }));
  const { metrics, tables, warnings } = await runStep(evaluate, { with: task, inputs: { rows: scored } });
  expect(warnings).toEqual([]);
  // The same by a few lines of Python over the sorted answers, ties together.
  expect(metrics).toMatchObject({
    apgr: 0.597784,
    apgr_length: 0.597784,
    apgr_gain: 0,
    apgr_random: 0.5,
    apgr_oracle: 1.12082,
    cpt_50: 0.365978,
    cpt_80: 0.667483,
    weak: 0.637337,
    strong: 0.857689,
    rows: 1307,
    excluded: 0,
  });
  const { apgr_low, apgr_high } = metrics as { apgr_low: number; apgr_high: number };
  expect(apgr_low).toBeGreaterThan(0.5);
  expect(apgr_low).toBeLessThan(0.597784);
  expect(apgr_high).toBeGreaterThan(0.597784);
  const table = tables['rows']!;
  expect(table).toHaveLength(21);
  expect(table[0]).toMatchObject({ strong_share: 0, threshold: null, quality: 0.637337, pgr: 0 });
  expect(table[20]).toMatchObject({ strong_share: 1, quality: 0.857689, pgr: 1 });
  // The threshold of a share sends about that share of the rows.
  for (const { strong_share, threshold } of table.slice(1) as unknown as {
    strong_share: number;
    threshold: number;
  }[]) {
    const sent = scored.filter(({ probability }) => probability >= threshold).length / rows.length;
    expect(Math.abs(sent - strong_share)).toBeLessThan(0.01);
  }
});

it('routing needs a strong model that is better, a number for each row, and says what it left out', async () => {
  const few: Row[] = [
    { id: 'a', probability: 0.9, cheap: 0.2, dear: 1 },
    { id: 'b', probability: 0.1, cheap: 1, dear: 1 },
    { id: 'c', probability: 'much', cheap: 1, dear: 1 },
  ];
  const own = { task: 'routing', weak: 'cheap', strong: 'dear' };
  const { metrics, warnings } = await runStep(evaluate, { with: own, inputs: { rows: few } });
  expect(metrics).toMatchObject({ apgr: 0.75, weak: 0.6, strong: 1, rows: 2, excluded: 1 });
  expect(metrics).not.toHaveProperty('apgr_length');
  expect(warnings).toEqual([
    '1 of 3 rows lack cheap, dear or probability; they are not scored',
    expect.stringContaining('resamples dear is no better than cheap'),
  ]);
  const turned = runStep(evaluate, {
    with: { ...own, weak: 'dear', strong: 'cheap' },
    inputs: { rows: few },
  });
  await expect(turned).rejects.toThrow('cheap (0.6 on average) is no better than dear (1)');
});

it('the threshold of a share is a score as it stands: the row that has it is among those that go', async () => {
  const few: Row[] = [2 / 3, 1 / 3, 1 / 7].map((probability, at) => ({
    id: `${at}`,
    probability,
    cheap: 0,
    dear: 1,
  }));
  const { tables } = await runStep(evaluate, {
    with: { task: 'routing', weak: 'cheap', strong: 'dear', resamples: 0 },
    inputs: { rows: few },
  });
  const sent = tables['rows']!.slice(1).map(
    ({ threshold }) => few.filter(({ probability }) => Number(probability) >= Number(threshold)).length,
  );
  expect(sent).toEqual([...Array(6).fill(1), ...Array(7).fill(2), ...Array(7).fill(3)]);
});
