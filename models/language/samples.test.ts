import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import type { AskOptions, LanguageRequest } from '../../engine/language-model.ts';
import { ModelServer } from '../../test/model-server.ts';
import { createLanguageModels } from './index.ts';

const messages = [{ role: 'user', content: 'hello' }] as const;

/** Asks a model for three samples; what it told meanwhile, with the level of each. */
async function samplesOf(settings: JsonObject, request: Partial<LanguageRequest> = {}) {
  const told: Parameters<AskOptions['notify']>[] = [];
  const model = createLanguageModels({
    root: import.meta.dirname,
    aliases: { m: settings },
    secret: () => undefined,
    answers: null,
  }).find('m');
  const options: AskOptions = {
    signal: new AbortController().signal,
    notify: (...notice) => void told.push(notice),
  };
  const results = [];
  for (const sample of [0, 1, 2]) results.push(await model?.ask({ messages, ...request, sample }, options));
  return { told, results };
}

describe('samples', () => {
  it('are drawn by seeds of their own, and are other requests', async () => {
    await using server = await ModelServer.start({ reply: ({ body }) => `seed ${body['seed']}` });
    const own = { provider: 'openai', model: 'm', base_url: server.url('openai') };
    const { results } = await samplesOf({ ...own, seed: 7 });
    const answers = results.flatMap((result) => (result && 'answer' in result ? [result.answer] : []));
    expect(answers.map(({ text }) => text)).toEqual(['seed 7', 'seed 8', 'seed 9']);
    expect(new Set(answers.map(({ request }) => request)).size).toBe(3);
    await samplesOf(own);
    expect(server.requests.slice(3).map(({ body }) => 'seed' in body)).toEqual([false, false, false]);
  });

  it('are told to be copies of a model that always takes the likeliest word, once', async () => {
    const own = { provider: 'local', path: 'none.gguf' };
    for (const request of [{}, { temperature: 0 }])
      expect((await samplesOf(own, request)).told).toEqual([
        [expect.stringContaining('copies of one answer'), 'warning'],
      ]);
    expect((await samplesOf(own, { temperature: 0.7 })).told).toEqual([]);
  });
});
