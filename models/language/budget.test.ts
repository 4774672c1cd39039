import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import type { AskResult } from '../../engine/language-model.ts';
import { ModelServer } from '../../test/model-server.ts';
import { Budget, type BudgetLimits, type Reservation } from './budget.ts';
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

describe('room in a budget', () => {
  const one = { usd: 0, tokens: 1 };

  it('is waited for no longer than until the signal is aborted', async () => {
    const budget = new Budget({ calls: 1 });
    const held = budget.admit(one);
    const [left, kept] = [new AbortController(), new AbortController()];
    const waits = budget.reserve(one, 'm', left.signal);
    const stays = Array.from({ length: 100 }, () => budget.reserve(one, 'm', kept.signal));
    expect(getEventListeners(kept.signal, 'abort')).toHaveLength(1);
    left.abort(new Error('called off'));
    await expect(waits).rejects.toThrow('called off');
    held.end();
    for (const stay of stays) {
      const room = await stay;
      if ('failure' in room) throw new Error(room.failure.message);
      room.end();
    }
  });

  it('is never given away twice, nor kept from one who would fit', async () => {
    const amount = fc.record({ usd: fc.nat(9), tokens: fc.nat(9) });
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ asks: amount }) },
      fc.record({ ends: fc.nat(), spends: fc.nat(1) }),
      fc.record({ renews: fc.nat(), spends: fc.constant(1) }),
      fc.record({ aborts: fc.nat() }),
    );
    const limits = { usd: 60, calls: 25, tokens: 60 };
    type Call = { usd: number; tokens: number; stop: AbortController; room: Reservation };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
        const budget = new Budget(limits);
        const waiting = new Set<Omit<Call, 'room'>>();
        const held: Call[] = [];
        let overfull = false;
        const spent = { usd: 0, calls: 0, tokens: 0 };
        const fits = (more: { usd: number; tokens: number }[], calls: number) =>
          [...more, spent].reduce((sum, { usd }) => sum + usd, 0) <= limits.usd &&
          [...more, spent].reduce((sum, { tokens }) => sum + tokens, 0) <= limits.tokens &&
          spent.calls + calls <= limits.calls;
        const enter = (call: Omit<Call, 'room'>, room: () => Promise<Reservation | null>) => {
          waiting.add(call);
          return room()
            .then((found) => {
              if (found !== null) held.push({ ...call, room: found });
              overfull ||= found !== null && !fits(held, held.length);
            })
            .catch(() => {})
            .finally(() => waiting.delete(call));
        };
        const spend = (call: Call, times: number) => {
          for (let time = 0; time < times; time++) call.room.spend(call.usd / 2, call.tokens / 2);
          spent.usd += (times * call.usd) / 2;
          spent.tokens += (times * call.tokens) / 2;
          spent.calls += times;
        };
        for (const each of steps) {
          if ('asks' in each) {
            const call = { ...each.asks, stop: new AbortController() };
            void enter(call, async () => {
              const room = await budget.reserve(each.asks, 'm', call.stop.signal);
              return 'failure' in room ? null : room;
            });
          } else if ('aborts' in each) [...waiting][each.aborts % (waiting.size || 1)]?.stop.abort();
          else if (held.length > 0) {
            const at = ('ends' in each ? each.ends : each.renews) % held.length;
            const [call] = held.splice(at, 1) as [Call];
            spend(call, each.spends);
            if ('ends' in each) call.room.end();
            else void enter(call, async () => ((await call.room.renew()) === null ? call.room : null));
          }
          await turn();
          expect(overfull).toBe(false);
          for (const call of waiting) expect(fits([...held, call], held.length + 1)).toBe(false);
          if (held.length === 0) expect(waiting.size).toBe(0);
        }
      }),
      { numRuns: 80 },
    );
  });
});
