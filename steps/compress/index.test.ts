import { describe, expect, it } from 'vitest';
import type { LanguageRequest } from '../../engine/language-model.ts';
import type { AskedModel } from '../../engine/step.ts';
import { runStep } from '../../test/run-step.ts';
import compress from './index.ts';

const sentence =
  'The customer writes that the card which was ordered two weeks ago has not arrived yet, and asks where it is and when it will come';
const rows = [
  { id: '1', text: `${sentence}. ${sentence} again, from Berlin, for 25 EUR.` },
  {
    id: '2',
    text: 'Клиент пишет, что карта, которую он заказал две недели назад, ещё не пришла, и спрашивает, где она сейчас и когда она наконец придёт к нему домой в Москву.',
  },
];

it('compresses by what words say, and counts what is left', async () => {
  const { tables, metrics, warnings } = await runStep(compress, { with: { rate: 0.6 }, inputs: { rows } });
  expect(tables['rejected']).toEqual([]);
  expect(tables['rows']!.map(({ id }) => id)).toEqual(['1', '2']);
  const [first, second] = tables['rows']!;
  expect(first).toMatchObject({ domain: 'text', text: rows[0]!.text });
  expect(first!['compressed']).toContain('not arrived');
  expect(first!['compressed']).toContain('from Berlin, for 25 EUR.'.slice(5, 11));
  expect(second!['compressed']).toContain('не пришла');
  expect(Math.abs(Number(first!['rate']) - 0.6)).toBeLessThanOrEqual(0.02);
  expect(Math.abs(Number(metrics['rate']) - 0.6)).toBeLessThanOrEqual(0.02);
  expect(metrics).toMatchObject({ rows: 2, rejected: 0 });
  expect(Number(metrics['compressed_tokens'])).toBeLessThan(Number(metrics['origin_tokens']));
  expect(warnings.length).toBe(metrics['missed'] === 0 ? 0 : 1);
});

it('counts in tokens of a tokenizer, by a corpus, to a length', async () => {
  const { tables } = await runStep(compress, {
    with: {
      target: 20,
      measure: 'tokens',
      tokenizer: 'use-multilingual-v3',
      informativeness: 'self_information',
    },
    inputs: { rows, corpus: [{ id: 'c', text: 'the customer the card the customer' }] },
  });
  for (const row of tables['rows']!)
    expect(Math.abs(Number(row['compressed_tokens']) - 20)).toBeLessThanOrEqual(2);
});

it('counts tokens as models of OpenAI do', async () => {
  const { tables, metrics } = await runStep(compress, {
    with: { measure: 'tokens', encoding: 'o200k_base' },
    inputs: {
      rows: [{ id: 'a', text: Array.from({ length: 10 }, (_, index) => `${sentence} ${index}.`).join(' ') }],
    },
  });
  const [row] = tables['rows']!;
  // 10 sentences of 27 words with a number and a full stop.
  expect(row!['origin_tokens']).toBeGreaterThan(270);
  expect(row!['origin_tokens']).toBeLessThan(310);
  expect(row!['rate']).toBe(
    Number((Number(row!['compressed_tokens']) / Number(row!['origin_tokens'])).toPrecision(6)),
  );
  expect(Math.abs(Number(metrics['rate']) - 0.5)).toBeLessThanOrEqual(0.02);
});

it('leaves code whole, says where the rate was missed, and fails rows without a text', async () => {
  const code = 'def f(a):\n    b = a + 1\n    return b\n';
  const { tables, metrics, warnings } = await runStep(compress, {
    with: { rate: 0.3 },
    inputs: {
      rows: [
        { id: 'c', text: code },
        { id: 'n', text: null },
        { id: 'e', text: '' },
      ],
    },
  });
  expect(tables['rows']).toMatchObject([
    { id: 'c', domain: 'code', compressed: code, rate: 1 },
    { id: 'e', compressed: '', rate: 1 },
  ]);
  expect(tables['failed']).toMatchObject([{ id: 'n', reason: 'text is not there' }]);
  expect(metrics['missed']).toBe(2);
  expect(warnings[0]).toContain('code or JSON');
});

it('refuses parameters that do not go together', () => {
  const messages = (given: object) => compress.check!({ ...given } as never).map(({ message }) => message);
  expect(messages({ method: 'model' })).toEqual(['method: model needs a model']);
  expect(messages({ method: 'extractive', model: 'm' })).toEqual(['model is for method: model']);
  expect(messages({ method: 'rules', rate: 0.5 })).toHaveLength(1);
  expect(messages({ method: 'extractive', rate: 0.5, target: 5 })).toHaveLength(1);
  expect(messages({ method: 'model', model: 'm', compress_nl: { text: '{{#if' } })).toHaveLength(1);
});

/** A model that answers what a function says; it counts what it is asked. */
function model(name: string, reply: (request: LanguageRequest) => string): AskedModel & { asked: number } {
  const own = {
    name,
    asked: 0,
    async ask(request: LanguageRequest) {
      own.asked++;
      const text = reply(request);
      return { text, json: request.schema ? JSON.parse(text) : null } as never;
    },
  };
  return own;
}

