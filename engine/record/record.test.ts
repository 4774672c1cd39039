import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exampleRecord, exampleStep, exampleTable } from '../../test/run-record.ts';
import { digestOf } from '../digest.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';
import { outputBlobs, parseFirstLines, type RunRecord, serializeRecord, stepRecord } from './record.ts';
import { Redaction } from './redaction.ts';

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schemas/run.schema.json'), 'utf8'));
const none = new Redaction();
const parse = (text: string) => JSON.parse(text) as RunRecord;

describe('run.json', () => {
  const validate = new Ajv2020({
    strict: true,
    formats: { 'date-time': true },
    allowUnionTypes: true,
  }).compile(schema);

  it('is what the schema says, at the end of a run and at its start', () => {
    const start = exampleRecord({
      status: 'running',
      finished: null,
      duration_ms: null,
      git: null,
      steps: [],
    });
    for (const record of [exampleRecord(), start]) {
      validate(parse(serializeRecord(record, none)));
      expect(validate.errors).toBeNull();
    }
  });

  it('is refused by the schema with a member more or less, at any depth', () => {
    const paths: (string | number)[][] = [];
    const walk = (value: unknown, path: (string | number)[]) => {
      if (typeof value !== 'object' || value === null) return;
      if (!Array.isArray(value)) paths.push(path);
      for (const [name, member] of Object.entries(value)) walk(member, [...path, name]);
    };
    const example = parse(JSON.stringify(exampleRecord()));
    walk(example, []);
    // Names in these are the workflow's own.
    const open = /params|parameters|metrics|matrix|inputs|outputs|packages|files|models|env$/;
    const optional = /^(params|place|hint|trail|skip_cause)$/;
    expect(paths.length).toBeGreaterThan(40);
    for (const path of paths) {
      const shape = path.join('.');
      const at = (record: unknown) => path.reduce((value, name) => (value as never)[name], record) as object;
      if (typeof path.at(-1) === 'string' && open.test(String(path.at(-1)))) continue;
      const more = structuredClone(example);
      Object.assign(at(more), { surplus: 1 });
      expect(validate(more), `${shape}.surplus`).toBe(false);
      for (const name of Object.keys(at(example))) {
        if (optional.test(name) && path.length > 0) continue;
        const less = structuredClone(example);
        delete (at(less) as Record<string, unknown>)[name];
        expect(validate(less), `without ${shape}.${name}`).toBe(false);
      }
    }
  });

  it('reads back as it was', () => {
    expect(parse(serializeRecord(exampleRecord(), none))).toEqual(exampleRecord());
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.string()), (params, warnings) => {
        const record = exampleRecord({ params: params as RunRecord['params'], warnings });
        expect(parse(serializeRecord(record, none))).toEqual(JSON.parse(JSON.stringify(record)));
      }),
    );
  });

  it('has its head on the first line and its pins on the second', () => {
    const record = exampleRecord();
    const text = serializeRecord(record, none);
    const { format, id, status, started, finished, duration_ms, process, summary, pins } = record;
    const head = { format, id, status, started, finished, duration_ms, process, summary };
    expect(parseFirstLines(text, 1)).toEqual(head);
    expect(parseFirstLines(text, 2)).toEqual({ ...head, pins });
    expect(text.match(/"summary":/g)).toHaveLength(1);
    const firstLine = text.indexOf('\n') + 1;
    expect(parseFirstLines(text.slice(0, firstLine), 1)).toEqual(head);
    expect(parseFirstLines(text.slice(0, firstLine - 1), 1)).toBeUndefined();
    expect(parseFirstLines(text.slice(0, firstLine), 2)).toBeUndefined();
    for (const foreign of ['', '\n', '{}\n', '[1]\n', 'null\n', '{"id":1}\n', 'text\n'])
      expect(parseFirstLines(foreign, 1), foreign).toBeUndefined();
  });

  it('holds a step of 1,000 on a line each, and is written fast', () => {
    const steps = Array.from({ length: 1000 }, (_, index) => exampleStep(`step_${index}`));
    const record = exampleRecord({ steps });
    let best = Infinity;
    for (let round = 0; round < 8; round++) {
      const start = performance.now();
      serializeRecord(record, none);
      best = Math.min(best, performance.now() - start);
    }
    expect(serializeRecord(record, none).split('\n').length).toBeGreaterThan(1000);
    // Far from the figure on a free machine (5 ms), so that only a change of kind fails here.
    expect(best).toBeLessThan(60);
  });

  it('never holds a secret', () => {
    const secret = 'hunter2 "quoted" 50';
    const record = exampleRecord({
      params: { key: secret, [`in ${secret}`]: [secret] },
      command: ['run', '--param', `key=${secret}`],
      warnings: [`called https://example.com/?key=${encodeURIComponent(secret)}`],
    });
    const text = serializeRecord(record, new Redaction([secret, '77', record.pins[0]!.slice(10, 14)]));
    expect(text).not.toContain('hunter2');
    expect(parse(text)).toMatchObject({
      params: { key: '[secret]', 'in [secret]': ['[secret]'] },
      pins: record.pins,
      command: ['run', '--param', 'key=[secret]'],
    });
  });
});

describe('a step’s record', () => {
  const step = {
    id: 'topics',
    base: 'topics',
    use: 'cluster',
    matrix: null,
    needs: ['unique', 'answers[m=a]', 'answers[m=b]'],
    inputs: {
      rows: { parts: [{ step: 'unique', axes: null }], output: 'rows', run: null },
      old: { parts: [{ step: 'unique', axes: null }], output: '', run: 'earlier' },
      answers: {
        parts: [
          { step: 'answers[m=a]', axes: { m: 'a' } },
          { step: 'answers[m=b]', axes: { m: 'b' } },
        ],
        output: 'rows',
        run: null,
      },
    },
  } as unknown as ResolvedStep;

  it('says what it read, from where', () => {
    const outputs: Record<string, ReturnType<typeof exampleTable>> = {
      unique: exampleTable('unique'),
      'answers[m=b]': exampleTable('b'),
      'unique of earlier': exampleTable('earlier'),
    };
    const { inputs } = stepRecord(step, exampleStep('topics'), undefined, (id, run) => {
      const rows = outputs[run === null ? id : `${id} of ${run}`];
      return rows && { run: run && `id of ${run}`, id, outputs: { rows } };
    });
    expect(inputs).toEqual({
      rows: [{ run: null, step: 'unique', output: 'rows', digest: digestOf('rows of unique') }],
      old: [{ run: 'id of earlier', step: 'unique', output: 'rows', digest: digestOf('rows of earlier') }],
      answers: [{ run: null, step: 'answers[m=b]', output: 'rows', digest: digestOf('rows of b') }],
    });
  });

  it('leads to the blobs of its outputs', () => {
    expect(outputBlobs(exampleRecord())).toEqual(
      [digestOf('stored topics'), digestOf('some content')].sort(),
    );
  });
});
