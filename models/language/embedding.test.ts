import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import type { AskResult } from '../../engine/language-model.ts';
import { embeddingOf, ModelServer, type ModelServerOptions } from '../../test/model-server.ts';
import type { BudgetLimits } from './budget.ts';
import { createLanguageModels } from './index.ts';

const price = { input: 2, output: 0 };
const signal = new AbortController().signal;
const options = { signal, notify: () => {} };

function modelsAt(server: ModelServer, more: JsonObject = {}, budget?: BudgetLimits) {
  const alias = { provider: 'openai', base_url: server.url('openai'), model: 'e', price, ...more };
  return createLanguageModels({
    root: process.cwd(),
    aliases: { e: alias },
    secret: () => undefined,
    answers: null,
    ...(budget && { budget }),
  }).find('e')!;
}

const vectorIn = (result: AskResult) => {
  if (!('answer' in result)) throw new Error(result.failure.message);
  return [...new Float32Array(Uint8Array.from(Buffer.from(result.answer.text, 'base64')).buffer)];
};

async function embed(server: ModelServerOptions, texts: string[], more: JsonObject = {}) {
  await using running = await ModelServer.start(server);
  const model = modelsAt(running, more);
  const results = await Promise.all(
    texts.map((text) =>
      model.ask({ messages: [{ role: 'user', content: text }], embedding: { dimensions: 4 } }, options),
    ),
  );
  return { results, requests: running.embedded, bodies: running.requests.map(({ body }) => body) };
}

const words = (count: number) => Array.from({ length: count }, (_, index) => `text number ${index}`);

