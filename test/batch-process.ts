import { onTestFinished } from 'vitest';
import type { JsonObject } from '../engine/json.ts';
import type { AskResult, BatchState, LanguageRequest } from '../engine/language-model.ts';
import { Caches } from '../engine/store/caches.ts';
import { answerCache } from '../models/language/answers.ts';
import type { BudgetLimits } from '../models/language/budget.ts';
import { createLanguageModels } from '../models/language/index.ts';
import { ModelServer, type ModelServerOptions } from './model-server.ts';

export const ways = {
  openai: (server: ModelServer): JsonObject => ({ provider: 'openai', base_url: server.url('openai') }),
  responses: (server: ModelServer): JsonObject => ({
    provider: 'openai',
    api: 'responses',
    base_url: server.url('openai'),
  }),
  anthropic: (server: ModelServer): JsonObject => ({
    provider: 'anthropic',
    base_url: server.url('anthropic'),
  }),
};
export type Way = keyof typeof ways;

/** A project's caches, as one process has them. */
export function cachesIn(folder: string): Caches {
  const caches = Caches.open({ folder });
  onTestFinished(() => caches.close());
  return caches;
}

export async function start(options: ModelServerOptions = {}): Promise<ModelServer> {
  const server = await ModelServer.start(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** The process of a run: a way to ask with what earlier ones have left. */
export function processOf(
  server: ModelServer,
  way: Way,
  caches: Caches,
  more: JsonObject = {},
  budget?: BudgetLimits,
) {
  const models = createLanguageModels({
    root: process.cwd(),
    aliases: {
      m: {
        ...ways[way](server),
        model: 'small',
        price: { input: 1, output: 10 },
        max_tokens: 100,
        batch: { poll: 0.03 },
        ...more,
      },
    },
    secret: () => undefined,
    answers: answerCache(caches.answers),
    batches: caches.batches,
    budget,
  });
  const states: BatchState[] = [];
  const notices: string[] = [];
  const onBatch = (state: BatchState) => void states.push(state);
  const stop = new AbortController();
  const ask = (prompt: string, request: Partial<LanguageRequest> = {}): Promise<AskResult> =>
    models
      .find('m')!
      .ask(
        { messages: [{ role: 'user', content: prompt }], ...request },
        { signal: stop.signal, notify: (message) => void notices.push(message), onBatch },
      );
  const all = (count: number, request: Partial<LanguageRequest> = {}) =>
    Promise.all(Array.from({ length: count }, (_, index) => ask(`number ${index}`, request)));
  return { ask, all, states, notices, stop, model: models.find('m')! };
}

export const texts = (results: readonly AskResult[]) =>
  results.map((result) => ('answer' in result ? result.answer.text : `${result.failure.code}`));
