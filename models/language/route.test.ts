import { describe, expect, it } from 'vitest';
import { compileCel } from '../../engine/cel.ts';
import type { JsonObject } from '../../engine/json.ts';
import type { Answer, LanguageRequest } from '../../engine/language-model.ts';
import { ModelServer } from '../../test/model-server.ts';
import type { AnswerCache } from './answers.ts';
import { createLanguageModels } from './index.ts';

const options = { signal: new AbortController().signal, notify: () => {} };
const question = (content: string): LanguageRequest => ({ messages: [{ role: 'user', content }] });

/** Aliases `small`, `large` and `local` on one server, and `best`, which chooses among them. */
function routed(
  server: ModelServer,
  route: JsonObject,
  more: Record<string, JsonObject> = {},
  answers: AnswerCache | null = null,
) {
  const own = (model: string, extra: JsonObject = {}) => ({
    provider: 'openai',
    model,
    base_url: server.url('openai'),
    retries: 0,
    ...extra,
    ...more[model],
  });
  return createLanguageModels({
    root: process.cwd(),
    aliases: {
      best: { route: { among: ['large', 'small', 'local'], ...route } },
      small: own('small', { price: { input: 1, output: 2 }, context: 1000 }),
      large: own('large', { price: { input: 5, output: 20 }, context: 100_000 }),
      local: own('local', { context: 100 }),
    },
    secret: () => undefined,
    answers,
    condition: async (source) => {
      const program = await compileCel(source);
      return (scope) => program.test(scope);
    },
  }).find('best')!;
}

