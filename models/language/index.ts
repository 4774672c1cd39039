import type { JsonObject } from '../../engine/json.ts';
import { isLanguageModel, type LanguageModel, type LanguageModels } from '../../engine/language-model.ts';
import type { AnswerCache } from './answers.ts';
import type { BatchLog } from './batch.ts';
import { Budget, type BudgetLimits } from './budget.ts';
import { type Catalogue, catalogueOf } from './catalogue.ts';
import { Endpoint, type Surroundings } from './endpoint.ts';
import { type Line, Model, type Shared } from './model.ts';
import { OutputChecks } from './output.ts';
import { type Choice, type Condition, isRoute, readRoute, routeOf } from './route.ts';
import { type ModelSettings, readSettings, secretNames, shortestKey } from './settings.ts';
import { Underway } from './underway.ts';

export interface LanguageModelOptions {
  /** The project's root. */
  root: string;
  /** The `models` section of a workflow. */
  aliases: Readonly<Record<string, JsonObject>>;
  /** The value of an environment variable that holds a key. */
  secret(name: string): string | undefined;
  /** Whether that value must stand nowhere; if not given, by its length. */
  isSecret?(name: string): boolean;
  /** Null: every request is made anew. */
  answers: AnswerCache | null;
  /** Where batches are noted. Without it each request is asked for itself, whatever a model says. */
  batches?: BatchLog | null;
  /** Prices and sizes of hosted models; the list that comes with the product if not given. */
  catalogue?: Catalogue;
  /** What may be spent, altogether. */
  budget?: BudgetLimits | undefined;
  /** Reads the CEL conditions of routes. */
  condition?: Condition;
  /** Digest of a file by its path from the root; null if it cannot be read. */
  fileDigest?(path: string): Promise<string | null>;
  /** Only known answers are given, those of replays included: nothing is asked. */
  offline?: boolean;
}

/** The language models of a workflow. Nothing is loaded or opened before the first request that is not known. */
export function createLanguageModels(options: LanguageModelOptions): LanguageModels {
  const { root, aliases, answers, budget } = options;
  const around: Surroundings = {
    root,
    secret: options.secret,
    isSecret: options.isSecret ?? ((name) => (options.secret(name)?.length ?? 0) >= shortestKey),
    secretNames: secretNames(aliases),
    checks: new OutputChecks(),
    catalogue: options.catalogue ?? catalogueOf(),
    budget: budget === undefined ? null : new Budget(budget),
    batches: options.batches ?? null,
    fileDigest: options.fileDigest ?? (async () => null),
  };
  const shared: Shared = { answers, offline: options.offline === true, underway: new Underway() };
  const lines = new Map<string, Line>();
  for (const [alias, written] of Object.entries(aliases))
    if (isLanguageModel(written) && !isRoute(written))
      lines.set(alias, chainOf(readSettings(written), around));
  for (const [alias, written] of Object.entries(aliases))
    if (isRoute(written)) lines.set(alias, routeOf(readRoute(written), lines, options.condition));
  const models = new Map<string, LanguageModel>();
  for (const [alias, line] of lines) models.set(alias, new Model(alias, line, shared));
  return { names: [...models.keys()], find: (alias) => models.get(alias) };
}

/** A model and its fallbacks: always in this order. */
function chainOf(settings: ModelSettings, around: Surroundings): Line {
  const endpoints = [settings, ...settings.fallback].map((each) => new Endpoint(each, around));
  const [own] = endpoints;
  const { sampling, json } = settings;
  const choice: Choice = { order: endpoints, alike: endpoints.length, route: null };
  return {
    identity: {
      ...own!.identity,
      sampling: { ...sampling } as JsonObject,
      ...(json !== 'schema' && { json }),
    },
    asked: own!.shown,
    tokens: own!.tokens,
    endpoints,
    rowFields: [],
    choose: async () => choice,
  };
}
