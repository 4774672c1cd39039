import { expect, it } from 'vitest';
import type { AskResult } from '../../../engine/language-model.ts';
import { folderWith } from '../../../test/run-step.ts';
import { createLanguageModels } from '../index.ts';
import { fullRequest, requestDigest } from '../request.ts';

const messages = [{ role: 'user', content: 'Which is better?' }] as const;
const request = requestDigest(fullRequest({ messages }, {}));
const usage = { input_tokens: 1, cached_tokens: 0, written_tokens: 0, output_tokens: 1 };
const said = (model: string, text: string, more: object = {}) => ({
  request,
  model,
  asked: `of-${model}`,
  source: `sha256:${model}`,
  text,
  usage,
  served: null,
  ...more,
});
const failure = { code: 'answer-refused', message: 'the model refused' };

/** What a replay of such answers says; with an alias, what that one says offline: `m`, or a program with it as its fallback, or alone. */
async function replayed(
  answers: readonly object[],
  model?: string,
  offline?: 'm' | 'program' | 'alone',
): Promise<string> {
  const root = folderWith({ 'a.jsonl': answers.map((answer) => `${JSON.stringify(answer)}\n`).join('') });
  const settings = { provider: 'replay', path: 'a.jsonl', ...(model !== undefined && { model }) };
  const alone = { provider: 'command', command: 'echo asked' };
  const models = createLanguageModels({
    root,
    aliases: { m: settings, alone, program: { ...alone, fallback: [settings] } },
    secret: () => undefined,
    answers: null,
    offline: offline !== undefined,
  });
  const options = { signal: new AbortController().signal, notify: () => {} };
  const result = (await models.find(offline ?? 'm')?.ask({ messages }, options)) as AskResult;
  if ('answer' in result) return result.answer.text;
  const { code, message, hint } = result.failure;
  return `${code}: ${message} → ${hint}`;
}

it.each<[string, readonly object[], string | undefined, string]>([
  [
    'of two models, where nothing says whose',
    [said('a', 'one'), said('b', 'two')],
    undefined,
    'model-setup: replay/a.jsonl: a.jsonl has answers of a and b to the same request → model: says whose count: model: a',
  ],
  ['of two models that say the same', [said('a', 'one'), said('b', 'one')], undefined, 'answers of a and b'],
  [
    'of an alias that stood for two models',
    [said('a', 'one'), said('a', 'two', { asked: 'of-b', source: 'sha256:b' })],
    'a',
    'answers of of-a and of-b to the same request → model: says whose count: model: of-a',
  ],
  [
    'twice of one model',
    [said('a', 'one'), said('a', 'two')],
    'a',
    'two different answers to the same request → leave in it the one that is meant',
  ],
])('refuses a file with answers %s', async (_, answers, model, message) =>
  expect(await replayed(answers, model)).toContain(message),
);

it.each<[string, readonly object[], string | undefined, string]>([
  ['the model that is named, by its alias', [said('a', 'one'), said('b', 'two')], 'a', 'one'],
  ['the model that is named, as it was asked', [said('a', 'one'), said('b', 'two')], 'of-b', 'two'],
  [
    'two aliases that stood for one model',
    [said('a', 'one'), said('b', 'one', { asked: 'of-a', source: 'sha256:a' })],
    undefined,
    'one',
  ],
  ['a model that failed first', [said('a', '', { failure }), said('a', 'one')], 'a', 'one'],
  ['a model that failed at last', [said('a', 'one'), said('a', '', { failure })], 'a', 'one'],
])('gives the answer of %s', async (_, answers, model, text) =>
  expect(await replayed(answers, model)).toBe(text),
);

it('is asked offline, where no other model is', async () => {
  const answers = [said('a', 'one')];
  expect(await replayed(answers, 'a', 'm')).toBe('one');
  expect(await replayed(answers, 'a', 'program')).toBe('one');
  expect(await replayed(answers, 'a', 'alone')).toMatch(/^answer-not-known: .*run asks without --offline/);
});
