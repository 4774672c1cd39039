import { expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import type { LanguageRequest } from '../../engine/language-model.ts';
import type { AskedModel } from '../../engine/step.ts';
import { runStep } from '../../test/run-step.ts';
import classify from './index.ts';

/** A model that answers what a function says of the last message and the schema's classes. */
function model(
  reply: (text: string, names: string[], request: LanguageRequest) => JsonObject | string,
): AskedModel & { requests: LanguageRequest[] } {
  const requests: LanguageRequest[] = [];
  return {
    name: 'writer',
    requests,
    async ask(request: LanguageRequest) {
      requests.push(request);
      const { properties } = (request.schema ?? { properties: {} }) as {
        properties: { label?: { enum: string[] }; labels?: { items: { enum: string[] } } };
      };
      const names = properties.label?.enum ?? properties.labels?.items.enum ?? [];
      const said = reply(request.messages.at(-1)!.content, names, request);
      return (typeof said === 'string' ? { text: said, json: null } : { text: '', json: said }) as never;
    },
  };
}

const run = (writer: AskedModel, given: JsonObject, texts: string[]) =>
  runStep(classify, {
    with: { model: 'writer', ...given },
    inputs: { rows: texts.map((text, index) => ({ id: `r${index}`, text })) },
    languageModels: { writer },
  });

it('asks for one of the classes, with examples in front', async () => {
  const writer = model((text) => ({ label: text.includes('card') ? 'cards' : 'loans' }));
  const { tables, matrices, metrics } = await run(
    writer,
    {
      labels: ['cards', { name: 'loans', description: 'credit of any kind' }],
      instructions: 'Which team?',
      examples: [{ text: 'my mortgage', label: 'loans' }],
    },
    ['my card', 'my loan'],
  );
  expect(tables['rows']).toMatchObject([
    { id: 'r0', predicted: 'cards', confidence: null, votes: null },
    { id: 'r1', predicted: 'loans' },
  ]);
  expect([...matrices['probabilities']!.data]).toEqual([1, 0, 0, 1]);
  expect(metrics).toEqual({ rows: 2, classes: 2 });
  const { messages } = writer.requests[0]!;
  expect(messages[0]!.content).toContain('Which team?');
  expect(messages[0]!.content).toContain('- loans: credit of any kind');
  expect(messages.slice(1).map(({ content }) => content)).toEqual([
    'my mortgage',
    '{"label":"loans"}',
    'my card',
  ]);
});

it('takes what most samples say, and knows how many they are', async () => {
  const said = ['a', 'b', 'b', 'a', 'c'];
  const writer = model((_, __, { sample }) => ({
    label: said[sample!]!,
    reason: `because ${said[sample!]}`,
  }));
  const given = { labels: ['a', 'b', 'c'], samples: 5, reason: true };
  const { tables, metrics } = await run(writer, { ...given, threshold: 0.5, out_of_scope_label: 'other' }, [
    'x',
  ]);
  expect(tables['rows']).toMatchObject([
    {
      predicted: 'other',
      confidence: 0.4,
      margin: 0,
      out_of_scope_score: 0.6,
      votes: { a: 0.4, b: 0.4, c: 0.2 },
      reason: 'because a',
      is_out_of_scope: true,
    },
  ]);
  expect(metrics).toMatchObject({ mean_confidence: 0.4, out_of_scope: 1 });
  expect(writer.requests[0]!.schema).toMatchObject({
    required: ['reason', 'label'],
    properties: { label: { enum: ['a', 'b', 'c', 'other'] } },
  });
});

it('goes down from level to level', async () => {
  const labels = [{ name: 'money', labels: ['cards', { name: 'loans', labels: ['car', 'house'] }] }, 'other'];
  const writer = model((text, names, { sample }) => ({
    label: names.find((name) => text.includes(name)) ?? (sample === 1 ? names.at(-1)! : names[0]!),
  }));
  const { tables, matrices } = await run(
    writer,
    { labels, samples: 2, examples: [{ text: 'a villa', label: 'money/loans/house' }] },
    ['loans: house', 'cards'],
  );
  expect(tables['rows']).toMatchObject([
    { predicted: 'money/loans/house', levels: ['money', 'loans', 'house'], confidence: 0.5 },
    { predicted: 'money/cards', confidence: 0.5, votes: { money: 0.5, other: 0.5, 'money/cards': 1 } },
  ]);
  expect(matrices['probabilities']).toBeUndefined();
  const shown = writer.requests.map(({ messages }) => messages[2]?.content);
  expect(shown).toContain('{"label":"money"}');
  expect(shown).toContain('{"label":"house"}');
});

it('gives several classes, or none', async () => {
  const writer = model((text, names, { sample }) => ({
    labels: names.filter((name) => text.includes(name) && (sample === 0 || name !== 'b')),
  }));
  const { tables, matrices } = await run(writer, { labels: ['a', 'b', 'c'], multi_label: true, samples: 3 }, [
    'a b',
    'c a',
    '-',
  ]);
  expect(tables['rows']!.map(({ predicted }) => predicted)).toEqual([['a'], ['a', 'c'], []]);
  expect([...matrices['probabilities']!.data].map((share) => Math.round(3 * share))).toEqual([
    3, 1, 0, 3, 0, 3, 0, 0, 0,
  ]);
});

it('reads how likely each class was from the first token of the answer', async () => {
  const top = [
    { token: '2', logprob: Math.log(0.6) },
    { token: '1', logprob: Math.log(0.2) },
    { token: ' 1', logprob: Math.log(0.1) },
    { token: 'The', logprob: Math.log(0.1) },
  ];
  const writer: AskedModel = {
    name: 'writer',
    ask: async (request) =>
      ({
        text: '2',
        json: null,
        ...(request.messages.at(-1)!.content === 'with' && { logprobs: [{ ...top[0]!, top }] }),
      }) as never,
  };
  const { tables, warnings } = await run(writer, { labels: ['a', 'b'], confidence: 'logprobs' }, [
    'with',
    'without',
  ]);
  expect(tables['rows']).toMatchObject([
    { predicted: 'b', confidence: 0.666667, margin: 0.333333 },
    { predicted: 'b', confidence: null },
  ]);
  expect(warnings).toEqual([expect.stringContaining('1 of 2 answers')]);
  const lost = await run(
    model(() => 'neither'),
    { labels: ['a', 'b'], confidence: 'logprobs' },
    ['x'],
  );
  expect(lost.tables['failed']).toMatchObject([
    { reason: expect.stringContaining('no number of a class: neither') },
  ]);
});

it('reads it from the answer, not from what the model thought before it', async () => {
  const tokens = (...all: [string, number][]) =>
    all.map(([token, share]) => {
      const [one, two] = [Math.log(share), Math.log(1 - share)];
      const top = [
        { token: '1', logprob: token === '1' ? one : two },
        { token: '2', logprob: token === '2' ? one : two },
      ];
      return { token, logprob: one, top };
    });
  const thought = tokens(['<think>', 0.9], ['\n', 0.9], ['1', 0.8], [' or 2?\n</think>\n', 0.9]);
  const logprobs: Record<string, unknown> = {
    aloud: [...thought, ...tokens(['2', 0.75], ['<|end|>', 0.9])],
    glued: [...thought, ...tokens(['**2**', 0.75])],
    other: thought.slice(0, 3),
  };
  const writer: AskedModel = {
    name: 'writer',
    ask: async ({ messages }) =>
      ({ text: '2', json: null, logprobs: logprobs[messages.at(-1)!.content] }) as never,
  };
  const { tables } = await run(writer, { labels: ['a', 'b'], confidence: 'logprobs' }, Object.keys(logprobs));
  expect(tables['rows']).toMatchObject([
    { predicted: 'b', confidence: 0.75 },
    { predicted: 'b', confidence: null },
    { predicted: 'b', confidence: null },
  ]);
});

it('shows the likest of labelled rows, and never the row itself', async () => {
  const writer = model(() => ({ label: 'cards' }));
  const few = { labels: ['cards', 'loans'], few_shot: { label: 'team', count: 1 } };
  await runStep(classify, {
    with: { model: 'writer', ...few },
    inputs: {
      rows: [{ id: 'a', text: 'my card is lost' }],
      examples: [
        { id: '1', text: 'my card is lost', team: 'cards' },
        { id: '2', text: 'a loan for a house', team: 'loans' },
        { id: '3', text: 'the card came', team: 'cards' },
        { id: '4', text: 'card', team: null },
      ],
    },
    languageModels: { writer },
  });
  expect(writer.requests[0]!.messages.slice(1, -1).map(({ content }) => content)).toEqual([
    'the card came',
    '{"label":"cards"}',
  ]);
  await expect(run(writer, few, ['x'])).rejects.toThrow('no examples to choose among');
});

it('refuses what does not go together', () => {
  const messages = (given: JsonObject) =>
    classify.check!({ multi_label: false, samples: 1, reason: false, confidence: 'votes', ...given }).map(
      ({ message }) => message,
    );
  expect(messages({ labels: ['a', 'b'] })).toEqual([expect.stringContaining('is for a language model')]);
  expect(messages({ model: 'm' })).toEqual(['model needs labels: the classes to choose from']);
  expect(messages({ model: 'm', labels: ['a', 'a'] })).toEqual(['labels: a stands twice']);
  expect(messages({ model: 'm', labels: ['a', { name: 'b', labels: [{ nam: 'x' }] }] })).toEqual([
    'labels of b: a label has no "nam"',
  ]);
  expect(messages({ model: 'm', labels: ['a'] })).toEqual(['labels: one class is no choice']);
  expect(messages({ model: 'm', labels: ['a', 'b'], samples: 3, confidence: 'logprobs' })).toHaveLength(1);
  expect(messages({ out_of_scope_label: 'x' })).toHaveLength(1);
});
