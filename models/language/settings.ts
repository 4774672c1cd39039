import type { Json, JsonObject } from '../../engine/json.ts';
import { isLanguageModel, type Sampling } from '../../engine/language-model.ts';
import type { Price } from './catalogue.ts';

export const providerNames = ['openai', 'anthropic', 'openrouter', 'local', 'command', 'replay'] as const;
export type ProviderName = (typeof providerNames)[number];

/** An alias of a workflow's `models`, or one of its fallbacks, with everything in its place. */
export interface ModelSettings {
  readonly provider: ProviderName;
  /** The model as the provider calls it; of `replay` whose answers count, empty for all. */
  readonly model: string;
  readonly base_url: string | undefined;
  /** True where the provider's own servers answer: only they are given its usual key, and have its list's prices. */
  readonly hosted: boolean;
  /** Whatever else should count in what answers are filed under. */
  readonly revision: string | undefined;
  readonly sampling: Sampling;
  /** The environment variable with the key; null where none is sent. */
  readonly keyName: string | null;
  /** Which of its ways to be asked OpenAI's format has. */
  readonly api: 'chat' | 'responses';
  /** How the provider is asked for JSON: by its schema, by JSON mode, or in words only. */
  readonly json: 'schema' | 'object' | 'prompt';
  /** A program and its arguments, or one line for the shell; empty where none is named. */
  readonly command: readonly string[] | string;
  /** Of `replay` the file with the answers, of `local` the GGUF file; relative to the root. */
  readonly path: string | undefined;
  /** Of `local`: a Jinja chat template, relative to the root, instead of the one in the file. */
  readonly template: string | undefined;
  /** Of `local`: what it is computed on; `auto`: a graphics card if there is one. */
  readonly device: 'auto' | 'cpu' | 'gpu';
  /** Of `local`: where the file may be had, and what it must come to. */
  readonly url: string | undefined;
  readonly sha256: string | undefined;
  /** Of `local`: threads on the processor; as many as it has cores if not given. */
  readonly threads: number | undefined;
  readonly price: Price | undefined;
  /** Tokens that a request and its answer may have together, where the catalogue does not know it. */
  readonly context: number | undefined;
  /** ISO codes of languages that it is good at, where the alias says so. */
  readonly languages: readonly string[] | undefined;
  /** tokenizer.json of the model, relative to the root. */
  readonly tokenizer: string | undefined;
  /** The answer comes in pieces, as it is written. */
  readonly stream: boolean;
  /** Requests are gathered, and given to the provider as a batch; null where each is asked for itself. */
  readonly batch: BatchSettings | null;
  readonly limits: Limits;
  readonly fallback: readonly ModelSettings[];
}

export interface BatchSettings {
  /** Milliseconds between two looks at a batch. */
  readonly pollMs: number;
  /** Requests of one batch, at most; what the provider takes if not given. */
  readonly maxRequests: number | undefined;
}

/** How hard a model may be pressed; none of it changes an answer. */
export interface Limits {
  /** Requests at once, at most. Without it the number that the server bears is looked for. */
  readonly concurrency: number | undefined;
  readonly requests_per_minute: number | undefined;
  readonly tokens_per_minute: number | undefined;
  /** Milliseconds that one try may take. */
  readonly timeoutMs: number;
  /** Tries after the first. */
  readonly retries: number;
}

const usualKeys: { readonly [provider in ProviderName]?: string } = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  openrouter: 'OPENROUTER_API_KEY',
};
/** Where the providers' own servers are, or under a name before it (`eu.api.openai.com`). */
const ownHosts: { readonly [provider in ProviderName]?: string } = {
  openai: 'api.openai.com',
  anthropic: 'api.anthropic.com',
  openrouter: 'openrouter.ai',
};
/** Variables with keys that programs of the providers read by themselves. */
const foundKeys = ['OPENAI_ADMIN_KEY', 'ANTHROPIC_AUTH_TOKEN'];
const openrouterUrl = 'https://openrouter.ai/api/v1';

/**
 * What is shorter is no key, but a word for a server that wants none (`none`, `EMPTY`): taken out of all that is written,
 * it would tear names and rows apart.
 */
export const shortestKey = 8;

