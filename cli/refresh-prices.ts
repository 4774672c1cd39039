import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ProblemError } from '../engine/problems.ts';
import type { Workspace } from '../engine/workspace.ts';
import {
  freshMs,
  parseLiteLlm,
  readRefreshed,
  usualSource,
  writeRefreshed,
} from '../models/language/refreshed-catalogue.ts';
import type { Cli } from './command.ts';
import { timeLimit } from './post-json.ts';
import { catalogueFile } from './price-catalogue.ts';

const timeoutMs = 30_000;

/** What `models refresh` came to. `refreshed`: false where the catalogue was young enough. */
export interface Refreshed {
  refreshed: boolean;
  source: string;
  fetched: string;
  models: number;
}

/** Fetches the catalogue of prices, unless there is one of the last 24 hours. ProblemError `prices-not-fetched`. */
export async function refreshPrices(
  workspace: Workspace,
  cli: Cli,
  { from, force }: { from: string | undefined; force: boolean },
): Promise<Refreshed> {
  const file = catalogueFile(workspace);
  const source = from ?? usualSource;
  const last = readRefreshed(file);
  if (!force && last?.source === source && Date.now() - Date.parse(last.fetched) < freshMs)
    return { refreshed: false, source, fetched: last.fetched, models: last.models.length };
  const models = parseLiteLlm(await textOf(source, cli));
  if (models === null)
    throw notFetched(
      source,
      'it is no list of models in the format of LiteLLM, or has none of our providers',
    );
  const fetched = new Date().toISOString();
  writeRefreshed(file, { source, fetched, models });
  return { refreshed: true, source, fetched, models: models.length };
}

async function textOf(source: string, cli: Cli): Promise<string> {
  try {
    if (!/^https?:\/\//.test(source)) return readFileSync(resolve(cli.cwd, source), 'utf8');
    const response = await fetch(source, { signal: AbortSignal.any([timeLimit(timeoutMs), cli.signal]) });
    if (!response.ok) throw new Error(`it answered ${response.status} ${response.statusText}`.trim());
    return await response.text();
  } catch (error) {
    cli.signal.throwIfAborted();
    const { message, cause } = error as Error;
    throw notFetched(source, cause instanceof Error ? `it cannot be reached: ${cause.message}` : message);
  }
}

function notFetched(source: string, reason: string): ProblemError {
  return ProblemError.of('prices-not-fetched', `${source}: ${reason}`, {
    hint: 'the prices stay as they were; --from names another address, or a file',
  });
}
