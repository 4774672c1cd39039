import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Artefact } from '../artefacts.ts';
import { digestOf } from '../digest.ts';
import type { Json, JsonObject } from '../json.ts';
import type { CodeModule } from './code.ts';
import {
  artefactIdentity,
  explainChange,
  type Fingerprint,
  fingerprintKey,
  valuesNamed,
} from './fingerprint.ts';

const rows = digestOf('rows');
const base: Fingerprint = {
  step_type: 'cluster',
  code: digestOf('code'),
  packages: { 'onnxruntime-node': '1.29.0', '@scope/words.js': '2.0.0' },
  parameters: {
    method: 'kmeans',
    k: 77,
    prompt: { text: 'Name the topic.', options: { case: 'lower' } },
    labels: ['a', 'b', 'c'],
    flag: true,
  },
  params: { topics: 77 },
  inputs: {
    rows,
    vectors: { digest: digestOf('vectors'), ids: digestOf('ids') },
    gathered: [
      { axes: { model: 'a' }, of: digestOf('a') },
      { axes: { model: 'b' }, of: digestOf('b') },
    ],
    scores: { output: 'rows', outputs: { rows }, metrics: { v_measure: 0.7 } },
  },
  files: { 'data/a.csv': digestOf('file a'), 'data/b.csv': digestOf('file b') },
  models: { 'all-minilm-l6-v2': digestOf('weights') },
  env: { REGION: digestOf('eu') },
  seed: 42,
  formats: 1,
};

const withParameters = (parameters: JsonObject): Partial<Fingerprint> => ({
  parameters: { ...base.parameters, ...parameters },
});
const withInputs = (inputs: JsonObject): Partial<Fingerprint> => ({ inputs: { ...base.inputs, ...inputs } });

