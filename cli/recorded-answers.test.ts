import { expect, it } from 'vitest';
import type { Row } from '../engine/artefacts.ts';
import type { JsonObject } from '../engine/json.ts';
import type { Answer, LanguageRequest } from '../engine/language-model.ts';
import type { RunRecord } from '../engine/record/record.ts';
import { Store } from '../engine/store/store.ts';
import { createLanguageModels } from '../models/language/index.ts';
import { ModelServer } from '../test/model-server.ts';
import { temporaryFolder } from '../test/temporary.ts';
import { recordedAnswers } from './recorded-answers.ts';

it('each step is given what it was told under an alias, whatever another was told by the same models', async () => {
  await using server = await ModelServer.start({ reply: ({ body }) => `said by ${body['model']}` });
  const own = (model: string): JsonObject => ({ provider: 'openai', base_url: server.url('openai'), model });
  const aliases = {
    large: own('large'),
    small: own('small'),
    best: { route: { among: ['large', 'small'], by: 'latency' } },
  };
  const options = { signal: new AbortController().signal, notify: () => {} };
  const question: LanguageRequest = { messages: [{ role: 'user', content: 'who?' }] };
  const live = createLanguageModels({ root: '.', aliases, secret: () => undefined, answers: null });
  const said = async (alias: string): Promise<Answer> => {
    const result = await live.find(alias)!.ask(question, options);
    if (!('answer' in result)) throw new Error(result.failure.message);
    return result.answer;
  };
  const [large, small] = [await said('large'), await said('small')];
  // What was quick in the run is not known any more.
  const told: [string, string, Answer][] = [
    ['plain', 'large', large],
    ['routed', 'best', small],
    ['again', 'best', large],
  ];
  const store = Store.open({ folder: temporaryFolder() });
  try {
    const steps = await Promise.all(
      told.map(async ([id, model, answer]) => {
        const table = store.writeTable();
        await table.write({ id: `${model}/1`, row: null, model, ...answer } as unknown as Row);
        const answers = await table.finish();
        return { id, outputs: { answers }, fingerprint: { models: { [model]: '{}' } } };
      }),
    );
    const models = createLanguageModels({
      root: '.',
      aliases,
      secret: () => undefined,
      answers: recordedAnswers({ steps } as unknown as RunRecord, store),
      offline: true,
    });
    const asked = server.requests.length;
    const given = (alias: string, step: string) => models.find(alias)!.ask(question, { ...options, step });
    for (const [step, alias, answer] of told)
      expect(await given(alias, step)).toMatchObject({ answer: { text: answer.text, asked: answer.asked } });
    // A step that was told nothing gets what others were.
    expect(await given('best', 'new')).toMatchObject({ answer: { text: 'said by large' } });
    expect(server.requests).toHaveLength(asked);
  } finally {
    await store.close();
  }
});
