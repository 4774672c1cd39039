import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import type { AskResult, LanguageRequest } from '../../engine/language-model.ts';
import { type Fault, ModelServer, type ModelServerOptions } from '../../test/model-server.ts';
import { folderWith } from '../../test/run-step.ts';
import { createLanguageModels } from './index.ts';

const schema: JsonObject = {
  type: 'object',
  properties: { label: { type: 'string' } },
  required: ['label'],
  additionalProperties: false,
};

/** How the test reaches each provider; everything below holds for all of them. */
const providers = {
  openai: {
    settings: (server: ModelServer) => ({
      provider: 'openai',
      base_url: server.url('openai'),
      model: 'gpt-5-mini',
      price: { input: 1, output: 10 },
    }),
  },
  responses: {
    settings: (server: ModelServer) => ({
      provider: 'openai',
      api: 'responses',
      base_url: server.url('openai'),
      model: 'gpt-5-mini',
      price: { input: 1, output: 10 },
    }),
  },
  anthropic: {
    settings: (server: ModelServer) => ({
      provider: 'anthropic',
      base_url: server.url('anthropic'),
      model: 'claude-haiku-4-5',
      price: { input: 1, output: 10 },
    }),
  },
  openrouter: {
    settings: (server: ModelServer) => ({
      provider: 'openrouter',
      base_url: server.url('openai'),
      model: 'meta/llama',
      price: { input: 1, output: 10 },
    }),
  },
  command: {
    settings: (server: ModelServer) => ({
      provider: 'command',
      command: [process.execPath, join(import.meta.dirname, '../../test/fixtures/model-command.mjs')],
      model: server.url('openai'),
      price: { input: 1, output: 10 },
    }),
  },
} satisfies Record<string, { settings(server: ModelServer): JsonObject }>;

