import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../../test/run-step.ts';
import { sampleModels, sampleRegistry } from '../../test/sample-types.ts';
import type { Json } from '../json.ts';
import { compileWorkflow } from './compile.ts';
import type { CompileResult, ResolvedStep, ResolvedWorkflow } from './resolved.ts';

async function compile(
  files: Record<string, string>,
  params: Record<string, Json> = {},
): Promise<CompileResult> {
  const folder = folderWith(files);
  return compileWorkflow(
    { file: join(folder, 'main.yaml'), cwd: folder, params, env: { HOME: '/home/me' } },
    { registry: sampleRegistry(), models: sampleModels, root: folder },
  );
}

async function workflowOf(
  files: Record<string, string>,
  params: Record<string, Json> = {},
): Promise<ResolvedWorkflow> {
  const { workflow, problems } = await compile(files, params);
  expect(problems).toEqual([]);
  return workflow!;
}

function step(workflow: ResolvedWorkflow, id: string): ResolvedStep {
  const found = workflow.steps.find((candidate) => candidate.id === id);
  if (found === undefined)
    throw new Error(`no step ${id} in ${workflow.steps.map((one) => one.id).join(' ')}`);
  return found;
}

/** What each input is bound to. */
function readsOf({ inputs }: ResolvedStep): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { parts, output }]) => [
      name,
      parts.map(({ step: id }) => `${id}.${output}`),
    ]),
  );
}

describe('a file included with a prefix', () => {
  const language = `
params:
  lang: { type: string }
  least: { type: integer, default: 3 }
env: [HOME]
steps:
  texts: { use: load, with: { path: "./\${{ params.lang }}.jsonl" } }
  long: { use: filter, from: texts.rejected, with: { where: "size(row.text) > params.least" } }
  vectors: { use: embed, from: long, when: "steps.texts.metrics.rows > params.least" }
  groups: { use: cluster, from: { rows: long, vectors: vectors }, with: { k: "\${{ steps.texts.metrics.rows }}" } }
`;

  it('gives its steps under other names, as often as it is included, with params of its own', async () => {
    const workflow = await workflowOf({
      'main.yaml': `
params: { words: { type: integer, default: 7 } }
include:
  - { file: ./parts/language.yaml, prefix: en_, params: { lang: en } }
  - { file: ./parts/language.yaml, prefix: de_, params: { lang: de, least: "\${{ params.words + 1 }}" } }
steps:
  page: { use: report, from: { a: en_groups, b: de_groups.vectors }, after: en_texts }
`,
      'parts/language.yaml': language,
    });
    expect(workflow.steps.map(({ id }) => id).sort()).toEqual(
      [
        'en_groups',
        'en_long',
        'en_texts',
        'en_vectors',
        'de_groups',
        'de_long',
        'de_texts',
        'de_vectors',
        'page',
      ].sort(),
    );
    expect(step(workflow, 'en_texts')).toMatchObject({
      base: 'en_texts',
      parameters: { path: 'parts/en.jsonl' },
      params: { lang: 'en' },
      place: { file: 'parts/language.yaml', line: 7 },
    });
    expect(step(workflow, 'de_long').parameters).toEqual({ where: 'size(row.text) > 8' });
    expect(step(workflow, 'en_long').parameters).toEqual({ where: 'size(row.text) > 3' });
    expect(readsOf(step(workflow, 'de_groups'))).toEqual({
      rows: ['de_long.rows'],
      vectors: ['de_vectors.vectors'],
    });
    expect(step(workflow, 'en_long').inputs['rows']!.output).toBe('rejected');
    // Metrics go by the ids that steps have in the run.
    expect(step(workflow, 'de_vectors').when!.source).toBe('steps.de_texts.metrics.rows > params.least');
    expect(step(workflow, 'de_groups')).toMatchObject({
      deferred: [{ pointer: '/k', template: '${{ steps.de_texts.metrics.rows }}' }],
      params: { lang: 'de', least: 8 },
    });
    expect(step(workflow, 'de_groups').needs).toContain('de_texts');
    expect(step(workflow, 'page').needs.sort()).toEqual(['de_groups', 'en_groups', 'en_texts']);
    expect(workflow.params).toEqual({ words: 7, least: 3 });
    expect(workflow.sources.map(({ path }) => path)).toEqual(['main.yaml', 'parts/language.yaml']);
  });

  it('reads the steps around it, unless it has one of that name', async () => {
    const workflow = await workflowOf({
      'main.yaml': `
include: [{ file: inner.yaml, prefix: a_ }]
steps:
  q: { use: load, with: { path: q.jsonl } }
  other: { use: load, with: { path: other.jsonl } }
`,
      'inner.yaml': `
include: [{ file: deep.yaml, prefix: b_ }]
steps:
  other: { use: filter, from: q, with: { where: "true" } }
  own: { use: filter, from: other, with: { where: "true" } }
  deepest: { use: filter, from: b_last, with: { where: "true" } }
`,
      'deep.yaml': `steps: { last: { use: filter, from: other, with: { where: "true" } } }`,
    });
    expect(readsOf(step(workflow, 'a_other'))).toEqual({ rows: ['q.rows'] });
    expect(readsOf(step(workflow, 'a_own'))).toEqual({ rows: ['a_other.rows'] });
    expect(readsOf(step(workflow, 'a_b_last'))).toEqual({ rows: ['a_other.rows'] });
    expect(readsOf(step(workflow, 'a_deepest'))).toEqual({ rows: ['a_b_last.rows'] });
  });

  it('without a prefix may be given params as well', async () => {
    const workflow = await workflowOf({
      'main.yaml': 'include: { file: inner.yaml, params: { name: x } }',
      'inner.yaml':
        'params: { name: { type: string } }\nsteps: { q: { use: load, with: { path: "${{ params.name }}.jsonl" } } }',
    });
    expect(step(workflow, 'q').parameters['path']).toBe('x.jsonl');
    expect(workflow.params).toEqual({});
  });
});

