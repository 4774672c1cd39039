import { expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import type { LanguageRequest } from '../../engine/language-model.ts';
import { runStep } from '../../test/run-step.ts';
import { ungrounded } from '../grounding.ts';
import extract from './index.ts';

const schema: JsonObject = {
  type: 'object',
  required: ['product', 'price', 'mood'],
  properties: {
    product: { type: ['string', 'null'] },
    price: { type: ['number', 'null'] },
    mood: { enum: ['good', 'bad'] },
    parts: { type: 'array', items: { type: 'string' } },
  },
};
const rows = [
  { id: 'a', text: 'The Blue  Lamp for 1,000.50 came broken.' },
  { id: 'b', text: 'It came.' },
];
const answers: Record<string, JsonObject> = {
  a: { product: 'blue lamp', price: 1000.5, mood: 'bad', parts: ['lamp'] },
  b: { product: 'chair', price: 7, mood: 'good', parts: ['came', 'leg'] },
};
const requests: LanguageRequest[] = [];
const writer = {
  name: 'writer',
  async ask(request: LanguageRequest) {
    requests.push(request);
    const { id } = rows.find(({ text }) => request.messages.at(-1)!.content.includes(text))!;
    return { text: '', json: answers[id]! } as never;
  },
};
const run = (given: JsonObject) =>
  runStep(extract, {
    with: { model: 'writer', schema, ...given },
    inputs: { rows },
    languageModels: { writer },
  });

it('gives what the schema asks for, as a field or as fields', async () => {
  const { tables, metrics } = await run({
    instructions: 'Lamps only.',
    examples: [{ text: 'x', output: { mood: 'bad' } }],
  });
  expect(tables['rows']!.map(({ extracted }) => extracted)).toEqual([answers['a'], answers['b']]);
  expect(metrics).toEqual({ rows: 2 });
  expect(requests[0]!.schema).toEqual(schema);
  expect(requests[0]!.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
  expect(requests[0]!.messages[0]!.content).toContain('Lamps only.');
  const unpacked = await run({ unpack: true, prompt: { text: 'Look: {{text}}' } });
  expect(unpacked.tables['rows']![0]).toEqual({ ...rows[0], ...answers['a'] });
});

it('finds what is not in the text', async () => {
  const marked = await run({ grounded: 'mark' });
  expect(marked.tables['rows']!.map(({ ungrounded: paths }) => paths)).toEqual([
    [],
    ['/product', '/price', '/parts/1'],
  ]);
  expect(marked.metrics).toEqual({ rows: 2, grounded_share: 0.5 });
  const cleared = await run({ grounded: 'clear' });
  expect(cleared.tables['rows']![1]!['extracted']).toEqual({
    product: null,
    price: null,
    mood: 'good',
    parts: ['came'],
  });
  const rejected = await run({ grounded: 'reject' });
  expect(rejected.tables['rejected']).toMatchObject([
    { id: 'b', reason: 'not in the text: /product, /price, /parts/1' },
  ]);
});

it('reads numbers in all their forms', () => {
  const missing = (value: number, text: string) => ungrounded({ value }, {}, text).length > 0;
  expect(missing(1234.5, 'für 1.234,5 Euro')).toBe(false);
  expect(missing(1234, 'за 1 234 руб.')).toBe(false);
  expect(missing(3, 'from 2 to 3.')).toBe(false);
  expect(missing(-5, '−5 °C')).toBe(false);
  expect(missing(12, '2024-12-01')).toBe(false);
  expect(missing(13, '1 3')).toBe(false);
  expect(missing(4, 'for 5')).toBe(true);
});

it('reads a text that is too long for the model in parts', async () => {
  const seen: string[] = [];
  const parts: JsonObject[] = [{ names: ['Ann'] }, { names: ['Bob'] }];
  const model = {
    name: 'writer',
    async ask({ messages }: LanguageRequest) {
      const shown = messages.at(-1)!.content;
      seen.push(shown);
      const json = shown.startsWith('A text was too long')
        ? { names: ['Ann', 'Bob'] }
        : parts[shown.includes('Ann') ? 0 : 1]!;
      return { text: JSON.stringify(json), json } as never;
    },
  };
  const { tables, warnings } = await runStep(extract, {
    with: {
      model: 'writer',
      grounded: 'mark',
      schema: { type: 'object', properties: { names: { type: 'array', items: { type: 'string' } } } },
    },
    inputs: {
      rows: [{ id: 'l', text: `${'Ann was here. '.repeat(30)}\n\n${'Then Bob came. '.repeat(30)}` }],
    },
    languageModels: { writer: model },
    modelTokens: { writer: { context: 1200, counter: async () => (text) => text.length } },
  });
  expect(seen).toHaveLength(3);
  expect(warnings).toEqual([expect.stringContaining('read in parts')]);
  expect(seen[2]).toContain('{"names":["Bob"]}');
  expect(tables['rows']).toMatchObject([{ extracted: { names: ['Ann', 'Bob'] }, ungrounded: [] }]);
});

it('leaves the rows their ids', async () => {
  const messages = (given: JsonObject) =>
    extract.check!({ schema, unpack: true, ...given } as never).map(({ message }) => message);
  const withId = { type: 'object', properties: { id: { type: 'string' }, sample: { type: 'string' } } };
  expect(messages({ schema: withId })).toEqual([
    "unpack: the schema's member id would overwrite the row's own; name it otherwise, or leave unpack out",
  ]);
  expect(messages({ schema: withId, unpack: false, field: 'order' })).toEqual([]);
  expect(messages({ unpack: false, field: 'id' })).toHaveLength(1);
  const model = { name: 'writer', ask: async () => ({ text: '', json: { id: 'theirs', a: 1 } }) as never };
  const { tables } = await runStep(extract, {
    with: { model: 'writer', schema: { type: 'object' }, unpack: true },
    inputs: { rows },
    languageModels: { writer: model },
  });
  expect(tables['rows']!.map(({ id, a }) => [id, a])).toEqual([
    ['a', 1],
    ['b', 1],
  ]);
});
