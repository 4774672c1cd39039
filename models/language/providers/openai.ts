import type { OpenAI } from 'openai';
import type { Provider, ProviderAnswer, ProviderRequest } from '../provider.ts';
import { foreignClient } from './foreign.ts';
import { fromSdk } from './http-errors.ts';
import type { ProviderOptions } from './index.ts';

/** One of the ways in which OpenAI's servers are asked. */
export interface OpenAIWay {
  /** Where requests go; lines of a batch name it. */
  readonly path: '/v1/chat/completions' | '/v1/responses';
  /** What is sent for a request, unless it streams. */
  body(request: ProviderRequest, options: ProviderOptions): object;
  /** What came back. A ProviderError where it is no answer. */
  answer(data: unknown, headers: Headers): ProviderAnswer;
  ask(
    client: OpenAI,
    request: ProviderRequest,
    options: ProviderOptions,
    signal: AbortSignal,
  ): Promise<ProviderAnswer>;
}

/** OpenAI's chat completions and responses, and every server that speaks one of these formats (`base_url`). */
export async function openProvider(options: ProviderOptions): Promise<Provider> {
  const { settings, keyName } = options;
  const [{ OpenAI: Client }, way] = await Promise.all([import('openai'), wayOf(settings.api)]);
  const client = clientOf(Client, options);
  return {
    ...(settings.batch && {
      batches: (await import('./openai-batches.ts')).openaiBatches(client, way, options),
    }),
    async ask(request, signal) {
      try {
        if (request.embedding) {
          const { embeddings } = await import('./openai-embeddings.ts');
          return await embeddings(client, request, request.embedding, signal);
        }
        return await way.ask(client, request, options, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw fromSdk(error, keyName);
      }
    },
  };
}

async function wayOf(api: 'chat' | 'responses'): Promise<OpenAIWay> {
  return api === 'chat'
    ? (await import('./openai-chat.ts')).chat
    : (await import('./openai-responses.ts')).responses;
}

function clientOf(Client: typeof OpenAI, { settings, key }: ProviderOptions): OpenAI {
  const fixed = {
    // Said in any case: the SDK would take it from OPENAI_BASE_URL, and answers would be filed under another's name.
    baseURL: settings.base_url ?? 'https://api.openai.com/v1',
    adminAPIKey: null,
    maxRetries: 0,
    // The time limit is the caller's.
    timeout: 2 ** 31 - 1,
    logLevel: 'off',
  } as const;
  const own = settings.hosted && settings.provider === 'openai';
  return own
    ? new Client({ ...fixed, apiKey: key ?? 'none' })
    : foreignClient('OPENAI_', key, (given) => new Client({ ...fixed, ...given }));
}
