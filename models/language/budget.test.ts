import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import type { AskResult } from '../../engine/language-model.ts';
import { ModelServer } from '../../test/model-server.ts';
import type { BudgetLimits } from './budget.ts';
import { catalogueOf } from './catalogue.ts';
import { createLanguageModels } from './index.ts';

const options = { signal: new AbortController().signal, notify: () => {} };
/** A dollar for a thousand tokens of an answer. */
const price = { input: 0, output: 1000 };

/** A model with a budget: `ask` tells what a question cost, or why it was not asked. */
function limited(settings: JsonObject, budget: number | BudgetLimits, catalogue = catalogueOf()) {
  const model = createLanguageModels({
    root: process.cwd(),
    aliases: { m: { provider: 'openai', model: 'm', price, ...settings } },
    secret: () => 'key-of-mine',
    answers: null,
    budget: typeof budget === 'number' ? { usd: budget } : budget,
    catalogue,
  }).find('m');
  const outcome = (result: AskResult) =>
    'answer' in result ? result.answer.usd : `${result.failure.code}: ${result.failure.hint}`;
  return async (content: string) =>
    outcome((await model?.ask({ messages: [{ role: 'user', content }] }, options)) as AskResult);
}

/** Answers as many words as the question says. */
const wordy = () =>
  ModelServer.start({ reply: ({ prompt }) => 'word '.repeat(Number.parseInt(prompt, 10)).trim() });

describe('a budget', () => {
  it('is not passed where max_tokens bounds every call, however short the answers before were', async () => {
    await using server = await wordy();
    const ask = limited({ base_url: server.url('openai'), max_tokens: 1000 }, 1.01);
    expect(await ask('1')).toBeCloseTo(0.001, 10);
    const later = await Promise.all(['1000 a', '1000 b', '1000 c'].map(ask));
    expect(later.filter((usd) => usd === 1)).toHaveLength(1);
    expect(later.filter((usd) => `${usd}`.startsWith('budget-reached'))).toHaveLength(2);
    expect(server.requests).toHaveLength(2);
  });

  it('counts tries that were paid for and came to nothing', async () => {
    // Each try costs $0.002, for the words of an answer without choices.
    await using server = await ModelServer.start({ reply: () => 'two words', fault: () => 'empty' });
    const ask = limited({ base_url: server.url('openai'), max_tokens: 2, retries: 2 }, 0.005);
    expect(await ask('hello')).toContain('budget-reached');
    expect(server.requests).toHaveLength(2);
    const enough = limited({ base_url: server.url('openai'), max_tokens: 2, retries: 2 }, 0.006);
    expect(await enough('hello again')).toContain('model-unavailable');
    expect(server.requests).toHaveLength(5);
  });

  it('counts the limit that is sent to Anthropic where none is given', async () => {
    await using server = await wordy();
    const own = { provider: 'anthropic', base_url: server.url('anthropic') };
    expect(await limited(own, 4)('1')).toContain('budget-reached');
    expect(await limited(own, 5)('1')).toBeCloseTo(0.001, 10);
    expect(server.requests.map(({ body }) => body['max_tokens'])).toEqual([4096]);
  });

  it.each([-15, '1e999'])('is not filled up by a program that says it cost %s', async (usd) => {
    const said = `{"text":"a","usd":${usd},"usage":{"input_tokens":1,"output_tokens":1}}`;
    const command = [process.execPath, '-e', `process.stdout.write('${said}')`];
    expect(await limited({ provider: 'command', command }, 1)('hello')).toBeCloseTo(0.001, 10);
  });

  it('asks no model of OpenRouter that no price is known of, and says where prices come from', async () => {
    await using server = await ModelServer.start();
    const own = { provider: 'openrouter', model: 'new/model', base_url: server.url('openai') };
    const priceless = { ...own, price: undefined } as unknown as JsonObject;
    expect(await limited(priceless, 1)('hello')).toMatch(/^budget-without-price: .*reprise models refresh/);
    expect(server.requests).toHaveLength(0);
  });

  it.each<[string, BudgetLimits, number]>([
    // Each call takes a token of the prompt and one of the answer.
    ['calls', { calls: 7 }, 7],
    ['tokens', { tokens: 14 }, 7],
    ['the first of several limits that is reached', { usd: 1, calls: 5, tokens: 100 }, 5],
    ['nothing', { calls: 0 }, 0],
  ])('of %s stops before the call that would pass it', async (_, budget, made) => {
    await using server = await ModelServer.start({ reply: () => 'one' });
    const own = { base_url: server.url('openai'), max_tokens: 1, concurrency: 4 };
    const ask = limited(own, budget);
    const said = [];
    // The estimate of a prompt's tokens is above what the server counts: calls end before others may begin.
    for (let index = 0; index < 10; index++) said.push(await ask(`${index}`));
    const more = await Promise.all(['a', 'b', 'c'].map(ask));
    expect(server.requests.length).toBeLessThanOrEqual(made);
    expect(server.requests.length).toBeGreaterThanOrEqual(made - 2);
    expect(said.filter((one) => typeof one === 'number')).toHaveLength(server.requests.length);
    expect(more.every((one) => `${one}`.startsWith('budget-reached'))).toBe(true);
  });

  it('of calls counts each try, those of a fallback too, and none that was not made', async () => {
    await using server = await ModelServer.start({
      fault: ({ body }) => (body['model'] === 'm' ? 'rate-limit' : null),
    });
    const own = { base_url: server.url('openai'), retries: 2, max_tokens: 5 };
    const other = { ...own, provider: 'openai', model: 'other', price };
    const ask = limited({ ...own, fallback: [other] }, { calls: 6 });
    expect(await ask('hello')).toEqual(expect.any(Number));
    // Two more tries of the first model are left, and none for its fallback.
    expect(await ask('hello again')).toContain('budget-reached');
    expect(server.requests.map(({ body }) => body['model'])).toEqual(['m', 'm', 'm', 'other', 'm', 'm']);
  });

  it('of calls or tokens needs no price', async () => {
    await using server = await ModelServer.start();
    const priceless = { price: undefined, base_url: server.url('openai') } as unknown as JsonObject;
    expect(await limited(priceless, { calls: 1, tokens: 10_000 })('hello')).toBeNull();
  });

  it('is not passed by a fallback that is dearer', async () => {
    await using server = await ModelServer.start({
      fault: ({ body }) => (body['model'] === 'm' ? 'rejected' : null),
      reply: () => 'one',
    });
    const own = { base_url: server.url('openai'), max_tokens: 10, retries: 0 };
    const dear = { provider: 'openai', model: 'dear', ...own, price: { input: 0, output: 100_000 } };
    const ask = (budget: number) => limited({ ...own, fallback: [dear] }, budget)('hello');
    expect(await ask(0.5)).toContain('budget-reached');
    expect(server.requests.map(({ body }) => body['model'])).toEqual(['m']);
    expect(await ask(1)).toBeCloseTo(0.1, 10);
    expect(server.requests.map(({ body }) => body['model'])).toEqual(['m', 'm', 'dear']);
  });
});
