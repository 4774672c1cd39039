import { Asking } from '../engine/execute/asking.ts';
import type { JsonObject } from '../engine/json.ts';
import type { LanguageModel } from '../engine/language-model.ts';
import type { AskedModel } from '../engine/step.ts';
import { createLanguageModels } from '../models/language/index.ts';
import type { ModelServer } from './model-server.ts';

/** Language models that a server answers for, by alias, as `runStep` takes them. Nothing is cached. */
export function askedModels(
  server: ModelServer,
  aliases: readonly string[],
  settings: JsonObject = {},
): Record<string, AskedModel> {
  const model = (alias: string) => ({
    provider: 'openai',
    base_url: server.url('openai'),
    model: alias,
    retries: 0,
    ...settings,
  });
  const models = createLanguageModels({
    root: process.cwd(),
    aliases: Object.fromEntries(aliases.map((alias) => [alias, model(alias)])),
    secret: () => undefined,
    answers: null,
  });
  const asking = new Asking({
    step: 'asks',
    models: new Map(aliases.map((alias) => [alias, models.find(alias) as LanguageModel])),
    signal: new AbortController().signal,
    notify: () => {},
  });
  return Object.fromEntries(aliases.map((alias) => [alias, asking.model(alias)!]));
}
