import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import { WorkerPool } from '../../engine/execute/pool.ts';
import type { Json, JsonObject } from '../../engine/json.ts';
import type { AnyStepType } from '../../engine/step.ts';
import { gaussians } from '../../numerics/random.ts';
import clean from '../../steps/clean/index.ts';
import dedupe from '../../steps/dedupe/index.ts';
import labelErrors from '../../steps/label_errors/index.ts';
import outliers from '../../steps/outliers/index.ts';
import quality from '../../steps/quality/index.ts';
import validate from '../../steps/validate/index.ts';
import { runStep } from '../run-step.ts';

const pool = new WorkerPool({ threads: 1 });
afterAll(() => pool.close());

const hostile = join(import.meta.dirname, '..', 'hostile');
/** Every text of the hostile files that are JSON Lines, of every script that they have, and some of our own. */
const crafted = join(hostile, 'crafted');
const texts: Json[] = [
  ...(JSON.parse(readFileSync(join(hostile, 'naughty-strings/blns.json'), 'utf8')) as string[]),
  ...readdirSync(crafted)
    .filter((file) => file.endsWith('.jsonl') && !/long_line/.test(file))
    .flatMap((file) => readFileSync(join(crafted, file), 'utf8').split('\n'))
    .flatMap((line) => {
      try {
        const value = JSON.parse(line) as Json;
        return value !== null && typeof value === 'object' ? Object.values(value) : [value];
      } catch {
        return [line];
      }
    }),
  '',
  ' ',
  null,
  'x'.repeat(100_000),
  'слово '.repeat(16_000),
  'ไม่มีช่องว่าง'.repeat(100),
  '\u0000\ud800\ufffe',
];
/** No table has such a number: `load` refuses it. */
const isInfinite = (value: Json) => typeof value === 'number' && !Number.isFinite(value);
const table = (list: readonly Json[]): Row[] =>
  list.map((text, at) => ({ id: `r${at}`, text, label: `l${at % 3}`, number: at % 7 === 6 ? null : at }));
const rows = table(texts.filter((text) => !isInfinite(text)));
const vectorsOf = (given: readonly Row[]) => ({
  matrix: { data: Float32Array.from(gaussians(given.length * 4, 1)), rows: given.length, columns: 4 },
  ids: given.map(({ id }) => id),
});

/** A step, its parameters, whether it needs vectors, and the outputs that together hold each row once. */
const steps: [string, AnyStepType, JsonObject, boolean, string[]][] = [
  [
    'quality',
    quality,
    { language: {}, profanity: {}, boilerplate: {}, coherence: {}, score: {} },
    false,
    ['rows', 'rejected'],
  ],
  [
    'clean',
    clean,
    { mask: ['email', 'phone', 'card', 'ip', 'key'], keep_map: true },
    false,
    ['rows', 'rejected'],
  ],
  ['clean of answers', clean, { generations: true }, false, ['rows', 'rejected']],
  [
    'validate',
    validate,
    {
      on_fail: 'quarantine',
      expectations: [
        { expect: 'not_null', field: 'text' },
        { expect: 'unique', field: 'text' },
        { expect: 'length', field: 'text', max_value: 1000 },
        { expect: 'type', field: 'text', type: 'string' },
        { expect: 'monotonic', field: 'number' },
      ],
    },
    false,
    ['rows', 'quarantined'],
  ],
  ['outliers by length', outliers, { method: 'length' }, false, ['outliers', 'kept']],
  ['outliers by numbers', outliers, { fields: ['number'] }, false, ['outliers', 'kept']],
  ['outliers by vectors', outliers, { method: 'lof', by: 'label' }, true, ['outliers', 'kept']],
  ['label_errors', labelErrors, { label: 'label' }, true, ['errors', 'kept']],
  ['dedupe', dedupe, { method: 'normalized', keep: 'first', by: 'id' }, false, ['rows', 'duplicates']],
];

describe.each(steps)('%s', (_, type, parameters, withVectors, outputs) => {
  const run = (given: Row[]) =>
    runStep(type, {
      pool,
      with: parameters,
      inputs: { rows: given, ...(withVectors && { vectors: vectorsOf(given) }) },
    });

  it('has every row of a hostile table in one of its outputs, once', async () => {
    const { tables } = await run(rows);
    const ids = outputs.flatMap((output) => tables[output]!.map(({ id }) => id));
    expect(ids.toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
  });

  it.each([
    ['no rows', 0, 'a'],
    ['one row', 1, 'a'],
    ['equal rows', 9, 'the same'],
  ])('takes %s', async (__, size, text) => {
    const given = table(new Array<string>(size).fill(text));
    const { tables } = await run(given);
    expect(outputs.reduce((sum, output) => sum + tables[output]!.length, 0)).toBe(size);
  });
});