/** The variables that hold the keys of a workflow's models, fallbacks included. */
export function keyNames(aliases: Readonly<Record<string, JsonObject>>): string[] {
  const all = Object.values(aliases)
    .filter((alias) => isLanguageModel(alias) && alias['route'] === undefined)
    .map(readSettings)
    .flatMap((settings) => [settings, ...settings.fallback]);
  return [...new Set(all.flatMap(({ keyName }) => keyName ?? []))];
}

/** The variables that are kept from programs: those of a workflow's models, and the usual ones whatever it names. */
export function secretNames(aliases: Readonly<Record<string, JsonObject>>): string[] {
  return [...new Set([...keyNames(aliases), ...Object.values(usualKeys), ...foundKeys])];
}

/** Reads an alias that its schema has been checked against. */
export function readSettings(alias: JsonObject): ModelSettings {
  const provider = alias['provider'] as ProviderName;
  const text = (name: string) => alias[name] as string | undefined;
  const number = (name: string) => alias[name] as number | undefined;
  const command = alias['command'] as string | string[] | undefined;
  const base_url = text('base_url') ?? (provider === 'openrouter' ? openrouterUrl : undefined);
  const hosted = isOwnServer(provider, text('base_url'));
  const keyName = text('api_key_env') ?? (hosted ? usualKeys[provider] : undefined) ?? null;
  return {
    provider,
    model: text('model') ?? (provider === 'local' ? text('path')! : [command ?? []].flat().join(' ')),
    base_url,
    hosted,
    revision: text('revision'),
    sampling: definedOnly({
      temperature: number('temperature'),
      top_p: number('top_p'),
      max_tokens: number('max_tokens'),
      stop: alias['stop'] as string[] | undefined,
      seed: number('seed'),
    }),
    keyName,
    api: (alias['api'] as ModelSettings['api'] | undefined) ?? 'chat',
    json: (alias['json'] as ModelSettings['json'] | undefined) ?? 'schema',
    command: command ?? [],
    path: text('path'),
    template: text('template'),
    device: (alias['device'] as ModelSettings['device'] | undefined) ?? 'auto',
    url: text('url'),
    sha256: text('sha256'),
    threads: number('threads'),
    price: alias['price'] as unknown as Price | undefined,
    context: number('context'),
    languages: alias['languages'] as string[] | undefined,
    tokenizer: text('tokenizer'),
    stream: alias['stream'] === true,
    batch: batchSettings(alias['batch']),
    limits: {
      // One context answers one request.
      concurrency: provider === 'local' ? 1 : number('concurrency'),
      requests_per_minute: number('requests_per_minute'),
      tokens_per_minute: number('tokens_per_minute'),
      timeoutMs: (number('request_timeout') ?? 120) * 1000,
      retries: number('retries') ?? 4,
    },
    fallback: ((alias['fallback'] ?? []) as JsonObject[]).map(readSettings),
  };
}

function batchSettings(given: Json | undefined): BatchSettings | null {
  if (given === undefined || given === null || given === false) return null;
  const { poll, max_requests } = (given === true ? {} : given) as { poll?: number; max_requests?: number };
  return { pollMs: (poll ?? 60) * 1000, maxRequests: max_requests };
}

/** A key goes nowhere else, unless the user says so: an address may be anybody's. */
export function isOwnServer(provider: ProviderName, address: string | undefined): boolean {
  if (address === undefined) return true;
  const own = ownHosts[provider];
  if (own === undefined || !URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' && (hostname === own || hostname.endsWith(`.${own}`));
}

/** What answers of a model are filed under, beside the request. Two programs may be given the same name of a model. */
export function modelIdentity({
  provider,
  base_url,
  model,
  command,
  revision,
  path,
  api,
}: ModelSettings): JsonObject {
  const program = command.length > 0 ? command : undefined;
  return definedOnly({
    provider,
    base_url,
    model,
    command: program,
    revision,
    path,
    api: api === 'chat' ? undefined : api,
  }) as unknown as JsonObject;
}

/** A model's name in records and messages: `openai/gpt-5-mini`. */
export function shownModel({ provider, model, path }: ModelSettings): string {
  return `${provider}/${model || path || ''}`;
}

/** The object without members that are undefined. */
export function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}
