import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exampleRecord, exampleStep } from '../../test/run-record.ts';
import { isFileName } from '../store/files.ts';
import { headFlaw, recordFlaw } from './record-shape.ts';

type Members = Record<string, unknown>;

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../schemas/run.schema.json'), 'utf8'),
) as Members;
const example = () => JSON.parse(JSON.stringify(exampleRecord())) as Members;

/** Ways to every value within a value. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, item]) => pathsOf(item, [...path, name]))];
}

/** A copy of the record with one value replaced, or taken out. */
function changed(path: readonly string[], value: unknown): Members {
  const record = example();
  const parent = path.slice(0, -1).reduce((at: unknown, name) => (at as Members)[name], record) as Members;
  const name = path.at(-1)!;
  if (value !== undefined) parent[name] = value;
  else if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else delete parent[name];
  return record;
}

describe('what is wrong with a record', () => {
  it('is nothing with one that is whole, and with one that knows more', () => {
    expect(recordFlaw(example())).toBeNull();
    expect(recordFlaw({ ...example(), later: 1 })).toBeNull();
    expect(headFlaw(example())).toBeNull();
    const start = exampleRecord({
      status: 'running',
      finished: null,
      duration_ms: null,
      git: null,
      steps: [],
    });
    expect(recordFlaw(start)).toBeNull();
  });

  it.each<[string, string[], unknown, string]>([
    ['a member of a step', ['steps', '2', 'metrics'], 5, 'steps[2].metrics must be an object, and is 5'],
    ['a step', ['steps', '0'], null, 'steps[0] must be an object, and is null'],
    ['all steps', ['steps'], undefined, 'steps is missing'],
    [
      'an output of no kind',
      ['steps', '0', 'outputs', 'rows', 'kind'],
      'x',
      'steps[0].outputs.rows must be of a kind that is known, and is {"kind":"x"',
    ],
    [
      'a matrix without columns',
      ['steps', '2', 'outputs', 'vectors', 'columns'],
      undefined,
      'steps[2].outputs.vectors.columns is missing',
    ],
    [
      'a status',
      ['status'],
      'done',
      'status must be "running" or "succeeded" or "failed" or "interrupted", and is "done"',
    ],
    [
      'a digest',
      ['pins', '0'],
      'sha256:12',
      'pins[0] must be of the form ^sha256:[0-9a-f]{64}$, and is "sha256:12"',
    ],
    ['a member that may be null', ['git', 'commit'], 7, 'git.commit must be a text or null, and is 7'],
    [
      'a name with signs in it',
      ['steps', '0', 'fingerprint', 'files', 'data/queries.jsonl'],
      1,
      'steps[0].fingerprint.files["data/queries.jsonl"] must be a text, and is 1',
    ],
  ])('is said with its place: %s', (_, path, value, said) => {
    expect(recordFlaw(changed(path, value))?.slice(0, said.length)).toBe(said);
  });

  it('is a name that leads out of the folder of its files', () => {
    const named = (name: string) =>
      changed(['steps', '0', 'outputs', 'rows'], {
        kind: 'files',
        digest: `sha256:${'0'.repeat(64)}`,
        bytes: 1,
        files: [{ name, digest: `sha256:${'0'.repeat(64)}`, bytes: 1 }],
      });
    expect(recordFlaw(named('../../escaped.csv'))).toMatch(
      /^steps\[0\]\.outputs\.rows\.files\[0\]\.name must be/,
    );
    const part = fc.constantFrom('a', '.', '..', '...', '', '.b', '\\', '\0', '\n', '/');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), fc.constantFrom('', '/'), (parts, between) => {
        const name = parts.join(between);
        expect([name, recordFlaw(named(name)) === null]).toEqual([name, isFileName(name)]);
      }),
    );
  });

  it('is said of what is no object at all', () => {
    for (const value of [null, 5, 'text', [], undefined]) {
      expect(recordFlaw(value)).toMatch(/^it must be an object, and is /);
      expect(headFlaw(value)).not.toBeNull();
    }
  });

  it('of a head is what a list would stumble over', () => {
    expect(headFlaw({ ...example(), summary: null })).toBe('summary must be an object, and is null');
    expect(headFlaw({ ...example(), process: {} })).toBe('process.pid is missing');
    expect(headFlaw({ ...example(), format: 2, steps: 'later' })).toBeNull();
  });

  it('is found wherever a validator of JSON Schema finds it, and nowhere else', () => {
    // Like ours, it lets a later version say more.
    const open = JSON.parse(
      JSON.stringify(schema, (name, value) =>
        (name === 'additionalProperties' && value === false) || name === 'uniqueItems' || name === 'minimum'
          ? undefined
          : value,
      ),
    ) as object;
    const validate = new Ajv2020({ strict: false, formats: { 'date-time': true } }).compile(open);
    const paths = pathsOf(example()).filter((path) => path.length > 0);
    const value = fc.oneof(
      fc.constant(undefined),
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom<unknown>(null, '', 0, -1, 1.5, {}, [], [null], true, 'sha256:', 'ran', 'table'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), value, (path, other) => {
        const record = changed(path, other);
        expect([path, recordFlaw(record)]).toEqual([path, validate(record) ? null : expect.any(String)]);
      }),
      { numRuns: 600 },
    );
  });

  it('is looked for with every word that the schema has', () => {
    const known =
      /^(\$ref|\$defs|type|const|enum|pattern|properties|required|additionalProperties|items|anyOf|oneOf)$/;
    // They explain, or are about what nothing relies on.
    const silent = /^(\$schema|title|description|format|uniqueItems|minimum)$/;
    const words = new Set<string>();
    const visit = (shape: unknown): void => {
      if (typeof shape !== 'object' || shape === null) return;
      for (const [word, value] of Object.entries(shape)) {
        words.add(word);
        if (word === 'properties' || word === '$defs') Object.values(value as object).forEach(visit);
        else if (word === 'anyOf' || word === 'oneOf') (value as unknown[]).forEach(visit);
        else if (word === 'items' || word === 'additionalProperties') visit(value);
      }
    };
    visit(schema);
    expect([...words].filter((word) => !known.test(word) && !silent.test(word))).toEqual([]);
  });

  it('is looked for fast: a record of 1,000 steps', () => {
    const record = exampleRecord({
      steps: Array.from({ length: 1000 }, (_, index) => exampleStep(`step_${index}`)),
    });
    let best = Infinity;
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      recordFlaw(record);
      best = Math.min(best, performance.now() - start);
    }
    // Far from the figure on a free machine, so that only a change of kind fails here.
    expect(best).toBeLessThan(100);
  });
});