describe('a change of the fingerprint', () => {
  const table: [what: string, change: Partial<Fingerprint>, reasons: string[]][] = [
    ['nothing', {}, []],
    [
      'another order of parameters',
      { parameters: Object.fromEntries(Object.entries(base.parameters).reverse()) },
      [],
    ],
    [
      'another order of nested parameters',
      withParameters({ prompt: { options: { case: 'lower' }, text: 'Name the topic.' } }),
      [],
    ],
    ['another order of files', { files: Object.fromEntries(Object.entries(base.files).reverse()) }, []],
    ['a whole number written as a double', withParameters({ k: 77.0 }), []],
    ['a number', withParameters({ k: 50 }), ['with.k 77 → 50']],
    ['a text', withParameters({ method: 'ward' }), ['with.method kmeans → ward']],
    ['a text that looks like the number', withParameters({ k: '77' }), ['with.k 77 → "77"']],
    ['white space in a text', withParameters({ method: 'kmeans ' }), ['with.method kmeans → "kmeans "']],
    [
      'a nested parameter',
      withParameters({ prompt: { text: 'Name the topic.', options: { case: 'upper' } } }),
      ['with.prompt.options.case lower → upper'],
    ],
    ['a parameter more', withParameters({ restarts: 3 }), ['with.restarts not set → 3']],
    [
      'a parameter less',
      { parameters: { ...base.parameters, flag: undefined as never } },
      ['with.flag true → not set'],
    ],
    ['null is not absent', withParameters({ restarts: null }), ['with.restarts not set → null']],
    ['an item of a list', withParameters({ labels: ['a', 'x', 'c'] }), ['with.labels[1] b → x']],
    [
      'the order of a list',
      withParameters({ labels: ['a', 'c', 'b'] }),
      ['with.labels[1] b → c', 'with.labels[2] c → b'],
    ],
    [
      'a longer list',
      withParameters({ labels: ['a', 'b', 'c', 'd'] }),
      ['with.labels ["a","b","c"] → ["a","b","c","d"]'],
    ],
    ['another kind of value', withParameters({ flag: { on: true } }), ['with.flag true → {"on":true}']],
    ['a param that an expression names', { params: { topics: 50 } }, ['params.topics 77 → 50']],
    ['the seed', { seed: 7 }, ['seed 42 → 7']],
    ['a type that draws no random numbers any more', { seed: null }, ['seed 42 → not set']],
    ['the code', { code: digestOf('other') }, ['code of cluster changed']],
    ['the content of a file', { files: { ...base.files, 'data/a.csv': rows } }, ['file data/a.csv changed']],
    ['a file more', { files: { ...base.files, 'data/c.csv': rows } }, ['file data/c.csv added']],
    ['a file less', { files: { 'data/a.csv': base.files['data/a.csv']! } }, ['file data/b.csv removed']],
    ['an input', withInputs({ rows: digestOf('other') }), ['input rows changed']],
    [
      'the same vectors for other rows',
      withInputs({ vectors: { digest: digestOf('vectors'), ids: rows } }),
      ['input vectors changed'],
    ],
    [
      'the order of gathered instances',
      withInputs({ gathered: [...(base.inputs['gathered'] as Json[])].reverse() }),
      ['input gathered changed'],
    ],
    [
      'an axis of a gathered instance',
      withInputs({
        gathered: [
          { axes: { model: 'c' }, of: digestOf('a') },
          { axes: { model: 'b' }, of: digestOf('b') },
        ],
      }),
      ['input gathered changed'],
    ],
    [
      'a metric of a step taken whole',
      withInputs({ scores: { output: 'rows', outputs: { rows }, metrics: { v_measure: 0.8 } } }),
      ['input scores changed'],
    ],
    ['an input more', withInputs({ names: rows }), ['input names added']],
    [
      'inputs swapped',
      withInputs({ rows: base.inputs['vectors']!, vectors: rows }),
      ['input rows changed', 'input vectors changed'],
    ],
    ['a model', { models: { 'all-minilm-l6-v2': rows } }, ['model all-minilm-l6-v2 changed']],
    ['the environment', { env: { REGION: digestOf('us') } }, ['env REGION changed']],
    [
      'a package',
      { packages: { ...base.packages, 'onnxruntime-node': '1.30.0' } },
      ['package onnxruntime-node 1.29.0 → 1.30.0'],
    ],
    [
      'a package more',
      { packages: { ...base.packages, 'a.b/c': '1.0.0' } },
      ['package a.b/c not used → 1.0.0'],
    ],
    ['the store’s format', { formats: 2 }, ['store format 1 → 2']],
    ['the step type', { step_type: 'dedupe' }, ['use cluster → dedupe']],
  ];
  it.each(table)('%s', (_, change, reasons) => {
    const now = { ...base, ...change };
    expect(explainChange(base, now)).toEqual(reasons);
    if (reasons.length === 0) expect(fingerprintKey(now)).toBe(fingerprintKey(base));
    else expect(fingerprintKey(now)).not.toBe(fingerprintKey(base));
  });

  it('is told with the parameters first and the packages last', () => {
    const now: Fingerprint = {
      ...base,
      ...withParameters({ k: 50 }),
      ...withInputs({ rows: digestOf('other') }),
      packages: {},
      code: digestOf('other'),
    };
    expect(explainChange(base, now).map((reason) => reason.split(' ')[0])).toEqual([
      'with.k',
      'code',
      'input',
      'package',
      'package',
    ]);
  });

  it('names the modules that changed', () => {
    const module = (path: string, text: string): CodeModule => ({ path, digest: digestOf(text) });
    const explain = (before: CodeModule[], after: CodeModule[]) =>
      explainChange(base, { ...base, code: digestOf('other') }, (code) =>
        code === base.code ? before : after,
      );
    const main = module('steps/mine.ts', '1');
    expect(explain([main, module('lib/a.ts', '1')], [main, module('lib/a.ts', '2')])).toEqual([
      'code lib/a.ts',
    ]);
    expect(explain([main], [main, module('lib/a.ts', '2')])).toEqual(['code lib/a.ts']);
    expect(explain([main, module('lib/a.ts', '2')], [main])).toEqual(['code lib/a.ts']);
    expect(explain([main], [main])).toEqual(['code of cluster changed']);
    const many = (text: string) => ['a', 'b', 'c', 'd', 'e'].map((name) => module(name, text));
    expect(explain(many('1'), many('2'))).toEqual(['code a, b, c and 2 more']);
  });

  it('shows where long values differ', () => {
    const text = (end: string) => ({
      prompt: `${'You are an assistant who names topics. '.repeat(5)}${end}`,
    });
    const reasons = explainChange(
      { ...base, parameters: text('Be brief, and use at most five words.') },
      { ...base, parameters: text('Be kind, and use at most five words.') },
    );
    expect(reasons).toEqual([
      'with.prompt … topics. Be brief, and use at most five … → … topics. Be kind, and use at most five w…',
    ]);
  });

  it('is none or gives a reason, for any parameters', () => {
    const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (a, b) => {
        const [old, now] = [
          { ...base, parameters: a },
          { ...base, parameters: b },
        ];
        const same = fingerprintKey(old) === fingerprintKey(now);
        expect(explainChange(old, now).length === 0).toBe(same);
      }),
    );
  });
});

describe('an artefact’s identity', () => {
  it('is its digest, for a matrix with the ids', () => {
    const table: Artefact = {
      kind: 'table',
      digest: rows,
      blob: rows,
      bytes: 1,
      rows: 1,
      ids: rows,
      fields: [],
    };
    const matrix: Artefact = {
      kind: 'matrix',
      digest: rows,
      blob: rows,
      bytes: 1,
      rows: 1,
      columns: 1,
      ids: rows,
    };
    expect(artefactIdentity(table)).toBe(rows);
    expect(artefactIdentity({ ...table, blob: digestOf('stored otherwise') })).toBe(rows);
    expect(artefactIdentity({ ...matrix, ids: digestOf('x') })).not.toEqual(artefactIdentity(matrix));
  });
});

describe('params that a text names', () => {
  const params = { a: 1, b: 2, c: 3 };
  it.each<[string, JsonObject]>([
    ['row.x > params.a', { a: 1 }],
    ['params.a + params . b', { a: 1, b: 2 }],
    ['{{params.c}} and {{#if params.a.deep}}x{{/if}}', { a: 1, c: 3 }],
    ['params["a"]', params],
    ['{{lookup params name}}', params],
    ['row.params.a > 1 && parameters.b', {}],
    ['params.unknown', {}],
    ['nothing', {}],
  ])('%s', (text, named) => {
    expect(valuesNamed('params', [text], params)).toEqual(named);
  });
});
