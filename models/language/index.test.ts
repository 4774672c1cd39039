import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Json, JsonObject } from '../../engine/json.ts';
import type { AskResult } from '../../engine/language-model.ts';
import { ModelServer } from '../../test/model-server.ts';
import { folderWith } from '../../test/run-step.ts';
import { type AnswerCache, answerCache } from './answers.ts';
import { createLanguageModels } from './index.ts';
import { fullRequest, requestDigest } from './request.ts';

/** Answers by what they are filed under, as the row cache keeps them. */
function keptAnswers(): AnswerCache {
  const values = new Map<string, Json>();
  const name = (namespace: string, key: Uint8Array) => `${namespace} ${Buffer.from(key).toString('hex')}`;
  return answerCache<string>({
    namespace: (identity) => JSON.stringify(identity),
    getMany: (namespace, keys) => keys.map((key) => values.get(name(namespace, key))),
    some: () => [],
    put: (namespace, key, value) => void values.set(name(namespace, key), value),
  });
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const textOf = (result: AskResult) => ('answer' in result ? result.answer.text : result.failure.message);
const messages = [{ role: 'user', content: 'hello' }] as const;

describe('what an answer is filed under', () => {
  const asks = (root: string, aliases: Record<string, JsonObject>, answers: AnswerCache | null) => {
    const models = createLanguageModels({ root, aliases, secret: () => 'key', answers });
    const options = { signal: new AbortController().signal, notify: () => {} };
    return async (alias: string) => textOf(await models.find(alias)!.ask({ messages }, options));
  };

  it('is the program, where a program answers, whatever name of a model it is given', async () => {
    const program = (text: string) => [process.execPath, '-e', `process.stdout.write('${text}')`];
    const ask = asks(
      process.cwd(),
      {
        a: { provider: 'command', model: 'm', command: program('a') },
        b: { provider: 'command', model: 'm', command: program('b') },
      },
      keptAnswers(),
    );
    expect([await ask('a'), await ask('b'), await ask('a')]).toEqual(['a', 'b', 'a']);
  });

  it('is nothing, where a file answers: what it says today counts', async () => {
    const root = folderWith({});
    const answers = keptAnswers();
    const request = requestDigest(fullRequest({ messages }, {}));
    const usage = { input_tokens: 1, cached_tokens: 0, written_tokens: 0, output_tokens: 1 };
    for (const text of ['one', 'two']) {
      writeFileSync(join(root, 'a.jsonl'), `${JSON.stringify({ request, text, usage, served: null })}\n`);
      const ask = asks(root, { m: { provider: 'replay', path: 'a.jsonl' } }, answers);
      expect(await ask('m')).toBe(text);
    }
    writeFileSync(join(root, 'a.jsonl'), `${JSON.stringify({ request, text: 'no usage' })}\n`);
    const ask = asks(root, { m: { provider: 'replay', path: 'a.jsonl' } }, answers);
    expect(await ask('m')).toContain('line 1 of a.jsonl is no recorded answer');
  });

  it('is the address in the workflow: the SDKs take none from the environment', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://elsewhere.test/v1');
    vi.stubEnv('ANTHROPIC_BASE_URL', 'http://elsewhere.test');
    const hosts: string[] = [];
    vi.stubGlobal('fetch', async (url: string | URL | Request) => {
      hosts.push(new URL(url instanceof Request ? url.url : url).host);
      return new Response('{}', { status: 401 });
    });
    const ask = asks(
      process.cwd(),
      { a: { provider: 'openai', model: 'm' }, b: { provider: 'anthropic', model: 'm' } },
      null,
    );
    await ask('a');
    await ask('b');
    expect(hosts).toEqual(['api.openai.com', 'api.anthropic.com']);
  });
});

describe('asking', () => {
  const options = { signal: new AbortController().signal, notify: () => {} };
  const price = { input: 0, output: 1 };
  const openai = (server: ModelServer) => ({
    provider: 'openai',
    model: 'm',
    base_url: server.url('openai'),
    price,
  });

  it('makes equal requests once, also if they fail, and counts what that cost once', async () => {
    await using server = await ModelServer.start({ latencyMs: 20, fault: () => 'refused' });
    const model = createLanguageModels({
      root: process.cwd(),
      aliases: { m: openai(server) },
      secret: () => undefined,
      answers: keptAnswers(),
    }).find('m')!;
    const results = await Promise.all(Array.from({ length: 5 }, () => model.ask({ messages }, options)));
    expect(server.requests).toHaveLength(1);
    expect(results.map((result) => 'failure' in result && result.failure.code)).toEqual(
      Array(5).fill('answer-refused'),
    );
    expect(results.filter((result) => 'spent' in result && result.spent !== null)).toHaveLength(1);
  });

  it('goes on for another when the one that asked is called off', async () => {
    let count = 0;
    await using server = await ModelServer.start({ fault: () => (count++ === 0 ? 'hang' : null) });
    const model = createLanguageModels({
      root: process.cwd(),
      aliases: { m: openai(server) },
      secret: () => undefined,
      answers: keptAnswers(),
    }).find('m')!;
    const stop = new AbortController();
    const first = model.ask({ messages }, { ...options, signal: stop.signal });
    const others = [model.ask({ messages }, options), model.ask({ messages }, options)];
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect((await Promise.all(others)).map(textOf)).toEqual(Array(2).fill('answer to hello'));
    expect(server.requests).toHaveLength(2);
  });

  it('waits for calls under way before it calls a budget spent: they may cost less than expected', async () => {
    await using server = await ModelServer.start({ latencyMs: 5, reply: () => 'ok' });
    const ask = (budget: number) => {
      const model = createLanguageModels({
        root: process.cwd(),
        aliases: { m: openai(server) },
        secret: () => undefined,
        answers: null,
        budget,
      }).find('m')!;
      const request = (content: string) => ({ messages: [{ role: 'user' as const, content }] });
      return Promise.all(['a', 'b', 'c', 'd', 'e'].map((text) => model.ask(request(text), options)));
    };
    // An answer is expected to have 500 tokens before any was seen: two calls at once fit into the budget, five do not.
    expect((await ask(0.001)).map(textOf)).toEqual(Array(5).fill('ok'));
    const before = server.requests.length;
    expect((await ask(0.0004)).map((result) => 'failure' in result && result.failure.code)).toEqual(
      Array(5).fill('budget-reached'),
    );
    expect(server.requests).toHaveLength(before);
  });

  it('buys no answer for a schema that is none', async () => {
    await using server = await ModelServer.start();
    const model = createLanguageModels({
      root: process.cwd(),
      aliases: { m: openai(server) },
      secret: () => undefined,
      answers: null,
    }).find('m')!;
    const schema = { type: 'object', properties: { label: { type: 'strng' } } };
    expect(await model.ask({ messages, schema }, options)).toMatchObject({
      failure: { code: 'answer-schema', message: expect.stringContaining('/properties/label/type') },
    });
    expect(server.requests).toHaveLength(0);
  });
});
