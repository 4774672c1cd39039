import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { suggestion } from '../engine/nearest.ts';
import { ProblemError } from '../engine/problems.ts';
import type { Leases } from '../engine/store/leases.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import { DownloadError, digestOf, download } from '../models/download.ts';
import { type ModelSettings, readSettings } from '../models/language/settings.ts';
import type { Cli } from './command.ts';
import { columns, count } from './format.ts';

/** What `models pull` came to for a file. */
export interface Pulled {
  alias: string;
  path: string;
  /** `there`: it was, with the digest that is wanted, if one is. */
  state: 'downloaded' | 'there' | 'failed';
  bytes: number | null;
  sha256: string | null;
  error: string | null;
}

type Workflow = Pick<ResolvedWorkflow, 'models' | 'root'>;
type Wanted = ModelSettings & { alias: string };

/** Models of a workflow in files that have an address, fallbacks included. */
function wanted({ models }: Workflow): Wanted[] {
  return Object.entries(models)
    .filter(([, model]) => model['provider'] !== undefined)
    .flatMap(([alias, model]) => {
      const settings = readSettings(model);
      return [settings, ...settings.fallback].map((each) => ({ ...each, alias }));
    })
    .filter(({ provider, path, url }) => provider === 'local' && path !== undefined && url !== undefined);
}

/** Downloads the files that are not there, one after the other, each by one process at a time. `names`: aliases; all if empty. */
export async function pullModels(
  workflow: Workflow,
  names: readonly string[],
  leases: Leases,
  cli: Cli,
): Promise<Pulled[]> {
  const all = wanted(workflow);
  const known = all.map(({ alias }) => alias);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw ProblemError.of('unknown-model', `no model "${unknown}" of the workflow has a url`, {
      hint: suggestion(unknown, known, 'those that have one') ?? 'write url: beside path: of a local model',
    });
  const pulled: Pulled[] = [];
  for (const model of all) {
    if (names.length > 0 && !names.includes(model.alias)) continue;
    const file = resolve(workflow.root, model.path ?? '');
    const lease = await leases.acquire(`file:${file}`, {
      signal: cli.signal,
      onWait: ({ pid }) => cli.err(`${model.path}  waits for process ${pid}, which downloads it\n`),
    });
    try {
      pulled.push(await pullOne(model, file, cli));
    } finally {
      lease.release();
    }
  }
  return pulled;
}

async function pullOne(
  { alias, path = '', url = '', sha256 }: Wanted,
  file: string,
  cli: Cli,
): Promise<Pulled> {
  const failed = (error: string): Pulled => ({
    alias,
    path,
    state: 'failed',
    bytes: null,
    sha256: null,
    error,
  });
  if (existsSync(file)) {
    const found = sha256 === undefined ? null : await digestOf(file);
    return found === null || found === sha256?.toLowerCase()
      ? { alias, path, state: 'there', bytes: null, sha256: found, error: null }
      : failed(`it has sha256 ${found}, and ${sha256?.toLowerCase()} is wanted: move it away`);
  }
  try {
    const done = await download({ url, file, sha256, signal: cli.signal, onProgress: progress(path, cli) });
    return { alias, path, state: 'downloaded', ...done, error: null };
  } catch (error) {
    cli.signal.throwIfAborted();
    if (!(error instanceof DownloadError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
    return failed((error as Error).message);
  }
}

/** Says how far it is, at each tenth. */
function progress(path: string, cli: Cli): (done: number, total: number | null) => void {
  let told = 0;
  return (done, total) => {
    const tenth = total === null ? 0 : Math.floor((10 * done) / total);
    if (tenth <= told || total === null) return;
    told = tenth;
    cli.err(`${path}  ${count(Math.round(done / 1e6))} of ${count(Math.round(total / 1e6))} MB\n`);
  };
}

/** A line for each file. */
export function pulledTable(pulled: readonly Pulled[], cli: Cli): string {
  return columns(
    pulled.map(({ alias, path, state, bytes, sha256, error }) => [
      state === 'failed' ? cli.paint('red', '✖') : cli.paint('green', '✔'),
      alias,
      path,
      error ??
        (state === 'there' ? 'is there' : `${count(Math.ceil((bytes ?? 0) / 1e6))} MB, sha256 ${sha256}`),
    ]),
  );
}
