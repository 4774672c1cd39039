import type OpenAI from 'openai';
import type { Message } from '../../../engine/language-model.ts';
import { type Provider, type ProviderAnswer, ProviderError, type ProviderRequest } from '../provider.ts';
import { fromSdk, rateLimits, tokens } from './http-errors.ts';
import type { ProviderOptions } from './index.ts';

type Body = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

/** OpenAI's chat completions, and every server that speaks the same format (`base_url`). */
export async function openProvider(options: ProviderOptions): Promise<Provider> {
  const { OpenAI: Client } = await import('openai');
  const { settings, key, keyName } = options;
  const client = new Client({
    // Servers of one's own need no key, but the SDK does.
    apiKey: key ?? 'none',
    // Said in any case: the SDK would take it from OPENAI_BASE_URL, and answers would be filed under another's name.
    baseURL: settings.base_url ?? 'https://api.openai.com/v1',
    maxRetries: 0,
    // The time limit is the caller's.
    timeout: 2 ** 31 - 1,
    logLevel: 'off',
  });
  return {
    async ask(request, signal) {
      try {
        const { data, response } = await client.chat.completions
          .create(bodyOf(request, options), { signal })
          .withResponse();
        return answerOf(data, response.headers);
      } catch (error) {
        signal.throwIfAborted();
        throw fromSdk(error, keyName);
      }
    },
  };
}

function bodyOf({ model, messages, sampling, schema }: ProviderRequest, { settings }: ProviderOptions): Body {
  const { max_tokens, temperature, top_p, stop, seed } = sampling;
  const body: Body = { model, messages: messages.map(messageOf) };
  if (temperature !== undefined) body.temperature = temperature;
  if (top_p !== undefined) body.top_p = top_p;
  if (stop !== undefined) body.stop = [...stop];
  if (seed !== undefined) body.seed = seed;
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

/** OpenAI holds an answer to a schema only if every object lists all its members, and no others may be. */
function isStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict);
  if (typeof schema !== 'object' || schema === null) return true;
  const { properties, required, additionalProperties } = schema as Record<string, unknown>;
  if (typeof properties === 'object' && properties !== null) {
    const names = Object.keys(properties);
    const listed = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || !names.every((name) => listed.includes(name))) return false;
  }
  return Object.values(schema).every(isStrict);
}

function answerOf(data: OpenAI.Chat.ChatCompletion, headers: Headers): ProviderAnswer {
  // Servers differ: nothing of the answer is taken for granted.
  const choice = (data as Partial<typeof data> | null)?.choices?.[0];
  const message = choice?.message as Partial<NonNullable<typeof choice>['message']> | undefined;
  if (choice === undefined || message === undefined || message === null)
    throw new ProviderError('unavailable', 'the answer has no choices');
  const refusal = message.refusal ?? null;
  const refused = refusal !== null || choice.finish_reason === 'content_filter';
  if (!refused && typeof message.content !== 'string')
    throw new ProviderError('unavailable', 'the answer has no text');
  const { usage } = data;
  const input = tokens(usage?.prompt_tokens);
  const output = tokens(usage?.completion_tokens);
  const cached = tokens(usage?.prompt_tokens_details?.cached_tokens) ?? 0;
  const billed = (usage as { cost?: unknown } | undefined)?.cost;
  return {
    text: refusal ?? message.content ?? '',
    finish: refused ? 'refused' : choice.finish_reason === 'length' ? 'length' : 'stop',
    usage:
      input === null || output === null || cached > input
        ? null
        : { input_tokens: input, cached_tokens: cached, written_tokens: 0, output_tokens: output },
    served: typeof data.model === 'string' && data.model !== '' ? data.model : null,
    billed: typeof billed === 'number' && billed >= 0 ? billed : null,
    limits: rateLimits(headers),
  };
}
