import type { OpenAI } from 'openai';
import { type ProviderAnswer, ProviderError, type ProviderRequest } from '../provider.ts';
import { textVector, vectorText } from '../vector-text.ts';
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
    vectors[index] = vectorTextOf(item?.embedding) ?? undefined;
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

/** Numbers as the text of a vector; null if they are none, or not finite. */
function vectorTextOf(given: unknown): string | null {
  const numbers = Array.isArray(given)
    ? Float32Array.from(given as number[])
    : typeof given === 'string'
      ? textVector(given)
      : undefined;
  if (numbers === undefined || numbers.length === 0 || !numbers.every(Number.isFinite)) return null;
  return vectorText(numbers);
}
