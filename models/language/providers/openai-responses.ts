import type OpenAI from 'openai';
import type { Message, TokenLogprob } from '../../../engine/language-model.ts';
import {
  type ProviderAnswer,
  ProviderError,
  type ProviderFault,
  type ProviderRequest,
  type ProviderUsage,
} from '../provider.ts';
import { rateLimits, tokens } from './http-errors.ts';
import type { ProviderOptions } from './index.ts';
import type { OpenAIWay } from './openai.ts';
import { isStrict } from './strict-schema.ts';

type Body = OpenAI.Responses.ResponseCreateParamsNonStreaming;
type Response = OpenAI.Responses.Response;

/** OpenAI's responses. They know no seed, and no text that ends an answer: who asks cuts it off. */
export const responses: OpenAIWay = {
  path: '/v1/responses',
  body: bodyOf,
  answer: (data, headers) => answerOf(data as Response, headers),
  async ask(client, request, options, signal) {
    const body = bodyOf(request, options);
    if (options.settings.stream) {
      const { data, response } = await client.responses
        .create({ ...body, stream: true }, { signal })
        .withResponse();
      return answerOf(await ended(data, request.onText), response.headers);
    }
    const { data, response } = await client.responses.create(body, { signal }).withResponse();
    return answerOf(data, response.headers);
  },
};

/** The response that a stream ends with. One that ends before its answer does is none. */
async function ended(
  events: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>,
  onText: ((text: string) => void) | undefined,
): Promise<Response> {
  let text = '';
  for await (const event of events) {
    if (event.type === 'response.output_text.delta') {
      text += event.delta;
      onText?.(text);
    }
    if (event.type === 'error') throw failedAs(event.code, event.message, null);
    if (
      event.type === 'response.completed' ||
      event.type === 'response.incomplete' ||
      event.type === 'response.failed'
    )
      return event.response;
  }
  throw new ProviderError('unavailable', 'the answer broke off');
}

function bodyOf({ model, messages, sampling, schema }: ProviderRequest, { settings }: ProviderOptions): Body {
  const { max_tokens, temperature, top_p, top_logprobs } = sampling;
  // Nothing is left at the provider, as with chat completions.
  const body: Body = { model, input: messages.map(messageOf), store: false };
  if (temperature !== undefined) body.temperature = temperature;
  if (top_p !== undefined) body.top_p = top_p;
  if (max_tokens !== undefined) body.max_output_tokens = max_tokens;
  if (top_logprobs !== undefined) {
    body.include = ['message.output_text.logprobs'];
    body.top_logprobs = top_logprobs;
  }
  if (schema !== null && settings.json !== 'prompt')
    body.text = {
      format:
        settings.json === 'object'
          ? { type: 'json_object' }
          : { type: 'json_schema', name: 'answer', schema, strict: isStrict(schema) },
    };
  return body;
}

function messageOf({ role, content, images = [] }: Message): OpenAI.Responses.EasyInputMessage {
  if (role !== 'user' || images.length === 0) return { role, content };
  return {
    role,
    content: [
      { type: 'input_text', text: content },
      ...images.map(({ media_type, base64 }) => ({
        type: 'input_image' as const,
        image_url: `data:${media_type};base64,${base64}`,
        detail: 'auto' as const,
      })),
    ],
  };
}

function answerOf(data: Response, headers: Headers): ProviderAnswer {
  // Servers differ: nothing of the answer is taken for granted.
  const usage = usageOf(data);
  const { status, error, incomplete_details, output, model } = (data ?? {}) as Partial<Response>;
  if (error) throw failedAs(error.code, error.message, usage);
  if (status !== undefined && status !== 'completed' && status !== 'incomplete')
    throw new ProviderError('unavailable', `the answer ended as ${status}`, { usage });
  const said = (Array.isArray(output) ? output : []).filter((item) => item.type === 'message');
  const parts = said.flatMap(({ content }) => (Array.isArray(content) ? content : []));
  // Where it stops while it thinks, there is no message at all.
  if (said.length === 0 && status !== 'incomplete')
    throw new ProviderError('unavailable', 'the answer has no output', { usage });
  const texts = parts.filter((part) => part.type === 'output_text');
  const refusal = parts.find((part) => part.type === 'refusal');
  const filtered = status === 'incomplete' && incomplete_details?.reason === 'content_filter';
  return {
    text: refusal?.refusal ?? texts.map(({ text }) => text).join(''),
    finish: refusal || filtered ? 'refused' : status === 'incomplete' ? 'length' : 'stop',
    usage,
    served: typeof model === 'string' && model !== '' ? model : null,
    billed: null,
    limits: rateLimits(headers),
    logprobs: logprobsOf(texts),
  };
}

const faultOf: { readonly [code: string]: ProviderFault } = {
  server_error: 'unavailable',
  vector_store_timeout: 'unavailable',
  rate_limit_exceeded: 'overloaded',
  model_not_found: 'unknown-model',
};

function failedAs(code: string | null | undefined, message: string, usage: ProviderUsage | null) {
  const fault = faultOf[code ?? 'server_error'] ?? 'rejected';
  return new ProviderError(fault, code ? `${message} (${code})` : message, { usage });
}

function usageOf(data: Response): ProviderUsage | null {
  const usage = (data as Partial<Response> | null)?.usage;
  const input = tokens(usage?.input_tokens);
  const output = tokens(usage?.output_tokens);
  const cached = tokens(usage?.input_tokens_details?.cached_tokens) ?? 0;
  const written = tokens(usage?.input_tokens_details?.cache_write_tokens) ?? 0;
  const reasoning = tokens(usage?.output_tokens_details?.reasoning_tokens) ?? 0;
  if (input === null || output === null || cached + written > input) return null;
  return {
    input_tokens: input,
    cached_tokens: cached,
    written_tokens: written,
    output_tokens: output,
    ...(reasoning > 0 && { reasoning_tokens: reasoning }),
  };
}

/** How likely each token was, and which others were; null if the server did not say. */
function logprobsOf(texts: readonly OpenAI.Responses.ResponseOutputText[]): TokenLogprob[] | null {
  const said = texts.flatMap(({ logprobs }) => logprobs ?? []);
  if (said.length === 0) return null;
  const one = ({ token, logprob }: { token: string; logprob: number }) => ({ token, logprob });
  return said.map((item) => ({ ...one(item), top: (item.top_logprobs ?? []).map(one) }));
}
