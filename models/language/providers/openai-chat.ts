import type OpenAI from 'openai';
import type { Message, TokenLogprob } from '../../../engine/language-model.ts';
import { type ProviderAnswer, ProviderError, type ProviderRequest, type ProviderUsage } from '../provider.ts';
import { dollars, rateLimits, tokens } from './http-errors.ts';
import type { ProviderOptions } from './index.ts';
import type { OpenAIWay } from './openai.ts';
import { isStrict } from './strict-schema.ts';

type Body = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

/** OpenAI's chat completions, which most other servers speak as well. */
export const chat: OpenAIWay = {
  path: '/v1/chat/completions',
  body: bodyOf,
  answer: (data, headers) => answerOf(data as OpenAI.Chat.ChatCompletion, headers),
  async ask(client, request, options, signal) {
    const body = bodyOf(request, options);
    if (options.settings.stream) {
      const streamed = { ...body, stream: true, stream_options: { include_usage: true } } as const;
      const { data, response } = await client.chat.completions.create(streamed, { signal }).withResponse();
      return answerOf(await joined(data, request.onText), response.headers);
    }
    const { data, response } = await client.chat.completions.create(body, { signal }).withResponse();
    return answerOf(data, response.headers);
  },
};

type Chunk = OpenAI.Chat.ChatCompletionChunk;

/** The answer that pieces make. A stream that ends before its answer does is none. */
async function joined(
  pieces: AsyncIterable<Chunk>,
  onText: ((text: string) => void) | undefined,
): Promise<OpenAI.Chat.ChatCompletion> {
  let content = '';
  let refusal = '';
  let finish: OpenAI.Chat.ChatCompletionChunk.Choice['finish_reason'] = null;
  let last: Partial<Pick<Chunk, 'model' | 'usage'>> = {};
  const logprobs: OpenAI.Chat.ChatCompletionTokenLogprob[] = [];
  for await (const piece of pieces) {
    const { model = last.model, usage } = piece;
    last = { ...(model && { model }), usage: usage ?? last.usage ?? null };
    const choice = piece.choices?.[0];
    if (choice === undefined) continue;
    content += choice.delta?.content ?? '';
    refusal += choice.delta?.refusal ?? '';
    logprobs.push(...(choice.logprobs?.content ?? []));
    finish = choice.finish_reason ?? finish;
    if (choice.delta?.content) onText?.(content);
  }
  if (finish === null) throw new ProviderError('unavailable', 'the answer broke off');
  const message = { role: 'assistant', content, refusal: refusal === '' ? null : refusal };
  const choice = {
    index: 0,
    message,
    finish_reason: finish,
    logprobs: logprobs.length > 0 ? { content: logprobs } : null,
  };
  return { ...last, choices: [choice] } as unknown as OpenAI.Chat.ChatCompletion;
}

function bodyOf({ model, messages, sampling, schema }: ProviderRequest, { settings }: ProviderOptions): Body {
  const { max_tokens, temperature, top_p, stop, seed, top_logprobs } = sampling;
  const body: Body = { model, messages: messages.map(messageOf) };
  if (temperature !== undefined) body.temperature = temperature;
  if (top_p !== undefined) body.top_p = top_p;
  if (stop !== undefined) body.stop = [...stop];
  if (seed !== undefined) body.seed = seed;
  if (top_logprobs !== undefined) {
    body.logprobs = true;
    body.top_logprobs = top_logprobs;
  }
  if (max_tokens !== undefined) {
    // OpenAI's newer models refuse the old name, and other servers know no other.
    if (settings.hosted) body.max_completion_tokens = max_tokens;
    else body.max_tokens = max_tokens;
  }
  if (schema !== null && settings.json !== 'prompt')
    body.response_format =
      settings.json === 'object'
        ? { type: 'json_object' }
        : { type: 'json_schema', json_schema: { name: 'answer', schema, strict: isStrict(schema) } };
  // OpenRouter says what a call cost if it is asked to.
  if (settings.provider === 'openrouter') Object.assign(body, { usage: { include: true } });
  return body;
}

function messageOf({ role, content, images = [] }: Message): OpenAI.Chat.ChatCompletionMessageParam {
  if (role !== 'user' || images.length === 0) return { role, content };
  return {
    role,
    content: [
      { type: 'text', text: content },
      ...images.map(({ media_type, base64 }) => ({
        type: 'image_url' as const,
        image_url: { url: `data:${media_type};base64,${base64}` },
      })),
    ],
  };
}

function answerOf(data: OpenAI.Chat.ChatCompletion, headers: Headers): ProviderAnswer {
  // Servers differ: nothing of the answer is taken for granted.
  const usage = usageOf(data);
  const cost = (data?.usage as { cost?: unknown } | undefined)?.cost;
  const billed = dollars(cost);
  const choice = (data as Partial<typeof data> | null)?.choices?.[0];
  const message = choice?.message as Partial<NonNullable<typeof choice>['message']> | undefined;
  if (choice === undefined || message === undefined || message === null)
    throw new ProviderError('unavailable', 'the answer has no choices', { usage, billed });
  const refusal = message.refusal ?? null;
  const refused = refusal !== null || choice.finish_reason === 'content_filter';
  return {
    // Some servers say null where they have nothing to say.
    text: refusal ?? message.content ?? '',
    finish: refused ? 'refused' : choice.finish_reason === 'length' ? 'length' : 'stop',
    usage,
    served: typeof data.model === 'string' && data.model !== '' ? data.model : null,
    billed,
    limits: rateLimits(headers),
    logprobs: logprobsOf(choice),
  };
}

function usageOf(data: OpenAI.Chat.ChatCompletion): ProviderUsage | null {
  const usage = (data as Partial<typeof data> | null)?.usage;
  const input = tokens(usage?.prompt_tokens);
  const output = tokens(usage?.completion_tokens);
  const cached = tokens(usage?.prompt_tokens_details?.cached_tokens) ?? 0;
  if (input === null || output === null || cached > input) return null;
  const reasoning = tokens(usage?.completion_tokens_details?.reasoning_tokens) ?? 0;
  return {
    input_tokens: input,
    cached_tokens: cached,
    written_tokens: 0,
    output_tokens: output,
    ...(reasoning > 0 && { reasoning_tokens: reasoning }),
  };
}

/** How likely each token was, and which others were; null if the server did not say. */
function logprobsOf(choice: OpenAI.Chat.ChatCompletion.Choice): TokenLogprob[] | null {
  const content = choice.logprobs?.content;
  if (!Array.isArray(content)) return null;
  const one = ({ token, logprob }: { token: string; logprob: number }) => ({ token, logprob });
  return content.map((item) => ({ ...one(item), top: (item.top_logprobs ?? []).map(one) }));
}
