import { expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import type { LanguageRequest, TokenLogprob } from '../../engine/language-model.ts';
import type { AskedModel } from '../../engine/step.ts';
import { runStep } from '../../test/run-step.ts';
import judge from './index.ts';

/** Tokens of an answer: texts, or how likely each number was at a place, the one that is said first. */
type Said = (string | [token: string, share: number][])[];

const textOf = (said: Said) => said.map((part) => (typeof part === 'string' ? part : part[0]![0])).join('');
function tokens(said: Said): TokenLogprob[] {
  return said.map((part) => {
    const shares: [string, number][] = typeof part === 'string' ? [[part, 1]] : part;
    const top = shares.map(([token, share]) => ({ token, logprob: Math.log(share) }));
    return { ...top[0]!, top };
  });
}

async function scored(given: JsonObject, answers: { [row: string]: Said }, withLogprobs = true) {
  const seen: LanguageRequest[] = [];
  const model: AskedModel = {
    name: 'm',
    async ask(request) {
      seen.push(request);
      const row = Object.keys(answers).find((id) => request.messages.at(-1)!.content.includes(`of ${id}`))!;
      const text = textOf(answers[row]!);
      const json = request.schema ? JSON.parse(text) : null;
      return { text, json, ...(withLogprobs && { logprobs: tokens(answers[row]!) }) } as never;
    },
  };
  const made = await runStep(judge, {
    with: { judges: ['m'], score_from: 'logprobs', ...given },
    inputs: { rows: Object.keys(answers).map((id) => ({ id, answer: `that of ${id}` })) },
    languageModels: { m: model },
  });
  return { ...made, seen };
}

it('a score by its probabilities is the one to expect, and the one that was said is kept', async () => {
  const { tables, metrics, warnings, seen } = await scored(
    { threshold: 3.5 },
    {
      // A space belongs to the token with some tokenizers; what is no score of the scale does not count.
      a: [
        '{"reason":"well \\"score\\": 2","score"',
        ':',
        [
          [' 4', 0.5],
          ['4', 0.1],
          ['3', 0.2],
          ['9', 0.1],
          ['ten', 0.1],
        ],
        '}',
      ],
      b: [
        '{"reason":"badly","score":',
        [
          ['4', 0.51],
          ['1', 0.49],
        ],
        '}',
      ],
    },
  );
  expect(seen[0]).toMatchObject({ top_logprobs: 20 });
  expect(tables['rows']).toMatchObject([
    { id: 'a', score: 3.75, passed: true },
    { id: 'b', score: 2.53, passed: false },
  ]);
  expect(tables['judgments']).toMatchObject([
    { score: 3.75, said: 4 },
    { score: 2.53, said: 4 },
  ]);
  expect(metrics).toMatchObject({ mean_score: 3.14, pass_rate: 0.5 });
  expect(warnings).toEqual([]);
});

it('each criterion has its own, in whatever order they are answered, and a text the last in brackets', async () => {
  const criteria: JsonObject[] = [{ name: 'tone' }, { name: 'facts', weight: 3 }];
  const half = (one: string, other: string): Said[number] => [
    [one, 0.5],
    [other, 0.5],
  ];
  const each = await scored(
    { criteria },
    {
      a: [
        '{"facts":{"reason":"r","score": ',
        half('4', '5'),
        '},"tone":{"reason":"r","score": ',
        half('1', '2'),
        '}}',
      ],
    },
  );
  expect(each.tables['rows']).toMatchObject([{ scores: { facts: 4.5, tone: 1.5 }, score: 3.75 }]);
  const text = await scored({ format: 'text' }, { a: ['Not [[1]]. ', 'Rather [[', half('2', '3'), ']]'] });
  expect(text.tables['rows']).toMatchObject([{ score: 2.5 }]);
});

it('a score without probabilities counts as said, and that is told', async () => {
  const answers: { [row: string]: Said } = {
    a: [
      '{"reason":"r","score":',
      [
        ['4', 0.6],
        ['5', 0.4],
      ],
      '}',
    ],
  };
  const without = await scored({}, answers, false);
  expect(without.tables['rows']).toMatchObject([{ score: 4 }]);
  expect(without.tables['judgments']).toMatchObject([{ score: 4, said: null }]);
  expect(without.warnings).toEqual(['m gave no probabilities for 1 of 1 scores; they count as said']);
  const said = await scored({ score_from: 'answer' }, answers);
  expect(said.tables['rows']).toMatchObject([{ score: 4 }]);
  expect(said.seen[0]).not.toHaveProperty('top_logprobs');
  expect(said.tables['judgments']![0]).not.toHaveProperty('said');
});

it('goes with scores of one digit, one sample and no vote', () => {
  const given = {
    mode: 'score',
    judges: ['m'],
    checks: [],
    criteria: [],
    patterns: {},
    samples: 1,
    format: 'json',
  };
  const messages = (more: JsonObject) =>
    judge.check!({ ...given, scale: '1-5', score_from: 'logprobs', ...more } as never).map(
      ({ message }) => message,
    );
  expect(messages({})).toEqual([]);
  expect(messages({ scale: '1-10' })).toEqual([
    'score_from: logprobs is for scores of one digit: scale: 1-5',
  ]);
  expect(messages({ samples: 3 })).toHaveLength(1);
  expect(messages({ combine: 'vote' })).toHaveLength(1);
  expect(messages({ mode: 'pairwise', answers: ['a', 'b'], orders: 'both' })).toEqual([
    'score_from is for scores',
  ]);
});
