import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../docs-examples.ts';
import { jsonl, TestProject } from '../project.ts';

/** Forty questions each of six intents; every tenth has the label of the next intent. */
function noisyQuestions() {
  const all = readFileSync(join(root, 'use-cases/support-topics/data/queries.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; text: string; label: string });
  const intents = [...new Set(all.map(({ label }) => label))].filter((_, index) => index % 13 === 0);
  return intents.flatMap((label, index) =>
    all
      .filter((row) => row.label === label)
      .slice(0, 40)
      .map((row, place) => (place % 10 === 9 ? { ...row, label: intents[(index + 1) % 6]! } : row)),
  );
}

const workflow = readFileSync(join(root, 'workflows/intent-classifier.yaml'), 'utf8');

it('a head is trained, measured and gated, and another workflow uses it', async () => {
  using p = new TestProject({
    'w.yaml': workflow,
    'data.jsonl': jsonl(noisyQuestions()),
    'new.jsonl': jsonl([
      { text: 'Where is the card that I ordered?' },
      { text: 'Tell me a joke about cats' },
    ]),
    'use.yaml': `name: use
steps:
  rows: { use: load, with: { path: new.jsonl } }
  vectors: { use: embed, from: rows, with: { model: all-minilm-l6-v2 } }
  answers:
    use: classify
    from: { rows: rows, vectors: vectors, model: run:good/head }
    with: { threshold: 0.6, out_of_scope_label: other }
`,
  });
  const first = await p.run('w.yaml', '--param', 'source=data.jsonl', '--param', 'accuracy=0.7');
  expect(first.status, first.err).toBe('succeeded');
  expect(first.step('parts').metrics).toMatchObject({ train: 192, valid: 24, test: 24, leaks: 0 });
  const { accuracy } = first.step('scores').metrics as { accuracy: number };
  expect(accuracy).toBeGreaterThanOrEqual(0.7);
  expect(accuracy).toBeLessThan(1);

  // A gate that it does not pass: only the gate runs again, and fails the run.
  const strict = await p.run('w.yaml', '--param', 'source=data.jsonl', '--param', 'accuracy=1');
  expect(strict.code).toBe(1);
  expect(strict.statuses.filter((status) => !status.endsWith(':cached'))).toEqual(['gate:failed']);

  expect((await p.reprise('runs', 'tag', first.run, 'good')).code).toBe(0);
  const used = await p.run('use.yaml');
  expect(used.status, used.err).toBe('succeeded');
  const shown = JSON.parse((await p.reprise('show', 'latest', 'answers', '--json')).out) as {
    rows: { predicted: string; is_out_of_scope: boolean; confidence: number }[];
  };
  expect(shown.rows.map((row) => row.predicted)).toEqual(['card_arrival', 'other']);
  expect(shown.rows[1]!.is_out_of_scope).toBe(true);

  // Trained again, it has the same bytes.
  const again = await p.run(
    'w.yaml',
    '--param',
    'source=data.jsonl',
    '--param',
    'accuracy=0.7',
    '--force',
    'head',
  );
  expect(again.step('head').status).toBe('ran');
  expect(again.step('head').outputs).toEqual(first.step('head').outputs);
});