describe('by a model', () => {
  const text = 'Please be so kind as to tell me the price of the 3 cards that are on https://a.org today.';
  const said = (request: LanguageRequest) => request.messages.at(-1)!.content;

  it('asks with the prompt for the domain, and rejects what is longer or has lost something', async () => {
    const answers: Record<string, string> = {
      good: 'Price of 3 cards on https://a.org today?',
      long: `${text} And more than that, 3 https://a.org.`,
      lost: 'Price of cards?',
    };
    const writer = model('writer', (request) => answers[said(request).split(':')[0]!]!);
    const { tables, metrics } = await runStep(compress, {
      with: { method: 'model', model: 'writer', rate: 0.4 },
      inputs: { rows: Object.keys(answers).map((id) => ({ id, text: `${id}: ${text}` })) },
      languageModels: { writer },
    });
    expect(tables['rows']!.map(({ id }) => id)).toEqual(['good']);
    expect(tables['rejected']!.map(({ id, reason }) => [id, String(reason).split(':')[0]])).toEqual([
      ['long', 'ratio'],
      ['lost', 'lost'],
    ]);
    expect(metrics).toMatchObject({ rows: 1, rejected: 2 });
  });

  it('unwraps code from a fence, and takes the prompts of the workflow', async () => {
    const seen: string[] = [];
    const writer = model('writer', (request) => {
      seen.push(said(request));
      return '```py\nx=1+2\n```';
    });
    const code = 'x = 1 + 2  # a sum of two\ny = x  # and again\n';
    const { tables } = await runStep(compress, {
      with: { method: 'model', model: 'writer', compress_code: { text: 'Shorter by {{rate}}: {{text}}' } },
      inputs: {
        rows: [
          { id: 'c', text: code },
          { id: 'e', text: ' ' },
        ],
      },
      languageModels: { writer },
    });
    expect(seen).toEqual([`Shorter by 50: ${code}`]);
    expect(tables['rows']).toMatchObject([
      { domain: 'code', compressed: 'x=1+2' },
      { id: 'e', compressed: ' ' },
    ]);
  });

  it('reads texts that are too long for the model in parts', async () => {
    const writer = model('writer', (request) => `short ${said(request).length}`);
    const paragraphs = Array.from({ length: 5 }, () => `${'word '.repeat(5)}end.`).join('\n\n');
    const { tables, warnings } = await runStep(compress, {
      with: { method: 'model', model: 'writer' },
      inputs: { rows: [{ id: 'a', text: paragraphs }] },
      languageModels: { writer },
      modelTokens: { writer: { context: 160, counter: async () => (text) => text.length } },
    });
    expect(writer.asked).toBe(3);
    expect(tables['rows']).toMatchObject([{ compressed: 'short 62\nshort 62\nshort 29' }]);
    expect(warnings).toEqual([expect.stringContaining('part by part')]);
  });

  it('has two models answer from both texts, and keeps why it rejects', async () => {
    const reply = (request: LanguageRequest) => {
      if (request.schema)
        return JSON.stringify({
          reason: 'the price is gone',
          score: said(request).includes('B:\nbad') ? 0.4 : 0.9,
        });
      return said(request).includes('bad') && !said(request).includes('Please') ? 'bad' : 'good';
    };
    const one = model('one', reply);
    const two = model('two', reply);
    const writer = model(
      'writer',
      (request) => `3 cards https://a.org ${said(request).startsWith('bad') ? 'bad' : ''}`,
    );
    const options = {
      with: { method: 'model', model: 'writer', equivalence: { models: ['one', 'two'], question: 'ask' } },
      inputs: {
        rows: [
          { id: 'a', text, ask: 'How much?' },
          { id: 'b', text: `bad ${text}`, ask: 'How much?' },
        ],
      },
      languageModels: { one, two, writer },
    };
    const { tables, metrics } = await runStep(compress, options);
    expect(tables['rows']).toMatchObject([
      {
        id: 'a',
        equivalence: 0.9,
        verdicts: [
          { model: 'one', judge: 'two', score: 0.9 },
          { model: 'two', judge: 'one', score: 0.9 },
        ],
      },
    ]);
    expect(tables['rejected']).toMatchObject([{ id: 'b', equivalence: 0.4 }]);
    expect(tables['rejected']![0]!['reason']).toBe(
      'equivalence: 0.4 is below 0.8 (one 0.4: the price is gone; two 0.4: the price is gone)',
    );
    expect(metrics).toMatchObject({ rows: 1, rejected: 1, equivalence: 0.65 });
    const { sweep } = tables;
    expect(sweep).toHaveLength(21);
    expect(sweep!.filter(({ threshold }) => [0.4, 0.8, 0.95].includes(Number(threshold)))).toMatchObject([
      { accepted: 2, accepted_share: 1 },
      { accepted: 1, accepted_share: 0.5 },
      { accepted: 0, token_ratio: null },
    ]);
    // Two rows: each model answers from both texts, and compares once.
    expect([one.asked, two.asked, writer.asked]).toEqual([6, 6, 2]);
    // The threshold decides about what is filed: it is no part of what a row is filed under.
    const parameters = (threshold: number) =>
      compress.kind === 'rows' &&
      compress.rowParameters!({ ...options.with, equivalence: { models: ['one'], threshold } } as never);
    expect(parameters(0.5)).toEqual(parameters(0.9));
  });

  it('fails rows without the question, and asks nothing about them', async () => {
    const [one, two] = [model('one', () => ''), model('two', () => '')];
    const { tables } = await runStep(compress, {
      with: { method: 'rules', equivalence: { models: ['one', 'two'], question: 'ask' } },
      inputs: {
        rows: [
          { id: 'a', text, ask: null },
          { id: 'b', text, ask: ' ' },
        ],
      },
      languageModels: { one, two },
    });
    expect(tables['failed']).toMatchObject([
      { id: 'a', reason: 'ask is not there' },
      { id: 'b', reason: 'ask is empty' },
    ]);
    expect([one.asked, two.asked]).toEqual([0, 0]);
  });
});