describe.each(Object.entries(providers))('provider %s', (name, { settings }) => {
  let server: ModelServer;
  let behaviour: ModelServerOptions = {};
  const notices: string[] = [];

  beforeEach(async () => {
    behaviour = {};
    notices.length = 0;
    server = await ModelServer.start({
      reply: (request) => behaviour.reply?.(request) ?? `answer to ${request.prompt}`,
      fault: (request) => behaviour.fault?.(request) ?? null,
    });
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const ask = (
    request: Partial<LanguageRequest> & { prompt?: string } = {},
    more: JsonObject = {},
    signal = new AbortController().signal,
  ): Promise<AskResult> => {
    const { prompt = 'hello there', ...rest } = request;
    const models = createLanguageModels({
      root: process.cwd(),
      aliases: { m: { ...settings(server), ...more } as JsonObject },
      secret: () => undefined,
      answers: null,
    });
    return models
      .find('m')!
      .ask(
        { messages: [{ role: 'user', content: prompt }], ...rest },
        { signal, notify: (message) => notices.push(message) },
      );
  };
  const first = (fault: Fault) => {
    behaviour.fault = ({ attempt }) => (attempt === 0 ? fault : null);
  };

  it('gives the text, the tokens, the served model and the cost', async () => {
    const result = await ask();
    expect(result).toMatchObject({
      cached: false,
      answer: {
        text: 'answer to hello there',
        json: null,
        served: expect.stringContaining('-2026-01-01'),
        usage: { input_tokens: 2, output_tokens: 4, estimated: false },
      },
    });
    expect('answer' in result && result.answer.usd).toBeCloseTo((2 * 1 + 4 * 10) / 1e6, 12);
  });

  it.each<Fault>(['rate-limit', 'error', 'overloaded', 'reset', 'malformed', 'truncated', 'empty'])(
    'tries again after %s',
    async (fault) => {
      first(fault);
      expect(await ask()).toMatchObject({ answer: { text: 'answer to hello there' } });
      expect(server.asked.get('hello there')).toBe(2);
    },
  );

  it('tries again when an answer takes too long, and waits for a slow one', async () => {
    first('hang');
    expect(await ask({}, { request_timeout: 1 })).toMatchObject({
      answer: { text: 'answer to hello there' },
    });
    expect(server.asked.get('hello there')).toBeGreaterThan(1);
    first('drip');
    expect(await ask({ prompt: 'slowly' })).toMatchObject({ answer: { text: 'answer to slowly' } });
  }, 20_000);

  it.each<[Fault, string]>([
    ['denied', 'model-denied'],
    ['no-such-model', 'model-not-found'],
  ])('gives the step up after %s, without a retry', async (fault, code) => {
    behaviour.fault = () => fault;
    expect(await ask()).toMatchObject({ failure: { scope: 'step', code } });
    expect(server.requests).toHaveLength(1);
  });

  it('gives the row up when its request is refused, and after all retries', async () => {
    behaviour.fault = () => 'rejected';
    expect(await ask()).toMatchObject({
      failure: { scope: 'row', message: expect.stringContaining('too long') },
    });
    expect(server.requests).toHaveLength(1);
    behaviour.fault = () => 'error';
    expect(await ask({ prompt: 'again' }, { retries: 1 })).toMatchObject({
      failure: { scope: 'row', message: expect.stringContaining('did not answer in 2 tries; the last: ') },
    });
    expect(server.asked.get('again')).toBe(2);
    expect(await ask({ prompt: 'once' }, { retries: 0 })).toMatchObject({
      failure: { message: expect.stringContaining('did not answer: ') },
    });
  });

  it('takes a truncated or a refused answer for what it is, and counts what it cost', async () => {
    behaviour.fault = () => 'cut-off';
    expect(await ask()).toMatchObject({
      failure: { scope: 'row', code: 'answer-truncated' },
      spent: { usage: { output_tokens: 4 } },
    });
    behaviour.fault = () => 'refused';
    expect(await ask()).toMatchObject({ failure: { scope: 'row', code: 'answer-refused' } });
    expect(server.requests).toHaveLength(2);
  });

  it('asks once more where an answer is empty, then gives the row up, and counts both', async () => {
    first('blank');
    expect(await ask()).toMatchObject({ answer: { text: 'answer to hello there' } });
    expect(server.requests).toHaveLength(2);
    behaviour.fault = () => 'blank';
    expect(await ask({ prompt: 'two words' })).toMatchObject({
      failure: { scope: 'row', code: 'answer-empty' },
      spent: { usage: { input_tokens: 4 } },
    });
    expect(server.requests).toHaveLength(4);
  });

  it('gives what was said with a failure, for the record', async () => {
    behaviour.fault = () => 'cut-off';
    expect(await ask()).toMatchObject({
      failure: { code: 'answer-truncated' },
      said: { text: 'answer to hello there', usage: { output_tokens: 4 } },
    });
    behaviour.fault = () => 'rejected';
    expect(await ask()).toMatchObject({ said: { text: '', served: null } });
  });

  it('counts tokens itself where the server counts nonsense', async () => {
    behaviour.fault = () => 'wrong-usage';
    expect(await ask()).toMatchObject({
      answer: { usage: { estimated: true, input_tokens: 6, output_tokens: 4 } },
    });
  });

  it('gives JSON that fits the schema', async () => {
    behaviour.reply = () => '{"label":"x"}';
    expect(await ask({ schema })).toMatchObject({ answer: { json: { label: 'x' } } });
  });

  it('has an answer that does not fit repaired, once, and pays for both', async () => {
    behaviour.reply = ({ attempt, prompt }) =>
      prompt.startsWith('That is not') ? '{"label":"y"}' : attempt === 0 ? '{"label":3}' : '{}';
    const result = await ask({ schema });
    expect(result).toMatchObject({ answer: { json: { label: 'y' } } });
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]!.prompt).toContain('/label must be string');
    behaviour.reply = () => '{"label":3}';
    expect(await ask({ schema, prompt: 'other' })).toMatchObject({
      failure: { scope: 'row', code: 'answer-invalid', message: expect.stringContaining('must be string') },
    });
    expect(server.requests).toHaveLength(4);
  });

  it('leaves out what the model thought aloud', async () => {
    behaviour.reply = () => '<think>hm, {"label": 1}</think>\nyes';
    expect(await ask()).toMatchObject({
      answer: { text: 'yes', raw: '<think>hm, {"label": 1}</think>\nyes' },
    });
    behaviour.reply = () => 'write <think> before it';
    const plain = await ask({ prompt: 'how' });
    expect(plain).toMatchObject({ answer: { text: 'write <think> before it' } });
    expect('answer' in plain && 'raw' in plain.answer).toBe(false);
  });

  it('sends system and earlier messages, and the sampling parameters', async () => {
    await ask({
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'two' },
        { role: 'user', content: 'three' },
      ],
      temperature: 0.5,
      max_tokens: 50,
      stop: ['END'],
    });
    const { body } = server.requests[0]!;
    expect(JSON.stringify(body)).toMatch(/be brief.*|one.*two.*three/);
    expect(body['temperature']).toBe(0.5);
    expect(body['max_tokens'] ?? body['max_output_tokens']).toBe(50);
    // The responses API knows no such text.
    if (name !== 'responses') expect(body['stop'] ?? body['stop_sequences']).toEqual(['END']);
  });

  it('ends at once when it is told to', async () => {
    behaviour.fault = () => 'hang';
    const stop = new AbortController();
    const asking = ask({}, {}, stop.signal);
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
  });

  it('falls back on another model, under whose name the answer stands', async () => {
    behaviour.fault = ({ body }) => (body['model'] === 'second' ? null : 'error');
    const result = await ask(
      {},
      {
        retries: 0,
        fallback: [{ provider: 'openai', base_url: server.url('openai'), model: 'second' }],
      },
    );
    expect(result).toMatchObject({ answer: { asked: 'second', provider: 'openai' } });
    expect(notices).toEqual([expect.stringContaining('openai/second is asked instead')]);
  });

  it('refuses the rest at once when several in a row were given up', async () => {
    behaviour.fault = () => 'error';
    const models = createLanguageModels({
      root: process.cwd(),
      aliases: { m: { ...settings(server), retries: 0 } as JsonObject },
      secret: () => undefined,
      answers: null,
    });
    const scopes: string[] = [];
    for (let index = 0; index < 7; index++) {
      const result = await models
        .find('m')!
        .ask(
          { messages: [{ role: 'user', content: `q${index}` }] },
          { signal: new AbortController().signal, notify: () => {} },
        );
      scopes.push('failure' in result ? result.failure.scope : 'answered');
    }
    expect(scopes).toEqual(['row', 'row', 'row', 'row', 'row', 'step', 'step']);
    expect(server.requests).toHaveLength(5);
  });
});

