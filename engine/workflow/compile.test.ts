import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStepRegistry } from '../../steps/registry.ts';
import { folderWith } from '../../test/run-step.ts';
import { sampleModels, sampleRegistry } from '../../test/sample-types.ts';
import { endOf, runModule } from '../../test/temporary.ts';
import type { Json } from '../json.ts';
import { type CompileParts, compileWorkflow } from './compile.ts';
import { fillDeferred } from './deferred.ts';
import type { CompileResult, ResolvedStep, ResolvedWorkflow } from './resolved.ts';

interface Call {
  params?: { [name: string]: Json };
  env?: Record<string, string>;
  cwd?: string;
  parts?: Partial<CompileParts>;
}

/** Compiles `main.yaml` of a folder with the given files. */
async function compile(files: string | Record<string, string>, call: Call = {}): Promise<CompileResult> {
  const folder = folderWith(typeof files === 'string' ? { 'main.yaml': files } : files);
  return compileWorkflow(
    {
      file: join(folder, 'main.yaml'),
      cwd: call.cwd ?? folder,
      params: call.params ?? {},
      env: call.env ?? {},
    },
    { registry: sampleRegistry(), models: sampleModels, root: folder, ...call.parts },
  );
}

async function workflowOf(files: string | Record<string, string>, call?: Call): Promise<ResolvedWorkflow> {
  const { workflow, problems } = await compile(files, call);
  expect(problems).toEqual([]);
  return workflow!;
}

async function problemsOf(files: string | Record<string, string>, call?: Call): Promise<string[]> {
  const { problems } = await compile(files, call);
  return problems.map(
    ({ code, place, message }) => `${place ? `${place.line}:${place.column} ` : ''}${code}: ${message}`,
  );
}

function step(workflow: ResolvedWorkflow, id: string): ResolvedStep {
  const found = workflow.steps.find((candidate) => candidate.id === id);
  if (found === undefined)
    throw new Error(`no step ${id} in ${workflow.steps.map((one) => one.id).join(' ')}`);
  return found;
}

const load = 'q: { use: load, with: { path: q.jsonl } }';

describe('a workflow', () => {
  it('is resolved with defaults, places and a topological order', async () => {
    const workflow = await workflowOf(`
name: topics
description: What people ask
seed: 7
params:
  k: { type: integer, default: 5 }
steps:
  scores: { use: evaluate, from: topics, with: { task: clustering } }
  topics:
    use: cluster
    from: { vectors: vectors, rows: q }
    with: { k: "\${{ params.k * 2 }}" }
    retries: 2
    timeout: 1h30m
    max_row_failures: 1%
    on_error: continue
    cache: false
    if_skipped: run
    description: Groups
  vectors: { use: embed, from: q }
  ${load}
`);
    expect(workflow).toMatchObject({
      name: 'topics',
      description: 'What people ask',
      seed: 7,
      params: { k: 5 },
      path: 'main.yaml',
    });
    expect(workflow.steps.map(({ id }) => id)).toEqual(['q', 'vectors', 'topics', 'scores']);
    const topics = step(workflow, 'topics');
    expect(topics).toMatchObject({
      parameters: { method: 'kmeans', k: 10 },
      needs: ['vectors', 'q'],
      retries: 2,
      timeout_ms: 5_400_000,
      max_row_failures: { share: 0.01 },
      on_error: 'continue',
      cache: false,
      if_skipped: 'run',
      seeded: true,
      rowWise: false,
      takesSteps: false,
      description: 'Groups',
      place: { file: 'main.yaml', line: 9, column: 3, length: 6 },
    });
    expect(
      Object.entries(topics.inputs).map(([name, { parts, output }]) => [name, parts[0]!.step, output]),
    ).toEqual([
      ['rows', 'q', 'rows'],
      ['vectors', 'vectors', 'vectors'],
    ]);
    expect(step(workflow, 'vectors')).toMatchObject({
      rowWise: true,
      parameters: { model: 'mini', batch_size: 32, normalize: true },
      outputs: { vectors: { kind: 'matrix' }, failed: { kind: 'table' } },
      modelNames: [{ parameter: 'model', name: 'mini' }],
    });
    // Main outputs only by `from: topics`, but `vectors` of the same name and kind come along.
    expect(step(workflow, 'scores').inputs).toMatchObject({
      rows: { parts: [{ step: 'topics', axes: null }], output: 'rows' },
      vectors: { parts: [{ step: 'topics', axes: null }], output: 'vectors' },
    });
  });

  it('names itself after its file', async () => {
    expect((await workflowOf(`steps: { ${load} }`)).name).toBe('main');
  });

  it('has file and model names that count, also those of defaults', async () => {
    const workflow = await workflowOf(
      `steps:\n  ${load}\n  v: { use: embed, from: q, with: { model: multilingual } }`,
    );
    expect(step(workflow, 'q').files).toMatchObject([{ parameter: 'path', path: 'q.jsonl' }]);
    expect(step(workflow, 'v').modelNames).toMatchObject([{ parameter: 'model', name: 'multilingual' }]);
  });
});

