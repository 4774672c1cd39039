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
import { keyNames } from './settings.ts';

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

describe('keys', () => {
  const options = { signal: new AbortController().signal, notify: () => {} };

  it('stand in no answer, whatever a server says back', async () => {
    const key = 'sk-0123456789abcdef';
    await using server = await ModelServer.start({
      reply: ({ headers }) => `your ${headers.authorization}, and base64 ${btoa(key)}`,
    });
    const models = createLanguageModels({
      root: process.cwd(),
      aliases: {
        m: { provider: 'openai', base_url: server.url('openai'), model: 'small', api_key_env: 'OWN_KEY' },
      },
      secret: () => key,
      answers: null,
    });
    const said = await models.find('m')!.ask({ messages: [{ role: 'user', content: 'hello' }] }, options);
    expect(server.requests[0]!.headers.authorization).toBe(`Bearer ${key}`);
    expect(said).toMatchObject({
      answer: { text: expect.stringMatching(/^your Bearer \[secret\], and base64 \[secret\]/) },
    });
    expect(JSON.stringify(said)).not.toContain(key.slice(3));
  });

  it.each([
    ['openai', 'OPENAI_API_KEY'],
    ['anthropic', 'ANTHROPIC_API_KEY'],
    ['openrouter', 'OPENROUTER_API_KEY'],
  ] as const)(
    '%s: go to its own servers, and to others only if the workflow says so',
    async (provider, usual) => {
      for (const name of ['OPENAI_API_KEY', 'OPENAI_ADMIN_KEY', 'OPENAI_ORG_ID', 'OPENAI_PROJECT_ID'])
        vi.stubEnv(name, `sk-of-${name}`);
      for (const name of ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN']) vi.stubEnv(name, `sk-of-${name}`);
      for (const name of ['OPENAI_CUSTOM_HEADERS', 'ANTHROPIC_CUSTOM_HEADERS'])
        vi.stubEnv(name, 'x-mine: sk-of-header');
      await using server = await ModelServer.start({ fault: () => 'denied' });
      const ask = async (more: JsonObject) => {
        const alias = { provider, model: 'm', ...more } as JsonObject;
        const secrets: { [name: string]: string } = { [usual]: 'sk-usual', OTHER: 'sk-other' };
        const models = createLanguageModels({
          root: process.cwd(),
          aliases: { m: alias },
          secret: (name) => secrets[name],
          answers: null,
        });
        return { result: await models.find('m')!.ask({ messages }, options), named: keyNames({ m: alias }) };
      };
      const base_url = server.url(provider === 'anthropic' ? 'anthropic' : 'openai');
      const without = await ask({ base_url });
      expect(without.named).toEqual([]);
      expect(without.result).toMatchObject({ failure: { hint: expect.stringContaining('api_key_env') } });
      expect(JSON.stringify(server.requests[0]!.headers)).not.toContain('sk-');
      expect((await ask({ base_url, api_key_env: 'OTHER' })).named).toEqual(['OTHER']);
      const sent = JSON.stringify(server.requests[1]!.headers);
      expect(sent.match(/sk-[\w-]+/g)).toEqual(['sk-other']);

      const keys: { [host: string]: string } = {};
      vi.stubGlobal('fetch', async (url: string | URL | Request, init?: RequestInit) => {
        keys[new URL(url instanceof Request ? url.url : url).origin] = JSON.stringify([
          ...new Headers(init?.headers),
        ]);
        return new Response('{}', { status: 401 });
      });
      await ask({});
      await ask({ base_url: 'https://eu.api.openai.com.elsewhere.test' });
      const [own, foreign] = Object.values(keys);
      expect(own).toContain('sk-usual');
      expect(foreign).not.toContain('sk-usual');
    },
  );
});

describe('what counts in an answer', () => {
  const options = { signal: new AbortController().signal, notify: () => {} };

  it('is the order of the schema, and how JSON is asked for where it is', async () => {
    await using server = await ModelServer.start({ reply: () => '{"a":"x","b":"y"}' });
    const own = { provider: 'openai', model: 'm', base_url: server.url('openai') };
    const models = createLanguageModels({
      root: process.cwd(),
      aliases: { m: own, worded: { ...own, json: 'prompt' } },
      secret: () => undefined,
      answers: keptAnswers(),
    });
    const text = { type: 'string' };
    const ask = async (alias: string, schema?: JsonObject) => {
      const before = server.requests.length;
      await models.find(alias)!.ask({ messages, ...(schema && { schema }) }, options);
      return server.requests.length - before;
    };
    const ab = { type: 'object', properties: { a: text, b: text } };
    const ba = { type: 'object', properties: { b: text, a: text } };
    expect(await ask('m', ab)).toBe(1);
    expect(await ask('m', structuredClone(ab))).toBe(0);
    expect(await ask('m', ba)).toBe(1);
    expect(await ask('worded', ab)).toBe(1);
    expect([await ask('m'), await ask('worded')]).toEqual([1, 0]);
  });

  it('is not the alias: two that stand for one model ask once, also at once', async () => {
    await using server = await ModelServer.start({ latencyMs: 10 });
    const own = { provider: 'openai', model: 'm', base_url: server.url('openai') };
    const fallback = [{ ...own, model: 'other' }];
    const models = createLanguageModels({
      root: process.cwd(),
      aliases: { a: own, b: { ...own, concurrency: 2, fallback } },
      secret: () => undefined,
      answers: keptAnswers(),
    });
    const results = await Promise.all(
      ['a', 'b', 'a'].map((alias) => models.find(alias)!.ask({ messages }, options)),
    );
    expect(server.requests).toHaveLength(1);
    expect(results.map((result) => 'answer' in result && result.cached)).toEqual([false, true, true]);
  });
});

describe('a fallback', () => {
  it('answers while the model does not, is not asked again for what it said, and is left when the model is back', async () => {
    let broken = true;
    await using server = await ModelServer.start({
      fault: ({ body }) => (broken && body['model'] === 'hosted' ? 'error' : null),
    });
    const own = (model: string) => ({
      provider: 'openai',
      base_url: server.url('openai'),
      model,
      retries: 0,
    });
    const model = createLanguageModels({
      root: process.cwd(),
      aliases: { m: { ...own('hosted'), fallback: [own('local')] } },
      secret: () => undefined,
      answers: keptAnswers(),
    }).find('m')!;
    const notices: string[] = [];
    const ask = async (content: string) => {
      const result = await model.ask(
        { messages: [{ role: 'user', content }] },
        { signal: new AbortController().signal, notify: (message) => notices.push(message) },
      );
      return 'answer' in result ? [result.answer.asked, result.cached] : result.failure.code;
    };
    expect([await ask('one'), await ask('two')]).toEqual([
      ['local', false],
      ['local', false],
    ]);
    expect(notices).toHaveLength(1);
    broken = false;
    expect(await ask('three')).toEqual(['hosted', false]);
    expect(await ask('one')).toEqual(['local', true]);
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
        budget: { usd: budget },
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

  it('counts answers that are none, and what was spent on models before the one that answered', async () => {
    const price = { input: 0, output: 1e6 };
    await using server = await ModelServer.start({
      reply: () => 'two words',
      fault: ({ attempt, body }) => (body['model'] === 'm' ? (attempt === 0 ? 'empty' : 'cut-off') : null),
    });
    const own = { provider: 'openai', base_url: server.url('openai'), price };
    const model = createLanguageModels({
      root: process.cwd(),
      aliases: { m: { ...own, model: 'm', fallback: [{ ...own, model: 'second' }] } },
      secret: () => undefined,
      answers: null,
    }).find('m')!;
    // An answer without choices, one that was cut off, and that of the other model: two tokens each.
    expect(await model.ask({ messages }, options)).toMatchObject({
      answer: { asked: 'second', usd: 2 },
      wasted: { usd: 4, usage: { output_tokens: 4 } },
    });
  });

  it('runs a command that is a line for the shell, and ends all of it', async () => {
    const models = createLanguageModels({
      root: process.cwd(),
      aliases: {
        line: { provider: 'command', command: 'cat > /dev/null; echo one | tr a-z A-Z' },
        slow: { provider: 'command', command: 'sleep 60 | cat; true', request_timeout: 0.05, retries: 0 },
      },
      secret: () => undefined,
      answers: null,
    });
    expect(textOf(await models.find('line')!.ask({ messages }, options))).toBe('ONE');
    expect(textOf(await models.find('slow')!.ask({ messages }, options))).toContain('no answer within');
  });

  it('gives the likeliest tokens where they are wanted', async () => {
    await using server = await ModelServer.start({ reply: () => 'yes indeed' });
    const model = createLanguageModels({
      root: process.cwd(),
      aliases: { m: openai(server) },
      secret: () => undefined,
      answers: keptAnswers(),
    }).find('m')!;
    const result = await model.ask({ messages, top_logprobs: 2 }, options);
    const logprobs = ('answer' in result && result.answer.logprobs) || [];
    expect(logprobs.map(({ token, top }) => [token, top.length])).toEqual([
      ['yes', 2],
      [' indeed', 2],
    ]);
    expect(server.requests[0]!.body).toMatchObject({ logprobs: true, top_logprobs: 2 });
    expect(await model.ask({ messages }, options)).toMatchObject({ cached: false });
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
