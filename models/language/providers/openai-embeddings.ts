import type { OpenAI } from 'openai';
import { type ProviderAnswer, ProviderError, type ProviderRequest } from '../provider.ts';
import { dollars, rateLimits, tokens } from './http-errors.ts';

/**
 * Vectors of texts by `POST /v1/embeddings`. They are asked for in base64 (a third of the size of written numbers), and
 * lists of numbers are taken, too: not every server knows base64.
 */
export async function embeddings(
  client: OpenAI,
  { model }: ProviderRequest,
  { texts, dimensions }: NonNullable<ProviderRequest['embedding']>,
  signal: AbortSignal,
): Promise<ProviderAnswer> {
  const body = {
    model,
    input: [...texts],
    encoding_format: 'base64' as const,
    ...(dimensions !== null && { dimensions }),
  };
  const { data, response } = await client.embeddings.create(body, { signal }).withResponse();
  return answerOf(data, response.headers, texts.length);
}

/** Servers differ: nothing of the answer is taken for granted. */
function answerOf(answer: unknown, headers: Headers, texts: number): ProviderAnswer {
  const { data, usage, model } = (answer ?? {}) as {
    data?: { index?: unknown; embedding?: unknown }[];
    usage?: { prompt_tokens?: unknown; cost?: unknown };
    model?: unknown;
  };
  const input = tokens(usage?.prompt_tokens);
  const read =
    input === null ? null : { input_tokens: input, cached_tokens: 0, written_tokens: 0, output_tokens: 0 };
  const billed = dollars(usage?.cost);
  const broken = (why: string) => new ProviderError('unavailable', why, { usage: read, billed });
  if (!Array.isArray(data)) throw broken('the answer has no data');
  const vectors = new Array<string | undefined>(texts).fill(undefined);
  for (const [place, item] of data.entries()) {
    const index = typeof item?.index === 'number' ? item.index : place;
    if (!(index in vectors))
      throw broken(`the answer has a vector of a text ${index} that was not asked for`);
    vectors[index] = base64Of(item?.embedding) ?? undefined;
  }
  const missing = vectors.indexOf(undefined);
  if (missing >= 0) throw broken(`the answer has no vector of finite numbers for text ${missing + 1}`);
  const [length] = vectors.map((vector) => vector?.length);
  if (vectors.some((vector) => vector?.length !== length))
    throw broken('the answer has vectors of different lengths');
  return {
    text: '',
    vectors: vectors as string[],
    finish: 'stop',
    usage: read,
    served: typeof model === 'string' && model !== '' ? model : null,
    billed,
    limits: rateLimits(headers),
    logprobs: null,
  };
}

/** Numbers as float32, little-endian, in base64; null if they are none, or not finite. */
function base64Of(given: unknown): string | null {
  const numbers = Array.isArray(given) ? Float32Array.from(given as number[]) : floatsOf(given);
  if (numbers === null || numbers.length === 0 || !numbers.every(Number.isFinite)) return null;
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString('base64');
}

function floatsOf(given: unknown): Float32Array | null {
  if (typeof given !== 'string') return null;
  const bytes = Buffer.from(given, 'base64');
  return bytes.length % 4 === 0 ? new Float32Array(Uint8Array.from(bytes).buffer) : null;
}
