import type Anthropic from '@anthropic-ai/sdk';
import type { Message } from '../../../engine/language-model.ts';
import {
  anthropicMaxTokens,
  type Provider,
  type ProviderAnswer,
  ProviderError,
  type ProviderRequest,
  type ProviderUsage,
} from '../provider.ts';
import { foreignClient } from './foreign.ts';
import { fromSdk, rateLimits, tokens } from './http-errors.ts';
import type { ProviderOptions } from './index.ts';

/** JSON comes as the input of a tool that the model must use. */
const tool = 'answer';

/** Anthropic's messages. There is no seed. */
export async function openProvider({ settings, key, keyName }: ProviderOptions): Promise<Provider> {
  const { Anthropic: Client } = await import('@anthropic-ai/sdk');
  const fixed = {
    // Said in any case: the SDK would take it from ANTHROPIC_BASE_URL, and answers would be filed under another's name.
    baseURL: settings.base_url ?? 'https://api.anthropic.com',
    maxRetries: 0,
    timeout: 2 ** 31 - 1,
    logLevel: 'off',
  } as const;
  const client = settings.hosted
    ? new Client({ ...fixed, apiKey: key ?? 'none' })
    : foreignClient('ANTHROPIC_', key, (given) => new Client({ ...fixed, ...given }));
  const way = { body: bodyOf, answer: answerOf };
  return {
    ...(settings.batch && {
      batches: (await import('./anthropic-batches.ts')).anthropicBatches(client, keyName, way),
    }),
    async ask(request, signal) {
      try {
        const body = bodyOf(request);
        if (settings.stream) {
          const { data, response } = await client.messages
            .create({ ...body, stream: true }, { signal })
            .withResponse();
          return answerOf(await joined(data, request.onText), response.headers);
        }
        const { data, response } = await client.messages.create(body, { signal }).withResponse();
        return answerOf(data, response.headers);
      } catch (error) {
        signal.throwIfAborted();
        throw fromSdk(error, keyName);
      }
    },
  };
}

/** The answer that events make. A stream that ends before its answer does is none. */
async function joined(
  events: AsyncIterable<Anthropic.RawMessageStreamEvent>,
  onText: ((text: string) => void) | undefined,
): Promise<Anthropic.Message> {
  let message: Partial<Anthropic.Message> = {};
  let text = '';
  let json = '';
  let tool: string | null = null;
  let ended = false;
  for await (const event of events) {
    if (event.type === 'message_start') message = event.message;
    if (event.type === 'content_block_start' && event.content_block.type === 'tool_use')
      tool = event.content_block.name;
    if (event.type === 'content_block_delta') {
      if (event.delta.type === 'text_delta') text += event.delta.text;
      if (event.delta.type === 'input_json_delta') json += event.delta.partial_json;
      onText?.(tool === null ? text : json);
    }
    if (event.type === 'message_delta') {
      const { stop_reason } = event.delta;
      message = { ...message, stop_reason, usage: { ...message.usage!, ...event.usage } as Anthropic.Usage };
    }
    if (event.type === 'message_stop') ended = true;
  }
  if (!ended) throw new ProviderError('unavailable', 'the answer broke off');
  const used = tool === null ? [] : [{ type: 'tool_use', id: '', name: tool, input: inputOf(json) }];
  const content = [...(text === '' ? [] : [{ type: 'text', text }]), ...used];
  return { ...message, content } as unknown as Anthropic.Message;
}

/** What is no JSON, since it was cut off, is told apart by why the answer ended. */
function inputOf(json: string): unknown {
  try {
    return JSON.parse(json === '' ? '{}' : json);
  } catch {
    return json;
  }
}

function bodyOf({
  model,
  messages,
  sampling,
  schema,
}: ProviderRequest): Anthropic.MessageCreateParamsNonStreaming {
  const { max_tokens, temperature, top_p, stop } = sampling;
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  return {
    model,
    max_tokens: max_tokens ?? anthropicMaxTokens,
    messages: messages.filter(({ role }) => role !== 'system').map(messageOf),
    // What all rows share is read from the provider's cache at a tenth of the price, where it is long enough.
    ...(system.length > 0 && {
      system: [{ type: 'text', text: system.join('\n\n'), cache_control: { type: 'ephemeral' } }],
    }),
    ...(temperature !== undefined && { temperature }),
    ...(top_p !== undefined && { top_p }),
    ...(stop !== undefined && { stop_sequences: [...stop] }),
    ...(schema !== null && {
      tools: [
        {
          name: tool,
          description: 'Gives the answer.',
          input_schema: schema as unknown as Anthropic.Tool.InputSchema,
        },
      ],
      tool_choice: { type: 'tool', name: tool },
    }),
  };
}

function messageOf({ role, content, images = [] }: Message): Anthropic.MessageParam {
  const speaker = role === 'assistant' ? 'assistant' : 'user';
  if (images.length === 0) return { role: speaker, content };
  return {
    role: speaker,
    content: [
      ...images.map(({ media_type, base64 }) => ({
        type: 'image' as const,
        source: { type: 'base64' as const, media_type: media_type as 'image/png', data: base64 },
      })),
      { type: 'text', text: content },
    ],
  };
}

function answerOf(data: Anthropic.Message, headers: Headers): ProviderAnswer {
  const usage = usageOf(data);
  const content = (data as Partial<typeof data> | null)?.content;
  if (!Array.isArray(content)) throw new ProviderError('unavailable', 'the answer has no content', { usage });
  const used = content.find((block) => block.type === 'tool_use');
  const text = content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('');
  const refused = data.stop_reason === 'refusal';
  const cut = data.stop_reason === 'max_tokens' || data.stop_reason === 'model_context_window_exceeded';
  return {
    text: used === undefined ? text : JSON.stringify(used.input),
    finish: refused ? 'refused' : cut ? 'length' : 'stop',
    usage,
    served: typeof data.model === 'string' && data.model !== '' ? data.model : null,
    billed: null,
    limits: rateLimits(headers),
    logprobs: null,
  };
}

/** Tokens of the cache are counted beside the others here, and among them everywhere else. */
function usageOf(data: Anthropic.Message): ProviderUsage | null {
  const usage = (data as Partial<typeof data> | null)?.usage;
  const fresh = tokens(usage?.input_tokens);
  const output = tokens(usage?.output_tokens);
  if (fresh === null || output === null) return null;
  const read = tokens(usage?.cache_read_input_tokens) ?? 0;
  const written = tokens(usage?.cache_creation_input_tokens) ?? 0;
  return {
    input_tokens: fresh + read + written,
    cached_tokens: read,
    written_tokens: written,
    output_tokens: output,
  };
}