describe('a route', () => {
  it.each<[string, JsonObject, string, string]>([
    ['by cost', { by: 'cost' }, 'hello', 'local'],
    ['by cost, where the cheapest does not take it', { by: 'cost' }, 'word '.repeat(200), 'small'],
    ['by cost, where one alone takes it', { by: 'cost' }, 'word '.repeat(2000), 'large'],
    [
      'by cost above a score',
      { by: 'cost', min_quality: 0.7, quality: { small: 0.8, local: 0.6 } },
      'hello',
      'small',
    ],
    ['by quality', { by: 'quality', quality: { small: 0.8, local: 0.9 } }, 'hello', 'local'],
    ['by quality, where none is measured', { by: 'quality' }, 'hello', 'large'],
    ['as written', { by: 'fallback' }, 'hello', 'large'],
    [
      'by rules',
      { by: 'rules', rules: [{ when: 'tokens > 500', use: 'large' }, { use: 'small' }] },
      'hello',
      'small',
    ],
    [
      'by a rule that holds',
      { by: 'rules', rules: [{ when: 'tokens > 500', use: 'large' }, { use: 'small' }] },
      'word '.repeat(600),
      'large',
    ],
  ])('%s', async (_, route, content, chosen) => {
    await using server = await ModelServer.start();
    const result = await routed(server, route).ask(question(content), options);
    expect(result).toMatchObject({ answer: { asked: chosen, route: { by: route['by'], chosen } } });
  });

  it('says why, and why not', async () => {
    await using server = await ModelServer.start();
    const result = await routed(server, { by: 'cost' }).ask(question('word '.repeat(200)), options);
    expect('answer' in result && result.answer.route).toMatchObject({
      chosen: 'small',
      why: expect.stringMatching(/^about \$0\.00/),
      others: [
        { model: 'large', why: expect.stringMatching(/^about \$0\.0/) },
        { model: 'local', why: 'about 254 tokens do not fit into its 100' },
      ],
    });
  });

  it('asks the next best where one has no answer, and the fastest where that is asked for', async () => {
    await using server = await ModelServer.start({
      fault: ({ body }) => (body['model'] === 'small' ? 'rejected' : null),
    });
    const quality = { small: 0.9, large: 0.8 };
    const model = routed(server, { by: 'quality', quality });
    expect(await model.ask(question('hello'), options)).toMatchObject({
      answer: { asked: 'large', route: { chosen: 'small' } },
    });
    const fast = routed(server, { by: 'latency' });
    await fast.ask(question('one'), options);
    expect(await fast.ask(question('two'), options)).toMatchObject({
      answer: {
        asked: 'local',
        route: { others: [{ model: 'local' }, { model: 'large', why: expect.stringContaining('ms') }] },
      },
    });
  });

  it('goes by a field of the row, and says which rows it cannot tell', async () => {
    await using server = await ModelServer.start();
    const rules: JsonObject[] = [
      { when: 'row.need > 0.4', use: 'large', fields: ['need'] },
      { use: 'small', fields: [] },
    ];
    const model = routed(server, { by: 'rules', rules });
    expect(model.rowFields).toEqual([{ name: 'need', optional: false }]);
    const ask = (row?: JsonObject) => model.ask(question('hello'), { ...options, row });
    expect(await ask({ need: 0.3 })).toMatchObject({ answer: { asked: 'small' } });
    expect(await ask({ need: 0.5 })).toMatchObject({
      answer: { asked: 'large', route: { why: 'the rule row.need > 0.4 holds' } },
    });
    expect(await ask({ need: null })).toMatchObject({
      failure: {
        scope: 'row',
        code: 'route-rule',
        message: expect.stringContaining('the rule row.need > 0.4 cannot be told'),
      },
    });
    expect(await ask()).toMatchObject({ failure: { scope: 'step', code: 'route-rule' } });
    expect(server.requests).toHaveLength(2);
  });

  it('takes what a dearer model said earlier, but not what a weaker one did', async () => {
    await using server = await ModelServer.start();
    const { small, ...kept } = { small: 0.8, large: 0.9 };
    const answers = new Map<string, Answer>();
    const cache: AnswerCache = {
      get: async (filed, digest) => answers.get(`${digest} ${JSON.stringify(filed)}`),
      put: (filed, digest, answer) => void answers.set(`${digest} ${JSON.stringify(filed)}`, answer),
    };
    const ask = async (route: JsonObject) => {
      const result = await routed(server, route, {}, cache).ask(question('hello'), options);
      return 'answer' in result && [result.answer.asked, result.cached];
    };
    expect(await ask({ by: 'quality', quality: { small } })).toEqual(['small', false]);
    expect(await ask({ by: 'quality', quality: { ...kept, small } })).toEqual(['large', false]);
    // The local one costs nothing, and need not be asked all the same.
    expect(await ask({ by: 'cost' })).toEqual(['small', true]);
    expect(await ask({ by: 'rules', rules: [{ use: 'large', fields: [] }] })).toEqual(['large', true]);
  });

  it('is another one by price than by speed, and the same one each time', async () => {
    await using server = await ModelServer.start();
    const latency = { small: 900, large: 300, local: 5000 };
    const chosen = async (by: string) => {
      const answers = [];
      for (const words of ['one', 'two', 'three'])
        answers.push(await routed(server, { by, latency }).ask(question(words), options));
      return answers.map((result) => 'answer' in result && result.answer.asked);
    };
    expect(await chosen('cost')).toEqual(['local', 'local', 'local']);
    expect(await chosen('latency')).toEqual(['large', 'large', 'large']);
  });

  it('goes by latencies that were measured before, and names the run that a number is of', async () => {
    await using server = await ModelServer.start();
    const latency = { small: 300, local: 900 };
    const measured = { latency: { small: 'run a/speed[model=small].ms' }, quality: {} };
    const model = routed(server, { by: 'latency', latency, measured });
    for (const words of ['one', 'two'])
      expect(await model.ask(question(words), options)).toMatchObject({
        answer: {
          asked: 'small',
          route: {
            why: '300 (run a/speed[model=small].ms) ms',
            others: [
              { model: 'local', why: '900 ms' },
              { model: 'large', why: 'its latency was not measured' },
            ],
          },
        },
      });
  });

  it('fails the row where no model takes it', async () => {
    await using server = await ModelServer.start();
    const model = routed(server, { by: 'rules', rules: [{ when: 'json', use: 'small' }] });
    expect(await model.ask(question('hello'), options)).toMatchObject({
      failure: { scope: 'row', code: 'no-model-fits' },
    });
    expect(server.requests).toEqual([]);
    const json = await model.ask({ ...question('hello'), schema: { type: 'object' } }, options);
    expect(json).toMatchObject({
      said: { route: { chosen: 'small', others: [{ model: 'large', why: 'no rule for it holds' }, {}] } },
    });
  });
});
