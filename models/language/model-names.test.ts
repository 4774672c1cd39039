import { expect, it } from 'vitest';
import { catalogueOf } from './catalogue.ts';
import { otherModels } from './model-names.ts';

const fetched = { provider: 'openai', model: 'gpt-6', input: 1, output: 2, source: '', date: '' };
const unknown = (entry: { [key: string]: string | object }, refreshed: (typeof fetched)[] = []) =>
  otherModels(entry as Parameters<typeof otherModels>[0], () => catalogueOf(refreshed)) !== null;

it.each<[string, boolean, { [key: string]: string | object }]>([
  ['a name of the list', false, { provider: 'openai', model: 'gpt-5-mini' }],
  ['one with a date', false, { provider: 'anthropic', model: 'claude-haiku-4-5-20251001' }],
  ['a fine-tuned one', false, { provider: 'openai', model: 'ft:gpt-4.1-mini-2025-04-14:acme::x1' }],
  ['a slip', true, { provider: 'openai', model: 'gpt-5-mimi' }],
  ['a slip in what was fine-tuned', true, { provider: 'openai', model: 'ft:gpt-41-mini:acme::x1' }],
  ['a newer version', false, { provider: 'openai', model: 'gpt-5.9-mini' }],
  ['a kind that is not listed', false, { provider: 'anthropic', model: 'claude-opus-4-5' }],
  ["another provider's", true, { provider: 'anthropic', model: 'gpt-5-mini' }],
  ['one whose price is said', false, { provider: 'openai', model: 'gpt-9', price: { input: 1, output: 2 } }],
  ["one of a server of one's own", false, { provider: 'openai', model: 'x', base_url: 'http://here/v1' }],
  [
    'one by the full address',
    true,
    { provider: 'openai', model: 'gpt5-mini', base_url: 'https://api.openai.com/v1' },
  ],
  ['one of OpenRouter', false, { provider: 'openrouter', model: 'new/one' }],
  ['a program', false, { provider: 'command', model: 'x', command: 'cat' }],
])('%s is unknown: %s', (_, expected, entry) => expect(unknown(entry)).toBe(expected));

it('what a catalogue that was fetched does not have is unknown, whatever it is like', () => {
  const strict = (provider: string, model: string) => unknown({ provider, model }, [fetched]);
  expect(strict('openai', 'gpt-6')).toBe(false);
  expect(strict('openai', 'gpt-5-mini')).toBe(false);
  expect(strict('openai', 'gpt-7')).toBe(true);
  expect(strict('anthropic', 'claude-opus-4-5')).toBe(false);
});
