import { describe, expect, it } from 'vitest';
import { ModelServer } from '../../../test/model-server.ts';
import { createLanguageModels } from '../index.ts';
import { ProviderError } from '../provider.ts';
import { responses } from './openai-responses.ts';

const answer = (data: unknown) => responses.answer(data, new Headers());
const message = (...content: object[]) => [
  { type: 'reasoning', summary: [] },
  { type: 'message', content },
];
const text = (words: string) => ({ type: 'output_text', text: words });

describe('what a response comes to', () => {
  it('is its text, with what it took', () => {
    const usage = {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
      output_tokens: 8,
      output_tokens_details: { reasoning_tokens: 5 },
    };
    const data = { status: 'completed', model: 'm-1', output: message(text('a '), text('b')), usage };
    expect(answer(data)).toMatchObject({
      text: 'a b',
      finish: 'stop',
      served: 'm-1',
      usage: {
        input_tokens: 10,
        cached_tokens: 4,
        written_tokens: 2,
        output_tokens: 8,
        reasoning_tokens: 5,
      },
    });
  });

  it.each<[string, object, string]>([
    [
      'cut off while it thought',
      { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output: [] },
      'length',
    ],
    [
      'filtered',
      { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, output: message() },
      'refused',
    ],
    [
      'refused by the model',
      { status: 'completed', output: message({ type: 'refusal', refusal: 'no' }) },
      'refused',
    ],
    ['of a server that says no status', { output: message(text('x')) }, 'stop'],
  ])('is %s', (_, data, finish) => expect(answer(data).finish).toBe(finish));

  it.each<[string, object | null, string]>([
    ['failed', { status: 'failed', error: { code: 'server_error', message: 'broke' } }, 'unavailable'],
    ['too fast', { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'slow' } }, 'overloaded'],
    ['wrong', { status: 'failed', error: { code: 'invalid_image', message: 'no image' } }, 'rejected'],
    ['cancelled', { status: 'cancelled', output: [] }, 'unavailable'],
    ['nothing', null, 'unavailable'],
    ['no message', { status: 'completed', output: [{ type: 'reasoning' }] }, 'unavailable'],
  ])('is a failure where it is %s', (_, data, fault) => {
    expect(() => answer(data)).toThrow(ProviderError);
    try {
      answer(data);
    } catch (error) {
      expect(error).toMatchObject({ fault });
    }
  });
});

describe('what the responses API is sent', () => {
  const ask = async (server: ModelServer, request: object) => {
    const aliases = {
      m: { provider: 'openai', api: 'responses', base_url: server.url('openai'), model: 'small' },
    };
    const models = createLanguageModels({ root: '/', aliases, secret: () => undefined, answers: null });
    const messages = [{ role: 'user', content: 'what is it?' }] as const;
    const signal = new AbortController().signal;
    return models.find('m')!.ask({ messages, ...request }, { signal, notify: () => {} });
  };

  it('has images, the schema and a wish for logprobs, and is not kept there', async () => {
    await using server = await ModelServer.start({ reply: () => '{"label":"x"}' });
    const schema = {
      type: 'object',
      properties: { label: { type: 'string' } },
      required: ['label'],
      additionalProperties: false,
    };
    const images = [{ media_type: 'image/png', base64: 'AAAA' }];
    const result = await ask(server, {
      messages: [{ role: 'user', content: 'what is it?', images }],
      schema,
      top_logprobs: 2,
    });
    expect(result).toMatchObject({
      answer: {
        json: { label: 'x' },
        logprobs: [{ token: '{"label":"x"}', top: [{}, { token: 'else' }] }],
      },
    });
    expect(server.requests[0]).toMatchObject({
      format: 'responses',
      body: {
        store: false,
        include: ['message.output_text.logprobs'],
        top_logprobs: 2,
        text: { format: { type: 'json_schema', strict: true, schema } },
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'what is it?' },
              { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
            ],
          },
        ],
      },
    });
  });

  it('has no text that ends an answer: it is cut off afterwards', async () => {
    await using server = await ModelServer.start({ reply: () => 'one\nEND two' });
    expect(await ask(server, { stop: ['two', 'END'] })).toMatchObject({ answer: { text: 'one' } });
    expect(server.requests[0]!.body).not.toHaveProperty('stop');
    await using refusing = await ModelServer.start({
      reply: () => "I'm sorry.\nEND I cannot",
      fault: () => 'refused',
    });
    expect(await ask(refusing, { stop: ['END'] })).toMatchObject({ failure: { code: 'answer-refused' } });
  });
});