describe('params', () => {
  const text = `
params:
  n: { type: integer, default: 1, minimum: 0 }
  x: { type: number, default: 0.5 }
  on: { type: boolean, default: false }
  list: { type: array, default: [] }
  map: { type: object, default: {} }
  text: { type: string, default: a }
steps: { ${load} }`;
  it('are read from the command line by their type', async () => {
    const params = { n: '12', x: '1e-3', on: 'true', list: 'a, b', map: '{"a":1}', text: '12' };
    expect((await workflowOf(text, { params })).params).toEqual({
      n: 12,
      x: 0.001,
      on: true,
      list: ['a', 'b'],
      map: { a: 1 },
      text: '12',
    });
  });
  it.each([
    ['n', '1.5', '--param n must be a whole number, not "1.5"'],
    ['n', '-1', '--param n must be at least 0, not -1'],
    ['on', 'yes', '--param on must be true or false, not "yes"'],
    ['map', '[1]', '--param map must be a map, not a list'],
  ])('%s=%s is refused', async (name, value, message) => {
    expect(await problemsOf(text, { params: { [name]: value } })).toEqual([`wrong-param: ${message}`]);
  });
});

describe('expressions', () => {
  it('keep their type when they are the whole value, and are text within a text', async () => {
    const workflow = await workflowOf(
      `
env: [SET]
params: { n: { type: integer, default: 3 }, cols: { type: array, default: [a, b] } }
steps:
  q:
    use: load
    with:
      path: "\${{ env.SET }}/\${{ params.n + 1 }}-\${{ run.name }}-\${{ run.seed }}.jsonl"
      limit: \${{ params.n * 2 }}
      columns: "\${{ params.cols }}"
      rename: { a: '\${{ {"x": {"y": "}}"}}.x.y }}' }
`,
      { env: { SET: 'data', OTHER: 'x' } },
    );
    expect(step(workflow, 'q').parameters).toMatchObject({
      path: 'data/4-main-42.jsonl',
      limit: 6,
      columns: ['a', 'b'],
      rename: { a: '}}' },
    });
    expect(step(workflow, 'q').env).toEqual({ SET: { from: 'SET' } });
  });

  it('write what is known into bare conditions, and are left alone in prompts', async () => {
    const workflow = await workflowOf(`
params: { n: { type: integer, default: 3 }, word: { type: string, default: 'it"s' } }
steps:
  ${load}
  f: { use: filter, from: q, matrix: { m: [1] }, with: { where: 'row.n > params.n && row.t == params.word && row.m < matrix.m && has(row.params)' } }
  a: { use: answer, from: q, with: { prompt: { text: 'Say \${{ row.x }}' } } }
`);
    expect(step(workflow, 'f[m=1]').parameters['where']).toBe(
      'row.n > 3 && row.t == "it\\"s" && row.m < 1 && has(row.params)',
    );
    expect(step(workflow, 'a').parameters['prompt']).toEqual({ text: `Say \${{ row.x }}` });
  });

  it('wait for metrics, make edges, and are filled in later', async () => {
    const workflow = await workflowOf(`
params: { n: { type: integer, default: 3 } }
steps:
  f: { use: filter, from: q, with: { where: 'row.n > steps.c.metrics.inertia * params.n' } }
  ${load}
  v: { use: embed, from: q, with: { batch_size: "\${{ steps.q.metrics.rows + params.n }}" } }
  c: { use: cluster, from: { rows: q, vectors: v }, when: "steps.q.metrics.rows > params.n", with: { k: 2 } }
`);
    const v = step(workflow, 'v');
    expect(v.parameters['batch_size']).toBeNull();
    expect(v.deferred).toMatchObject([
      { pointer: '/batch_size', template: `\${{ steps.q.metrics.rows + 3 }}` },
    ]);
    expect(v.needs).toEqual(['q']);
    expect(step(workflow, 'c').when).toMatchObject({ source: 'steps.q.metrics.rows > params.n' });
    const f = step(workflow, 'f');
    expect(f.needs).toEqual(['q', 'c']);
    const scope = { steps: { q: { metrics: { rows: 9 } }, c: { metrics: { inertia: -0.5 } } } };
    expect((await fillDeferred(v, scope, { registry: sampleRegistry() })).parameters['batch_size']).toBe(12);
    expect((await fillDeferred(f, scope, { registry: sampleRegistry() })).parameters['where']).toBe(
      'row.n > (-0.5) * 3',
    );
    const low = { steps: { q: { metrics: { rows: -3 } } } };
    await expect(fillDeferred(v, low, { registry: sampleRegistry() })).rejects.toMatchObject({
      problems: [{ code: 'wrong-value', place: { line: 6 } }],
    });
    await expect(
      fillDeferred(v, { steps: { q: { metrics: {} } } }, { registry: sampleRegistry() }),
    ).rejects.toMatchObject({
      problems: [
        { code: 'expression-failed', message: 'with.batch_size of step v: steps.q.metrics has no "rows"' },
      ],
    });
  });

  it('leave the models of a step what they are: of a provider, or in a folder', async () => {
    const workflow = await workflowOf(`
models: { ada: { provider: openai, model: small } }
steps:
  ${load}
  v: { use: embed, from: q, with: { model: ada, batch_size: "\${{ steps.q.metrics.rows }}" } }
`);
    const v = step(workflow, 'v');
    expect(v).toMatchObject({ modelNames: [], languageModels: [{ parameter: 'model', name: 'ada' }] });
    const scope = { steps: { q: { metrics: { rows: 9 } } } };
    const filled = await fillDeferred(v, scope, { registry: sampleRegistry(), languageAliases: ['ada'] });
    expect(filled).toMatchObject({ modelNames: [], languageModels: [{ parameter: 'model', name: 'ada' }] });
  });

  it('are checked with the others once they are known', async () => {
    const workflow = await workflowOf(`
steps:
  ${load}
  v: { use: embed, from: q }
  c: { use: cluster, from: { rows: q, vectors: v }, with: { method: hdbscan, k: "\${{ steps.q.metrics.rows }}" } }
`);
    const filled = (rows: number) =>
      fillDeferred(
        step(workflow, 'c'),
        { steps: { q: { metrics: { rows } } } },
        { registry: sampleRegistry() },
      );
    expect((await filled(9)).parameters['k']).toBe(9);
    await expect(filled(101)).rejects.toMatchObject({
      problems: [{ code: 'parameter-check', message: 'step c: hdbscan finds the number itself' }],
    });
  });
});

