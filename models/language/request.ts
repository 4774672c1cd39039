import { hash } from 'node:crypto';
import type { Json, JsonObject } from '../../engine/json.ts';
import type { LanguageRequest, Message, Sampling } from '../../engine/language-model.ts';
import { definedOnly, type ModelSettings } from './settings.ts';

/** A request with everything that counts filled in: the alias's sampling under the request's own. */
export interface FullRequest {
  readonly messages: readonly Message[];
  readonly sampling: Sampling;
  readonly schema: JsonObject | null;
  readonly sample: number;
  /** A vector is wanted, not words. */
  readonly embedding: { readonly dimensions: number | null } | null;
}

export function fullRequest(request: LanguageRequest, defaults: Sampling): FullRequest {
  const { messages, schema, sample = 0, temperature, top_p, max_tokens, stop, seed, top_logprobs } = request;
  const { embedding = null } = request;
  // Nothing is drawn, and nothing has an end.
  if (embedding !== null) return { messages, sampling: {}, schema: null, sample: 0, embedding };
  const own = definedOnly({ temperature, top_p, max_tokens, stop, seed, top_logprobs });
  return { messages, sampling: { ...defaults, ...own }, schema: schema ?? null, sample, embedding };
}

/** Its messages; where the provider is not held to a schema, the model is told of it. */
export function inWords(
  { messages, schema }: FullRequest,
  { json, provider }: Pick<ModelSettings, 'json' | 'provider'>,
): readonly Message[] {
  // A grammar holds a model to the form, and tells it nothing of what is meant.
  const knowsSchema = json === 'schema' && provider !== 'command' && provider !== 'local';
  if (schema === null || knowsSchema) return messages;
  return [
    {
      role: 'system',
      content: `Answer with JSON only. It must fit this JSON Schema:\n${JSON.stringify(schema)}`,
    },
    ...messages,
  ];
}

/** Each of several answers to one request has a seed of its own: with the same one they would be copies. */
export function ofSample(sampling: Sampling, sample: number): Sampling {
  return sampling.seed === undefined ? sampling : { ...sampling, seed: sampling.seed + sample };
}

/**
 * Names a request by what is asked and how the answer is drawn. Attachments count by their bytes, in the messages. Members
 * of a schema count in their order: models write them in it, and reason before a score is another answer than after it.
 * No code counts: a mended parser asks nothing again.
 */
export function requestDigest({
  messages,
  sampling,
  schema,
  sample,
  embedding,
}: FullRequest): `sha256:${string}` {
  const counted = {
    messages: sorted(messages as unknown as Json),
    sample,
    sampling: sorted(sampling as unknown as Json),
    schema,
    ...(embedding !== null && { embedding }),
  };
  return `sha256:${hash('sha256', JSON.stringify(counted))}`;
}

/**
 * Names a request within a batch, in 64 letters and digits: what is asked of whom, and the how manieth try at a whole
 * answer it is.
 */
export function batchKey(filedUnder: JsonObject, request: FullRequest, turn: number): string {
  return hash('sha256', `${sourceOf(filedUnder)} ${requestDigest(request)} ${turn}`);
}

/** Names what answers are filed under beside the request. */
export function sourceOf(filedUnder: JsonObject): `sha256:${string}` {
  return `sha256:${hash('sha256', JSON.stringify(sorted(filedUnder)))}`;
}

/** The value with the members of its objects in the order of their names. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sorted(value[name]!)]));
}
