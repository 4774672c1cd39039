import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isLanguageModel } from '../engine/language-model.ts';
import { readSecrets } from '../engine/secrets.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';
import type { Catalogue, Price } from '../models/language/catalogue.ts';
import { isRoute } from '../models/language/route.ts';
import { readSettings } from '../models/language/settings.ts';
import type { Cli } from './command.ts';
import { columns, count } from './format.ts';

/** A language model that a workflow names. */
export interface ListedAlias {
  alias: string;
  provider: string;
  model: string;
  base_url: string | null;
  /** US dollars for a million tokens; null if not known. */
  price: Price | null;
  /** Of a model in a file: where it lies, and its bytes; null where it is not there. */
  file: { path: string; bytes: number | null } | null;
  /** The variable with the key, and whether it is set; null where none is needed. */
  key: { name: string; set: boolean } | null;
}

export function listedAliases(workflow: ResolvedWorkflow, catalogue: Catalogue): ListedAlias[] {
  return Object.entries(workflow.models)
    .filter(([, settings]) => isLanguageModel(settings) && !isRoute(settings))
    .map(([alias, written]) => {
      const settings = readSettings(written);
      const { provider, model, base_url = null, keyName, hosted } = settings;
      const secrets = keyName === null ? {} : readSecrets({ ...workflow, secrets: [keyName] }, process.env);
      return {
        alias,
        provider,
        model: model || settings.path || '',
        base_url,
        price: settings.price ?? (hosted ? catalogue.find(provider, model) : undefined) ?? null,
        file:
          provider === 'local'
            ? { path: settings.path!, bytes: sizeOf(workflow.root, settings.path!) }
            : null,
        key: keyName !== null ? { name: keyName, set: keyName in secrets } : null,
      };
    });
}

function sizeOf(root: string, path: string): number | null {
  return statSync(resolve(root, path), { throwIfNoEntry: false })?.size ?? null;
}

/** The models that a workflow names, a line each. */
export function aliasTable(aliases: readonly ListedAlias[], cli: Cli): string {
  const head = ['alias', 'provider', 'model', '$ in', '$ out', 'key or file'].map((text) =>
    cli.paint('bold', text),
  );
  const rows = aliases.map(({ alias, provider, model, price, file, key }) => [
    alias,
    provider,
    model,
    price === null ? 'unknown' : String(price.input),
    price === null ? 'unknown' : String(price.output),
    file !== null
      ? file.bytes === null
        ? 'no file'
        : `${count(Math.ceil(file.bytes / 1e6))} MB`
      : key === null
        ? 'not needed'
        : `${key.name} ${key.set ? 'is set' : 'is not set'}`,
  ]);
  return columns([head, ...rows]);
}

/** Prices in US dollars for a million tokens, and sizes. */
export function priceTable(catalogue: Catalogue, cli: Cli): string {
  const head = ['provider', 'model', '$ in', '$ cached', '$ out', 'context', 'as of'].map((text) =>
    cli.paint('bold', text),
  );
  const rows = catalogue.all.map(({ provider, model, input, cached, output, context, date }) => [
    provider,
    model,
    String(input),
    String(cached ?? input),
    String(output),
    context === undefined ? '' : count(context),
    date,
  ]);
  return columns([head, ...rows]);
}