describe('addresses', () => {
  it('name second outputs, implicit ones, and those of earlier runs', async () => {
    const workflow = await workflowOf(`
steps:
  ${load}
  a: { use: filter, from: q.rejected, with: { where: "true" } }
  b: { use: answer, from: q }
  c: { use: filter, from: b.failed, with: { where: "true" } }
  d: { use: filter, from: "run:latest~2/other[m=x].rejected", with: { where: "true" } }
`);
    const bound = (id: string) => step(workflow, id).inputs['rows'];
    expect(bound('a')).toMatchObject({ output: 'rejected', run: null });
    expect(bound('c')).toMatchObject({ parts: [{ step: 'b' }], output: 'failed' });
    expect(bound('d')).toMatchObject({
      parts: [{ step: 'other[m=x]', axes: null }],
      output: 'rejected',
      run: 'latest~2',
    });
    expect(step(workflow, 'd').needs).toEqual([]);
  });

  it('go to types that take any steps under names of their own', async () => {
    const workflow = await workflowOf(`
steps:
  ${load}
  v: { use: embed, from: q }
  r: { use: report, from: { first: q, second: v } }
  s: { use: report, from: v.failed }
  t: { use: report, after: [r, s] }
  e: { use: exec, from: q, with: { run: cat, outputs: { rows: a.jsonl, m: b.npy } } }
  c: { use: cluster, from: { rows: e, vectors: e.m }, with: { k: 2 } }
`);
    expect(step(workflow, 'r')).toMatchObject({
      takesSteps: true,
      inputs: { first: { output: 'rows' }, second: { output: 'vectors' } },
    });
    expect(step(workflow, 's').inputs).toMatchObject({ v: { output: 'failed' } });
    expect(step(workflow, 't')).toMatchObject({ inputs: {}, needs: ['r', 's'] });
    expect(step(workflow, 'c').inputs).toMatchObject({ rows: { output: 'rows' }, vectors: { output: 'm' } });
  });
});