describe.each(Object.entries(providers).filter(([name]) => name !== 'command'))(
  'provider %s, streaming',
  (_, { settings }) => {
    const ask = (server: ModelServer, request: Partial<LanguageRequest>, onText: (text: string) => void) =>
      createLanguageModels({
        root: process.cwd(),
        aliases: { m: { ...settings(server), stream: true } as JsonObject },
        secret: () => undefined,
        answers: null,
      })
        .find('m')!
        .ask(
          { messages: [{ role: 'user', content: 'hello there' }], ...request },
          { signal: new AbortController().signal, notify: () => {}, onText },
        );

    it('gives the answer and tells it as it comes, also where the first stream breaks off', async () => {
      for (const fault of [null, 'reset', 'truncated'] as const) {
        await using server = await ModelServer.start({
          fault: ({ attempt }) => (attempt === 0 ? fault : null),
        });
        const heard: string[] = [];
        expect(await ask(server, {}, (text) => heard.push(text))).toMatchObject({
          answer: {
            text: 'answer to hello there',
            served: expect.stringContaining('-2026-01-01'),
            usage: { input_tokens: 2, output_tokens: 4, estimated: false },
          },
        });
        expect(heard.slice(-4)).toEqual([
          'answer ',
          'answer to ',
          'answer to hello ',
          'answer to hello there',
        ]);
        expect(server.requests).toHaveLength(fault === null ? 1 : 2);
      }
    });

    it('gives JSON, and takes an answer that is cut off for what it is', async () => {
      await using server = await ModelServer.start({
        reply: () => '{"label": "x"}',
        fault: ({ prompt }) => (prompt === 'cut' ? 'cut-off' : null),
      });
      expect(await ask(server, { schema }, () => {})).toMatchObject({ answer: { json: { label: 'x' } } });
      const cut = { messages: [{ role: 'user' as const, content: 'cut' }] };
      expect(await ask(server, cut, () => {})).toMatchObject({ failure: { code: 'answer-truncated' } });
    });
  },
);

describe('replay', () => {
  it('answers what was asked then, and nothing else', async () => {
    await using server = await ModelServer.start();
    const signal = new AbortController().signal;
    const options = { signal, notify: () => {} };
    const live = createLanguageModels({
      root: process.cwd(),
      aliases: { m: providers.openai.settings(server) },
      secret: () => undefined,
      answers: null,
    });
    const messages = [{ role: 'user', content: 'hello' }] as const;
    const result = await live.find('m')!.ask({ messages }, options);
    const recorded = 'answer' in result ? result.answer : null;
    const root = folderWith({ 'answers.jsonl': `${JSON.stringify({ id: 'a', ...recorded })}\n` });
    const replayed = createLanguageModels({
      root,
      aliases: { m: { provider: 'replay', path: 'answers.jsonl' } },
      secret: () => undefined,
      answers: null,
    }).find('m')!;
    expect(await replayed.ask({ messages }, options)).toMatchObject({
      answer: { text: 'answer to hello', usd: 0, usage: { output_tokens: 3 } },
    });
    expect(await replayed.ask({ messages, sample: 1 }, options)).toMatchObject({
      failure: { scope: 'row', message: expect.stringContaining('no answer to this request') },
    });
    expect(server.requests).toHaveLength(1);
  });
});
