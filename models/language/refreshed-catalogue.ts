import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ListedModel } from './catalogue.ts';

/**
 * LiteLLM's list of models (MIT), which is kept up to date from the providers' pages: prices in dollars for a token,
 * sizes, and who serves them.
 */
export const usualSource =
  'https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json';

/** How long a catalogue that was fetched is taken for current. */
export const freshMs = 24 * 3_600_000;

/** A catalogue that was fetched, as it is kept. */
export interface RefreshedCatalogue {
  readonly source: string;
  /** ISO 8601, UTC. */
  readonly fetched: string;
  readonly models: readonly Omit<ListedModel, 'source' | 'date'>[];
}

/** The catalogue that was fetched last; null if there is none, or none that can be read. */
export function readRefreshed(file: string): RefreshedCatalogue | null {
  try {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Partial<RefreshedCatalogue>;
    const whole = typeof read.source === 'string' && !Number.isNaN(Date.parse(`${read.fetched}`));
    return whole && Array.isArray(read.models) ? (read as RefreshedCatalogue) : null;
  } catch {
    return null;
  }
}

/** Its entries, each with where and when it was read. */
export function entriesOf(refreshed: RefreshedCatalogue | null): ListedModel[] {
  if (refreshed === null) return [];
  const { source, fetched, models } = refreshed;
  return models.map((model) => ({ ...model, source, date: fetched.slice(0, 10) }));
}

/** Puts a catalogue in its place, whole or not at all. */
export function writeRefreshed(file: string, refreshed: RefreshedCatalogue): void {
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(refreshed));
  renameSync(partial, file);
}

interface LiteLlmEntry {
  litellm_provider?: unknown;
  mode?: unknown;
  input_cost_per_token?: unknown;
  output_cost_per_token?: unknown;
  input_cost_per_token_batches?: unknown;
  output_cost_per_token_batches?: unknown;
  cache_read_input_token_cost?: unknown;
  cache_creation_input_token_cost?: unknown;
  max_input_tokens?: unknown;
}

const providers = new Set(['openai', 'anthropic', 'openrouter']);

/**
 * Models of a list in LiteLLM's format that providers of ours serve and that have a price. Null if the text is no such
 * list.
 */
export function parseLiteLlm(text: string): RefreshedCatalogue['models'] | null {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof list !== 'object' || list === null || Array.isArray(list)) return null;
  const models = Object.entries(list).flatMap(([name, value]) => {
    const entry = (value ?? {}) as LiteLlmEntry;
    const provider = entry.litellm_provider;
    const input = perMillion(entry.input_cost_per_token);
    const output = perMillion(entry.output_cost_per_token);
    if (typeof provider !== 'string' || !providers.has(provider) || entry.mode !== 'chat') return [];
    if (input === null || output === null) return [];
    const cached = perMillion(entry.cache_read_input_token_cost);
    const written = perMillion(entry.cache_creation_input_token_cost);
    const context = entry.max_input_tokens;
    const batchInput = perMillion(entry.input_cost_per_token_batches);
    const batchOutput = perMillion(entry.output_cost_per_token_batches);
    return [
      {
        provider,
        model: name.startsWith(`${provider}/`) ? name.slice(provider.length + 1) : name,
        input,
        ...(cached !== null && { cached }),
        ...(written !== null && { written }),
        output,
        ...(batchInput !== null &&
          batchOutput !== null && { batch: { input: batchInput, output: batchOutput } }),
        ...(typeof context === 'number' && context > 0 && { context }),
      },
    ];
  });
  return models.length > 0 ? models : null;
}

/** Without the dust of floating point: 2.5e-7 is 0.25. */
function perMillion(price: unknown): number | null {
  return typeof price === 'number' && price >= 0 ? Number((price * 1e6).toPrecision(12)) : null;
}