describe('a matrix', () => {
  const matrix = `
steps:
  ${load}
  answers:
    use: answer
    from: q
    matrix: { model: [a, b], n: [1, 2], exclude: [{ model: b, n: 2 }], include: [{ model: c, n: 9 }] }
    with: { style: "\${{ matrix.model }}-\${{ matrix.n }}" }
`;
  it('is a product, less exclude, plus include', async () => {
    const workflow = await workflowOf(matrix);
    expect(
      workflow.steps
        .slice(1)
        .map(({ id, base, matrix: values, parameters }) => [id, base, values, parameters['style']]),
    ).toEqual([
      ['answers[model=a,n=1]', 'answers', { model: 'a', n: 1 }, 'a-1'],
      ['answers[model=a,n=2]', 'answers', { model: 'a', n: 2 }, 'a-2'],
      ['answers[model=b,n=1]', 'answers', { model: 'b', n: 1 }, 'b-1'],
      ['answers[model=c,n=9]', 'answers', { model: 'c', n: 9 }, 'c-9'],
    ]);
  });

  it('is gathered, chosen from in part, or taken singly', async () => {
    const workflow = await workflowOf(`${matrix}
  all: { use: filter, from: answers, with: { where: "true" } }
  some: { use: filter, from: "answers[model=a]", with: { where: "true" } }
  one: { use: filter, from: "answers[n=2,model=a]", with: { where: "true" } }
  page: { use: report, from: "answers[n=1]" }
`);
    const parts = (id: string) =>
      step(workflow, id).inputs['rows']!.parts.map(({ step: from, axes }) => [from, axes]);
    expect(parts('all')).toHaveLength(4);
    expect(parts('all')[0]).toEqual(['answers[model=a,n=1]', { model: 'a', n: 1 }]);
    expect(parts('some')).toEqual([
      ['answers[model=a,n=1]', { n: 1 }],
      ['answers[model=a,n=2]', { n: 2 }],
    ]);
    expect(parts('one')).toEqual([['answers[model=a,n=2]', null]]);
    expect(step(workflow, 'page').inputs['answers']!.parts).toEqual([
      { step: 'answers[model=a,n=1]', axes: { model: 'a' } },
      { step: 'answers[model=b,n=1]', axes: { model: 'b' } },
    ]);
    expect(step(workflow, 'all').needs).toHaveLength(4);
  });

  it('reads a matrix with the same axes combination by combination', async () => {
    const workflow = await workflowOf(`
steps:
  ${load}
  a: { use: answer, from: q, matrix: { m: [x, "y z"] }, with: { style: "\${{ matrix.m }}" } }
  b: { use: filter, from: "a[m=\${{ matrix.m }}]", matrix: { m: [x, "y z"] }, with: { where: "true" } }
  c: { use: filter, from: q, when: 'steps["b[m=x]"].metrics.k > 1', with: { where: "true" } }
`);
    expect(step(workflow, 'b[m=y z]').inputs['rows']!.parts).toEqual([{ step: 'a[m=y z]', axes: null }]);
    expect(step(workflow, 'c').needs).toEqual(['q', 'b[m=x]']);
  });
});

