import type { JsonObject } from '../../engine/json.ts';
import type { Sampling } from '../../engine/language-model.ts';
import type { Price } from './cost.ts';

export const providerNames = ['openai', 'anthropic', 'openrouter', 'command', 'replay'] as const;
export type ProviderName = (typeof providerNames)[number];

/** An alias of a workflow's `models`, or one of its fallbacks, with everything in its place. */
export interface ModelSettings {
  readonly provider: ProviderName;
  /** The model as the provider calls it; empty for `replay`. */
  readonly model: string;
  readonly base_url: string | undefined;
  /** True where the provider's own servers answer. */
  readonly hosted: boolean;
  /** Whatever else should count in what answers are filed under. */
  readonly revision: string | undefined;
  readonly sampling: Sampling;
  /** The environment variable with the key; null where none is needed. */
  readonly keyName: string | null;
  readonly keyRequired: boolean;
  /** How the provider is asked for JSON: by its schema, by JSON mode, or in words only. */
  readonly json: 'schema' | 'object' | 'prompt';
  readonly command: readonly string[];
  /** Of `replay`: the file with the answers, relative to the root. */
  readonly path: string | undefined;
  readonly price: Price | undefined;
  readonly limits: Limits;
  readonly fallback: readonly ModelSettings[];
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
const openrouterUrl = 'https://openrouter.ai/api/v1';

/** The variables that hold the keys of a workflow's models, fallbacks included. */
export function keyNames(aliases: Readonly<Record<string, JsonObject>>): string[] {
  const all = Object.values(aliases)
    .filter(isLanguageModel)
    .map(readSettings)
    .flatMap((settings) => [settings, ...settings.fallback]);
  return [...new Set(all.flatMap(({ keyName }) => keyName ?? []))];
}

/** Whether an entry of `models` is a language model: the others are encoders in a folder. */
export function isLanguageModel(alias: JsonObject): boolean {
  return alias['provider'] !== 'local';
}

/** Reads an alias that its schema has been checked against. */
export function readSettings(alias: JsonObject): ModelSettings {
  const provider = alias['provider'] as ProviderName;
  const text = (name: string) => alias[name] as string | undefined;
  const number = (name: string) => alias[name] as number | undefined;
  const command = alias['command'] as string | string[] | undefined;
  const base_url = text('base_url') ?? (provider === 'openrouter' ? openrouterUrl : undefined);
  const hosted = text('base_url') === undefined;
  const keyName = text('api_key_env') ?? usualKeys[provider] ?? null;
  return {
    provider,
    model: text('model') ?? (command === undefined ? '' : [command].flat().join(' ')),
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
    keyRequired: keyName !== null && (hosted || text('api_key_env') !== undefined),
    json: (alias['json'] as ModelSettings['json'] | undefined) ?? 'schema',
    command: command === undefined ? [] : typeof command === 'string' ? [command] : command,
    path: text('path'),
    price: alias['price'] as unknown as Price | undefined,
    limits: {
      concurrency: number('concurrency'),
      requests_per_minute: number('requests_per_minute'),
      tokens_per_minute: number('tokens_per_minute'),
      timeoutMs: (number('request_timeout') ?? 120) * 1000,
      retries: number('retries') ?? 4,
    },
    fallback: ((alias['fallback'] ?? []) as JsonObject[]).map(readSettings),
  };
}

/** What answers of a model are filed under, beside the request. Two programs may be given the same name of a model. */
export function modelIdentity({
  provider,
  base_url,
  model,
  command,
  revision,
  path,
}: ModelSettings): JsonObject {
  const program = command.length > 0 ? command : undefined;
  return definedOnly({
    provider,
    base_url,
    model,
    command: program,
    revision,
    path,
  }) as unknown as JsonObject;
}

/** The object without members that are undefined. */
export function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}