describe('a template', () => {
  const templates = `
templates:
  grouped:
    description: Groups texts
    params:
      k: { type: integer, minimum: 2 }
      source: { type: string, default: ./extra.jsonl }
    inputs: [texts]
    steps:
      long: { use: filter, from: texts, with: { where: "size(row.text) > params.least" } }
      vectors: { use: embed, from: long, retries: 1, description: Inner }
      groups:
        use: cluster
        from: { rows: long, vectors: vectors }
        with: { k: "\${{ params.k * 2 }}" }
        when: "steps.texts.metrics.rows > 1"
    output: groups
`;

  it('is used by steps with params of their own; the output goes by the name of the step', async () => {
    const workflow = await workflowOf(
      {
        'main.yaml': `
params: { least: { type: integer, default: 3 }, k: { type: integer, default: 99 } }
${templates}
defaults: { timeout: 1m }
steps:
  q: { use: load, with: { path: q.jsonl } }
  coarse: { use: template:grouped, from: q.rejected, with: { k: 5 }, description: Few }
  fine:
    use: template:grouped
    from: { texts: coarse }
    with: { k: "\${{ params.k }}" }
    when: "params.least < 4 && steps.coarse.metrics.clusters > 2"
    retries: 3
    after: q
    env: { MODE: fine }
  page: { use: report, from: { a: coarse.vectors, b: fine_vectors } }
`,
      },
      { least: 2 },
    );
    expect(workflow.steps.map(({ id }) => id).sort()).toEqual(
      ['q', 'coarse', 'coarse_long', 'coarse_vectors', 'fine', 'fine_long', 'fine_vectors', 'page'].sort(),
    );
    expect(step(workflow, 'coarse')).toMatchObject({
      parameters: { k: 10 },
      description: 'Few',
      params: { k: 5, source: './extra.jsonl' },
      when: { source: 'steps.q.metrics.rows > 1' },
      place: { file: 'main.yaml', line: 14 },
    });
    expect(step(workflow, 'fine').parameters['k']).toBe(198);
    expect(step(workflow, 'coarse_vectors')).toMatchObject({
      retries: 1,
      timeout_ms: 60_000,
      description: 'Inner',
    });
    expect(step(workflow, 'fine_vectors')).toMatchObject({ retries: 3, env: { MODE: 'fine' } });
    // What the template does not declare, it has from the file.
    expect(step(workflow, 'fine_long').parameters).toEqual({ where: 'size(row.text) > 2' });
    expect(readsOf(step(workflow, 'coarse_long'))).toEqual({ rows: ['q.rejected'] });
    expect(readsOf(step(workflow, 'fine_long'))).toEqual({ rows: ['coarse.rows'] });
    expect(readsOf(step(workflow, 'page'))).toEqual({ a: ['coarse.vectors'], b: ['fine_vectors.vectors'] });
    // The conditions of the step and of the template both count; the step's reads the step's params.
    expect(step(workflow, 'fine').when!.source).toBe(
      '(2 < 4 && steps.coarse.metrics.clusters > 2) && (steps.coarse.metrics.rows > 1)',
    );
    expect(step(workflow, 'fine_long')).toMatchObject({
      when: { source: '2 < 4 && steps.coarse.metrics.clusters > 2' },
      needs: expect.arrayContaining(['q', 'coarse']),
    });
  });

  it('is used with a matrix: its steps are those of each combination, which are gathered from around it', async () => {
    const workflow = await workflowOf({
      'main.yaml': `
params: { least: { type: integer, default: 3 } }
${templates}
  outer:
    inputs: [rows]
    steps:
      inner:
        use: template:grouped
        from: rows
        matrix: { m: [2, 3] }
        with: { k: "\${{ matrix.m }}" }
      kept: { use: filter, from: inner, with: { where: "row.n > 0" } }
steps:
  q: { use: load, with: { path: q.jsonl } }
  sizes:
    use: template:grouped
    from: q
    matrix: { k: [5, 8], include: [{ k: 9 }] }
    with: { k: "\${{ matrix.k }}" }
    when: "matrix.k < 9"
  all: { use: filter, from: sizes, with: { where: "true" } }
  one: { use: filter, from: "sizes_long[k=8]", when: 'steps["sizes[k=8]"].metrics.clusters > 1', with: { where: "true" } }
  nested: { use: template:outer, from: q, matrix: { a: [x, y] } }
`,
    });
    const sizes = workflow.steps.filter(({ base }) => base === 'sizes');
    expect(sizes.map(({ id, matrix, parameters }) => [id, matrix, parameters['k']])).toEqual([
      ['sizes[k=5]', { k: 5 }, 10],
      ['sizes[k=8]', { k: 8 }, 16],
      ['sizes[k=9]', { k: 9 }, 18],
    ]);
    expect(readsOf(step(workflow, 'sizes[k=8]'))).toEqual({
      rows: ['sizes_long[k=8].rows'],
      vectors: ['sizes_vectors[k=8].vectors'],
    });
    expect(step(workflow, 'sizes_long[k=9]').when!.source).toBe('9 < 9');
    expect(step(workflow, 'all').inputs['rows']!.parts).toEqual(
      [5, 8, 9].map((k) => ({ step: `sizes[k=${k}]`, axes: { k } })),
    );
    expect(readsOf(step(workflow, 'one'))).toEqual({ rows: ['sizes_long[k=8].rows'] });
    expect(step(workflow, 'one').needs).toContain('sizes[k=8]');
    // Within a combination of the outer one, the inner ones are put together.
    expect(step(workflow, 'nested[a=y]').inputs['rows']!.parts).toEqual([
      { step: 'nested_inner[a=y,m=2]', axes: { m: 2 } },
      { step: 'nested_inner[a=y,m=3]', axes: { m: 3 } },
    ]);
    expect(readsOf(step(workflow, 'nested_inner_vectors[a=x,m=3]'))).toEqual({
      rows: ['nested_inner_long[a=x,m=3].rows'],
    });
  });

  it('may come from an included file, stand in another template, and take an earlier run', async () => {
    const workflow = await workflowOf({
      'main.yaml': `
include: lib.yaml
steps:
  q: { use: load, with: { path: q.jsonl } }
  twice: { use: template:twice, from: q, with: { n: 4 } }
  old: { use: template:once, from: run:latest/thing.rows, with: { n: 1 } }
`,
      'lib.yaml': `
templates:
  once:
    params: { n: { type: integer } }
    inputs: [rows]
    steps: { kept: { use: filter, from: rows, with: { where: "row.n > params.n" } } }
  twice:
    params: { n: { type: integer } }
    inputs: [rows]
    steps:
      first: { use: template:once, from: rows, with: { n: "\${{ params.n }}" } }
      second: { use: template:once, from: first, with: { n: "\${{ params.n * 10 }}" } }
`,
    });
    expect(readsOf(step(workflow, 'twice_first'))).toEqual({ rows: ['q.rows'] });
    expect(readsOf(step(workflow, 'twice'))).toEqual({ rows: ['twice_first.rows'] });
    expect(step(workflow, 'twice').parameters).toEqual({ where: 'row.n > 40' });
    expect(step(workflow, 'old').inputs['rows']).toMatchObject({ run: 'latest', parts: [{ step: 'thing' }] });
  });

  it('shows mistakes in it with the way to it', async () => {
    const { problems } = await compile({
      'main.yaml': `
include: lib.yaml
steps:
  q: { use: load, with: { path: q.jsonl } }
  one: { use: template:once, from: q }
`,
      'lib.yaml': `
templates:
  once:
    inputs: [rows]
    steps: { kept: { use: embed, from: rows.rejected } }
`,
    });
    expect(problems).toMatchObject([
      {
        code: 'bad-address',
        place: { file: 'lib.yaml', line: 5 },
        trail: [{ place: { file: 'main.yaml', line: 5, column: 15 }, message: 'used from here' }],
      },
    ]);
  });
});
