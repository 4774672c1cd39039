import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sampleModels, sampleRegistry } from '../../test/sample-types.ts';
import { temporaryFolder } from '../../test/temporary.ts';
import { compileWorkflow } from './compile.ts';
import { renderProblems } from './render.ts';

const workflow = `
name: topics
params:
  k: { type: integer, default: 5, minimum: 2 }
  source: { type: string, default: q.jsonl }
defaults: { retries: 1, with: { embed: { batch_size: 8 } } }
env: [HOME]
models:
  mine: { provider: local, path: ./models/mine }
  asked: { provider: openai, model: "m-\${{ params.k }}", api_key: "\${{ secrets.KEY }}", fallback: [{ provider: openai, model: n }] }
templates:
  cut:
    params: { n: { type: integer, default: 2 } }
    inputs: [rows]
    steps: { kept: { use: filter, from: rows, with: { where: "row.n > params.n" } } }
    output: kept
  pair:
    inputs: [rows]
    steps:
      first: { use: template:cut, from: rows, matrix: { n: [1, 2] }, with: { n: "\${{ matrix.n }}" } }
      last: { use: filter, from: first, when: 'steps["first[n=1]"].metrics.rows > 1', with: { where: "row.n > 1" } }
profiles: { small: { params: { k: 3 }, defaults: { retries: 0 }, pools: { gpu: 1, api: 20/min } } }
on_finish:
  - { run: [./tell.sh], when: "status == 'failed' && steps.q.metrics.rows > 1", timeout: 5s }
  - { webhook: "https://example.com/\${{ secrets.HOOK }}", headers: { a: b } }
steps:
  q: { use: load, with: { path: "\${{ params.source }}", rename: { a: b } } }
  some: { use: filter, from: q, with: { where: "row.n > params.k && has(row.x)" } }
  v:
    use: embed
    from: some
    matrix: { model: [mini, multilingual], exclude: [{ model: mini }] }
    with: { model: "\${{ matrix.model }}" }
    max_row_failures: 1%
  topics: { use: cluster, from: { rows: some, vectors: "v[model=multilingual]" }, with: { k: "\${{ params.k + 1 }}" } }
  short: { use: template:cut, from: q, with: { n: "\${{ params.k }}" }, when: "params.k > 1" }
  each: { use: filter, from: short, for_each: q.rows, with: { where: "row.n > item.n" } }
  sizes: { use: template:cut, from: q, matrix: { n: [2, 3] }, with: { n: "\${{ matrix.n }}" } }
  pairs: { use: template:pair, from: sizes, for_each: q, when: "item.n > 1", matrix: { m: [x] } }
  told: { use: filter, from: each, env: { KEY: "x \${{ secrets.KEY }}" }, resources: { gpu: 1 }, with: { where: "true" } }
  scores: { use: evaluate, from: topics, with: { task: clustering }, timeout: 10m }
  page: { use: report, from: { topics: topics, scores: scores }, when: "steps.scores.metrics.v_measure > 0.5", after: [q] }
`;

/** Pieces that mean something to YAML, to expressions or to addresses. */
const pieces = fc.oneof(
  fc.constantFrom(
    ...[
      ' ',
      '\n',
      '\t',
      ':',
      ': ',
      ',',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '#',
      '&a ',
      '*a',
      '!x ',
      '- ',
      '? ',
      '|\n',
      '>\n',
      '<<: ',
      '---\n',
      '%',
      '@',
    ],
    ...[
      '${{ ',
      ' }}',
      'params.',
      'steps.',
      'matrix.',
      '.rows',
      '[model=',
      'run:x/',
      'null',
      'true',
      '1e999',
      '-1',
      '0x1',
      '__proto__',
      'constructor',
    ],
    ...['use', 'from', 'with', 'steps', 'for_each', '\u0000', '\uFEFF', '\u2028', '\uD800', '名', '👩‍👩‍👧'],
  ),
  fc.string({ maxLength: 6, unit: 'binary' }),
);
const mutation = fc.record({ at: fc.nat(workflow.length), remove: fc.nat(12), insert: pieces });

/** Words of the workflow in other places: most leave it YAML, and mean something else. */
const words = [...workflow.matchAll(/[\w.]+/g)];
const swap = fc.record({
  at: fc.nat(words.length - 1),
  by: fc.oneof(
    fc.constantFrom(...words.map(([word]) => word)),
    fc.constantFrom(
      'null',
      '[]',
      '{}',
      '0',
      '""',
      '[a, b]',
      '{ a: 1 }',
      '*x',
      'yes',
      '-3',
      '1.5',
      'steps.q.metrics.rows',
      'q[a=b]',
    ),
  ),
});

const edited = fc.array(mutation, { minLength: 1, maxLength: 4 }).map((mutations) => {
  let text = workflow;
  for (const { at, remove, insert } of mutations) text = text.slice(0, at) + insert + text.slice(at + remove);
  return text;
});
const swapped = fc.array(swap, { minLength: 1, maxLength: 3 }).map((swaps) => {
  let text = workflow;
  for (const { at, by } of swaps.toSorted((a, b) => b.at - a.at)) {
    const word = words[at]!;
    text = text.slice(0, word.index) + by + text.slice(word.index + word[0].length);
  }
  return text;
});

it('the workflow as it stands is one', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'main.yaml');
  writeFileSync(file, workflow);
  const { problems } = await compileWorkflow(
    { file, cwd: folder, profiles: ['small'], env: { HOME: '/home/someone' } },
    { registry: sampleRegistry(), models: sampleModels, root: folder },
  );
  expect(problems).toEqual([]);
});

it('whatever is written into a workflow, the answer is a workflow or problems in their places', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'main.yaml');
  await fc.assert(
    fc.asyncProperty(fc.oneof(edited, swapped), async (text) => {
      writeFileSync(file, text);
      const result = await compileWorkflow(
        { file, cwd: folder, profiles: ['small'], env: { HOME: '/home/someone' } },
        { registry: sampleRegistry(), models: sampleModels, root: folder },
      );
      if (result.workflow !== null) {
        expect(JSON.parse(JSON.stringify(result.workflow))).toEqual(result.workflow);
        return;
      }
      expect(result.problems.length).toBeGreaterThan(0);
      const lines = readFileSync(file, 'utf8')
        .replace(/^\uFEFF/, '')
        .split('\n');
      for (const { place, code, message } of result.problems) {
        expect(code).toMatch(/^[a-z-]+$/);
        expect(message).not.toMatch(/undefined|\[object/);
        if (place === undefined || resolve(folder, place.file) !== file) continue;
        expect(place.line).toBeLessThanOrEqual(lines.length);
        expect(place.column).toBeGreaterThanOrEqual(1);
        expect(place.column).toBeLessThanOrEqual(lines[place.line - 1]!.length + 1);
        expect(place.length).toBeGreaterThanOrEqual(1);
      }
      expect(renderProblems(result.problems, () => lines.join('\n'))).toContain(result.problems[0]!.code);
    }),
    { numRuns: Number(process.env['MUTATIONS'] ?? 60), examples: [[workflow]] },
  );
}, 60_000);