describe('files', () => {
  it('include others: paths, defaults and params of each are its own', async () => {
    const workflow = await workflowOf({
      'main.yaml': `
include: [./parts/one.yaml, parts/two.yaml]
params: { shared: { type: string, default: main } }
defaults: { retries: 1, with: { embed: { model: multilingual, batch_size: 8 } } }
steps:
  v: { use: embed, from: rows, with: { batch_size: 4 } }
  near: { use: load, with: { path: ./near.jsonl } }
`,
      'parts/one.yaml': `
params: { shared: { type: string, default: one }, file: { type: string, default: ./own.jsonl } }
defaults: { retries: 3 }
steps:
  rows: { use: load, with: { path: ./rows.jsonl } }
  bare: { use: load, with: { path: data/rows.jsonl } }
  up: { use: load, with: { path: ../up.jsonl } }
  by_param: { use: load, with: { path: "\${{ params.file }}" } }
  mini: { use: embed, from: rows }
`,
      'parts/two.yaml':
        'include: ./one.yaml\nsteps: { two: { use: filter, from: rows, with: { where: "row.a == params.shared" } } }\n',
    });
    const path = (id: string) => step(workflow, id).parameters['path'];
    expect([path('near'), path('rows'), path('bare'), path('up'), path('by_param')]).toEqual([
      'near.jsonl',
      'parts/rows.jsonl',
      'data/rows.jsonl',
      'up.jsonl',
      'parts/own.jsonl',
    ]);
    expect(workflow.params['shared']).toBe('main');
    expect(step(workflow, 'two').parameters['where']).toBe('row.a == "main"');
    expect([step(workflow, 'near').retries, step(workflow, 'rows').retries]).toEqual([1, 3]);
    expect(step(workflow, 'v').parameters).toMatchObject({ model: 'multilingual', batch_size: 4 });
    expect(step(workflow, 'mini').parameters).toMatchObject({ model: 'multilingual', batch_size: 8 });
    expect(workflow.sources.map((source) => source.path)).toEqual([
      'main.yaml',
      'parts/one.yaml',
      'parts/two.yaml',
    ]);
  });

  it('a path that the command line gives is relative to where the command was called', async () => {
    const folder = folderWith({
      'main.yaml': `params: { f: { type: string } }\nsteps: { q: { use: load, with: { path: "\${{ params.f }}" } } }`,
    });
    mkdirSync(join(folder, 'sub'));
    const { workflow } = await compileWorkflow(
      { file: '../main.yaml', cwd: join(folder, 'sub'), params: { f: './a.jsonl' }, env: {} },
      { registry: sampleRegistry(), models: sampleModels, root: folder },
    );
    expect(workflow!.steps[0]!.parameters['path']).toBe('sub/a.jsonl');
  });

  it('step files are named by their path from the root', async () => {
    const type = await sampleRegistry().find('filter')!.load();
    const registry = sampleRegistry({ './parts/mine.ts': async () => type });
    const workflow = await workflowOf(
      {
        'main.yaml': `include: ./parts/one.yaml\nsteps: { ${load}, b: { use: parts/mine.ts, from: q, with: { where: "true" } } }`,
        'parts/one.yaml': 'steps: { a: { use: ./mine.ts, from: q, with: { where: "true" } } }',
      },
      { parts: { registry } },
    );
    expect([step(workflow, 'a').use, step(workflow, 'b').use]).toEqual([
      './parts/mine.ts',
      './parts/mine.ts',
    ]);
  });
});

describe('models', () => {
  it('have aliases with paths', async () => {
    const workflow = await workflowOf(`
models: { mine: { provider: local, path: ./models/mine } }
steps: { ${load}, v: { use: embed, from: q, with: { model: mine } } }`);
    expect(workflow.models).toEqual({ mine: { provider: 'local', path: 'models/mine' } });
    expect(step(workflow, 'v').modelNames).toMatchObject([{ name: 'mine' }]);
  });
});