describe('vectors of texts', () => {
  it('go many to a request, each to its own text, with its share of tokens and cost', async () => {
    const texts = words(300);
    const { results, requests, bodies } = await embed({}, texts);
    expect(requests.map(({ length }) => length)).toEqual([128, 128, 44]);
    expect(bodies[0]).toMatchObject({ model: 'e', dimensions: 4, encoding_format: 'base64' });
    results.forEach((result, row) => void expect(vectorIn(result)).toEqual([...embeddingOf(texts[row]!, 4)]));
    const answers = results.flatMap((result) => ('answer' in result ? [result.answer] : []));
    expect(answers.reduce((sum, { usage }) => sum + usage.input_tokens, 0)).toBe(900);
    expect(answers.reduce((sum, { usd }) => sum + (usd ?? 0), 0)).toBeCloseTo((900 * 2) / 1e6, 12);
    expect(answers[0]).toMatchObject({ served: 'e-2026-01-01', json: null });
  });

  it('are taken as lists of numbers as well, and are asked for again where they are none', async () => {
    const lists = await embed({ fault: () => 'wrong-usage' }, ['a b']);
    expect(vectorIn(lists.results[0]!)).toEqual([...embeddingOf('a b', 4)]);
    const again = await embed(
      { fault: ({ attempt }) => (attempt === 0 ? 'rate-limit' : attempt === 1 ? 'empty' : null) },
      words(3),
    );
    expect(again.requests).toHaveLength(3);
    expect(again.results.every((result) => 'answer' in result)).toBe(true);
  });

  it('are of one length in an answer', async () => {
    await using server = await ModelServer.start({ vectorLength: (text) => text.length });
    const model = modelsAt(server, { retries: 0 });
    const asked = ['four', 'sixsix'].map((text) =>
      model.ask({ messages: [{ role: 'user', content: text }], embedding: { dimensions: null } }, options),
    );
    expect(await Promise.all(asked)).toMatchObject(
      [0, 1].map(() => ({ failure: { message: expect.stringContaining('different lengths') } })),
    );
  });

  it('fail by themselves where a text is refused, and all where the key is', async () => {
    const { results } = await embed({}, ['one', '', 'two', 'three']);
    expect(results.map((result) => ('failure' in result ? result.failure.code : 'given'))).toEqual([
      'given',
      'request-rejected',
      'given',
      'given',
    ]);
    const denied = await embed({ fault: () => 'denied' }, words(2));
    expect(denied.results[0]).toMatchObject({ failure: { scope: 'step', code: 'model-denied' } });
  });

  it('are asked for in requests as large as the server takes, which is found out once', async () => {
    await using server = await ModelServer.start({
      fault: ({ body }) => ((body['input'] as string[]).length > 32 ? 'rejected' : null),
    });
    const model = modelsAt(server);
    const all = async (texts: string[]) => {
      const results = texts.map((content) =>
        model.ask({ messages: [{ role: 'user', content }], embedding: { dimensions: 4 } }, options),
      );
      for (const [row, result] of (await Promise.all(results)).entries())
        expect(vectorIn(result)).toEqual([...embeddingOf(texts[row]!, 4)]);
    };
    await all(words(128));
    const tried = server.embedded.length;
    expect(server.embedded.map(({ length }) => length)).toEqual(
      expect.arrayContaining([128, 1, 1, 63, 63, 32, 31, 32, 31]),
    );
    expect(tried).toBe(9);
    await all(words(300).map((text) => `another ${text}`));
    expect(server.embedded.slice(tried).map(({ length }) => length)).toEqual([...Array(9).fill(32), 12]);
  });

  it('fail after a few requests where it is none of the texts that is wrong', async () => {
    const { results, requests } = await embed({ fault: () => 'rejected' }, words(512));
    expect(new Set(results.map((result) => 'failure' in result && result.failure.code))).toEqual(
      new Set(['request-rejected']),
    );
    expect(requests).toHaveLength(4 * 3);
    // Texts that say nothing are no measure of the others.
    const { results: some } = await embed({}, ['', ' ', 'one', '', 'two', 'three']);
    expect(some.map((result) => 'answer' in result)).toEqual([false, true, true, false, true, true]);
  });

  it('are no more to a request than the tokens of a minute', async () => {
    // The others would wait a minute.
    const over = new AbortController();
    await using server = await ModelServer.start({
      fault() {
        over.abort(new Error('seen'));
        return null;
      },
    });
    const model = modelsAt(server, { tokens_per_minute: 100 });
    const asked = words(30).map((content) =>
      model.ask(
        { messages: [{ role: 'user', content }], embedding: { dimensions: 4 } },
        { ...options, signal: over.signal },
      ),
    );
    await Promise.allSettled(asked);
    expect(server.embedded).toHaveLength(1);
    expect(server.embedded[0]!.length).toBeLessThan(30);
  });

  it('are not asked of those that have none, nor of several models', async () => {
    await using server = await ModelServer.start();
    const request = { messages: [{ role: 'user' as const, content: 'a' }], embedding: { dimensions: null } };
    const anthropic = modelsAt(server, { provider: 'anthropic' });
    expect(await anthropic.ask(request, options)).toMatchObject({ failure: { code: 'model-no-vectors' } });
    const fallback = modelsAt(server, { fallback: [{ provider: 'openai', model: 'f' }] });
    expect(await fallback.ask(request, options)).toMatchObject({ failure: { code: 'model-no-vectors' } });
    expect(server.requests).toHaveLength(0);
  });

  it('have no tokens of output, whatever their server counts', async () => {
    const { results } = await embed({ usage: () => ({}) }, ['one two three'], {
      price: { input: 1, output: 10 },
    });
    expect(results[0]).toMatchObject({ answer: { usage: { output_tokens: 0, estimated: true } } });
    const usage = 'answer' in results[0]! ? results[0].answer.usage : null;
    expect(usage?.input_tokens).toBeGreaterThan(0);
    expect(usage?.input_tokens).toBeLessThan(10);
  });

  it('keep to the budget, and their cost is estimated by their input', async () => {
    await using server = await ModelServer.start();
    const request = {
      messages: [{ role: 'user' as const, content: 'a b c' }],
      embedding: { dimensions: null },
    };
    const model = modelsAt(server, {}, { usd: 1e-9 });
    expect(await model.ask(request, options)).toMatchObject({ failure: { code: 'budget-reached' } });
    expect(await model.estimate(request)).toMatchObject({ known: false, output_tokens: 0 });
    expect(server.requests).toHaveLength(0);
  });

  it('are one call of the budget for each request, and one more for each try', async () => {
    await using server = await ModelServer.start({
      fault: ({ prompt, attempt }) => (prompt.startsWith('text') && attempt === 0 ? 'rate-limit' : null),
    });
    const model = modelsAt(server, {}, { calls: 3 });
    const all = (texts: string[]) =>
      Promise.all(
        texts.map((content) =>
          model.ask({ messages: [{ role: 'user', content }], embedding: { dimensions: 4 } }, options),
        ),
      );
    expect((await all(words(10))).every((result) => 'answer' in result)).toBe(true);
    expect((await all(['a', 'b'])).every((result) => 'answer' in result)).toBe(true);
    expect(await all(['c', 'd'])).toMatchObject([
      { failure: { code: 'budget-reached' } },
      { failure: { code: 'budget-reached' } },
    ]);
    expect(server.embedded.map(({ length }) => length)).toEqual([10, 10, 2]);
  });

  it('are given up for the one that is called off, not for others of its request', async () => {
    const [left, kept, all] = [new AbortController(), new AbortController(), new AbortController()];
    await using server = await ModelServer.start({
      fault({ prompt }) {
        if (prompt === 'one two') left.abort(new Error('the step is over'));
        if (prompt === 'five six') all.abort(new Error('the run is over'));
        return null;
      },
    });
    const model = modelsAt(server);
    const ask = (content: string, { signal }: AbortController) =>
      model.ask(
        { messages: [{ role: 'user', content }], embedding: { dimensions: 4 } },
        { ...options, signal },
      );
    const [one, two] = await Promise.allSettled([ask('one', left), ask('two', kept)]);
    expect(one).toMatchObject({ status: 'rejected', reason: { message: 'the step is over' } });
    expect(two).toMatchObject({ status: 'fulfilled', value: { answer: { provider: 'openai' } } });
    // One that was called off before it was sent is not sent.
    const early = new AbortController();
    const three = ask('three', early);
    const four = ask('four', kept);
    await new Promise(setImmediate);
    early.abort(new Error('never mind'));
    await expect(three).rejects.toThrow('never mind');
    expect(await four).toMatchObject({ answer: { provider: 'openai' } });
    const again = [ask('two', all), ask('seven', kept)];
    expect((await Promise.all(again)).every((result) => 'answer' in result)).toBe(true);
    const none = await Promise.allSettled([ask('five', all), ask('six', all)]);
    expect(none.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(server.embedded).toEqual([
      ['one', 'two'],
      expect.arrayContaining(['four']),
      ['two', 'seven'],
      ['five', 'six'],
    ]);
  });

  it('go as early as the most urgent of them', async () => {
    await using server = await ModelServer.start({ latencyMs: 100 });
    const model = modelsAt(server, { concurrency: 1 });
    const chats = ['a', 'b', 'c'].map((content) =>
      model.ask({ messages: [{ role: 'user', content }] }, options),
    );
    const vectors = [0, 5].map((priority) =>
      model.ask(
        { messages: [{ role: 'user', content: `text ${priority}` }], embedding: { dimensions: 4 } },
        { ...options, priority },
      ),
    );
    await Promise.all([...chats, ...vectors]);
    expect(server.requests.map(({ prompt }) => prompt)).toEqual(['a', 'text 0 text 5', 'b', 'c']);
  });
});
