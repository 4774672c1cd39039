import { expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { typeWith } from '../../engine/type-with.ts';
import { useOf } from '../../engine/workflow/leaks.ts';
import { stepTypes } from '../../steps/index.ts';

/** Inputs to which data for evaluation only may not come, in the ways in which a step has them. */
const learners: [use: string, given: JsonObject, inputs: string[]][] = [
  ['train', { method: 'softmax' }, ['rows', 'vectors']],
  ['train', { method: 'centroids' }, ['rows', 'vectors']],
  ['train', { method: 'static_embedding' }, ['rows']],
  ['augment', { methods: ['typos'] }, ['rows']],
  ['generate', {}, ['examples']],
  ['classify', { model: 'm', labels: ['a'] }, ['examples']],
];

it.each(learners)('%s %j learns from %j', async (use, given, inputs) => {
  const { default: type } = await stepTypes[use]!();
  expect(Object.keys(typeWith(type, given).inputs)).toEqual(expect.arrayContaining(inputs));
  for (const input of inputs) expect(useOf(type, given, input)).toBe('learnt');
});

it('a type that trains or augments has no input that it does not learn from', async () => {
  for (const use of ['train', 'augment']) {
    const { default: type } = await stepTypes[use]!();
    expect(Object.values(type.inputs).every((spec) => 'learnt' in spec && spec.learnt === true)).toBe(true);
  }
});

it('rows that others are compared with to be removed come out of dedupe in no output', async () => {
  const { default: dedupe } = await stepTypes['dedupe']!();
  const uses = ['rows', 'against', 'against_vectors'].map((input) => useOf(dedupe, {}, input));
  expect(uses).toEqual(['passed', 'withheld', 'withheld']);
});