describe('the cache of resolved workflows', () => {
  const main = `include: ./more.yaml\nenv: [SET]\nparams: { n: { type: integer, default: 1 } }\nsteps: { ${load} }\n`;
  const files = { 'main.yaml': main, 'more.yaml': 'steps: { m: { use: load, with: { path: m.jsonl } } }' };

  it('answers only while nothing has changed', async () => {
    const folder = folderWith(files);
    const store = new Map<string, string>();
    let compiled = 0;
    const code = { load: '1' };
    let engineVersion = '1.0.0';
    const run = async (call: Call = {}) => {
      const result = await compileWorkflow(
        { file: 'main.yaml', cwd: folder, params: call.params ?? {}, env: call.env ?? {} },
        {
          registry: sampleRegistry(),
          models: sampleModels,
          root: folder,
          engineVersion,
          codeDigest: (use) => code[use as 'load'],
          cache: {
            get: (key) => store.get(key),
            set: (key, value) => {
              compiled++;
              store.set(key, value);
            },
          },
        },
      );
      expect(result.problems).toEqual([]);
      return result.workflow!;
    };
    const first = await run();
    expect(await run()).toEqual(first);
    expect(compiled).toBe(1);
    await run({ params: { n: '2' } });
    expect(compiled).toBe(2);
    await run({ env: { SET: 'x' } });
    expect(compiled).toBe(3);
    await run({ env: { SET: 'x', OTHER: 'y' } });
    expect(compiled).toBe(3);
    code.load = '2';
    await run({ env: { SET: 'x' } });
    expect(compiled).toBe(4);
    writeFileSync(join(folder, 'more.yaml'), `${files['more.yaml']} # changed`);
    expect((await run({ env: { SET: 'x' } })).sources[1]!.text).toContain('# changed');
    expect(compiled).toBe(5);
    engineVersion = '1.0.1';
    await run({ env: { SET: 'x' } });
    expect(compiled).toBe(6);
    await run({ env: { SET: 'x' } });
    expect(compiled).toBe(6);
    writeFileSync(join(folder, 'main.yaml'), 'steps: { a: { use: lod } }');
    const broken = await compileWorkflow(
      { file: 'main.yaml', cwd: folder, env: { SET: 'x' } },
      {
        registry: sampleRegistry(),
        models: sampleModels,
        root: folder,
        cache: { get: (key) => store.get(key), set: () => {} },
      },
    );
    expect(broken.problems).toMatchObject([{ code: 'unknown-step-type' }]);
  });

  it('knows the variables that models read, whatever steps have under the same name', async () => {
    const folder = folderWith({
      'main.yaml': `env: [WHICH]\nmodels: { writer: { provider: openai, model: "\${{ env.WHICH }}" } }\nsteps: { q: { use: load, env: { WHICH: same }, with: { path: q.jsonl } } }\n`,
    });
    const store = new Map<string, string>();
    const modelOf = async (which: string) => {
      const { workflow } = await compileWorkflow(
        { file: 'main.yaml', cwd: folder, env: { WHICH: which } },
        {
          registry: sampleRegistry(),
          models: sampleModels,
          root: folder,
          cache: { get: (key) => store.get(key), set: (key, value) => store.set(key, value) },
        },
      );
      return workflow!.models['writer']!['model'];
    };
    expect(await modelOf('one')).toBe('one');
    expect(await modelOf('two')).toBe('two');
  });

  it('a hit loads neither the YAML parser nor the validator, the graph or CEL', async () => {
    const folder = folderWith(files);
    const child = runModule(
      `
      import { registerHooks } from 'node:module';
      import { existsSync, readFileSync, writeFileSync } from 'node:fs';
      const loaded = [];
      registerHooks({ resolve(name, context, next) { const found = next(name, context); loaded.push(found.url); return found; } });
      const { compileWorkflow } = await import('#/engine/workflow/compile.ts');
      const { sampleRegistry, sampleModels } = await import('#/test/sample-types.ts');
      const [folder] = process.argv.slice(1);
      const file = folder + '/cache';
      const cache = { get: () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined), set: (_, value) => writeFileSync(file, value) };
      const call = () => compileWorkflow({ file: 'main.yaml', cwd: folder, env: {} }, { registry: sampleRegistry(), models: sampleModels, root: folder, cache });
      const { workflow } = await call();
      const heavy = [...new Set(loaded.flatMap((url) => /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? []))];
      console.log(JSON.stringify({ steps: workflow.steps.length, heavy }));
      `,
      [folder],
    );
    const cold = JSON.parse(await endOf(child)) as { steps: number; heavy: string[] };
    expect(cold).toMatchObject({ steps: 2, heavy: expect.arrayContaining(['yaml', 'ajv', 'graphology']) });
    const warm = runModule(child.spawnargs.at(-2)!, [folder]);
    expect(JSON.parse(await endOf(warm))).toEqual({ steps: 2, heavy: [] });
  });

  it('an entry that cannot be read is none', async () => {
    const cache = { get: () => '{', set: () => {} };
    expect((await workflowOf(files, { parts: { cache } })).steps).toHaveLength(2);
  });
});

describe('files that are no workflows', () => {
  it('are told apart', async () => {
    const folder = folderWith({ 'large.yaml': '', 'steps.yaml': '' });
    truncateSync(join(folder, 'large.yaml'), 17 * 2 ** 20);
    const codes = async (file: string) =>
      (
        await compileWorkflow(
          { file, cwd: folder, env: {} },
          { registry: sampleRegistry(), models: sampleModels },
        )
      ).problems.map(({ code, message }) => `${code}: ${message}`);
    expect(await codes('large.yaml')).toEqual(['file-too-large: large.yaml has 17 MB: that is no workflow']);
    expect(await codes('missing.yaml')).toEqual(['file-not-found: there is no file missing.yaml']);
    expect(await codes('.')).toEqual(['file-not-readable: . is a folder, not a file']);
    expect(await codes('steps.yaml')).toEqual(['empty-file: steps.yaml is empty']);
  });

  const crafted = join(import.meta.dirname, '../../test/hostile/crafted');
  it.each(readdirSync(crafted).filter((name) => name.endsWith('.yaml')))('%s', async (file) => {
    const { problems } = await compileWorkflow(
      { file, cwd: crafted, env: {} },
      { registry: sampleRegistry(), models: sampleModels },
    );
    expect(problems.length).toBeGreaterThan(0);
    for (const { place } of problems) expect(place).toBeDefined();
  });
});

describe('warnings', () => {
  it('come with the workflow', async () => {
    const workflow = await workflowOf(
      `steps: { q: { use: load, matrix: { a: [1], exclude: [{ a: 2 }] }, with: { path: x } } }`,
    );
    expect(workflow.warnings).toMatchObject([{ code: 'no-such-combination', severity: 'warning' }]);
  });

  it('tell of files that are written outside of the project', async () => {
    const paths = ['../outside.csv', '/tmp/outside.csv', 'out/inside.csv', 'out/../..inside.csv'];
    const steps = paths.map((path, at) => `  e${at}: { use: export, from: q, with: { path: ${path} } }`);
    const parts = { registry: createStepRegistry(process.cwd()) };
    const { warnings } = await workflowOf(`steps:\n  ${load}\n${steps.join('\n')}`, { parts });
    expect(warnings.map(({ code, message }) => [code, message])).toEqual([
      ['outside-project', '../outside.csv is outside of the project'],
      ['outside-project', '/tmp/outside.csv is outside of the project'],
    ]);
  });
});

it('resolves 5,000 steps in seconds', async () => {
  const steps = Array.from(
    { length: 5_000 },
    (_, index) =>
      `  s${index}: { use: filter, from: ${index === 0 ? 'q' : `s${index - 1}`}, with: { where: "row.n > ${index}" } }`,
  );
  const start = performance.now();
  const workflow = await workflowOf(`steps:\n  ${load}\n${steps.join('\n')}`);
  expect(workflow.steps).toHaveLength(5_001);
  // About 2 s on an idle machine; a guard against a change of kind.
  expect(performance.now() - start).toBeLessThan(20_000);
});
