import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { answerIn, judged, modelOf, type Reply, says } from '../../test/judged.ts';
import type { SeenRequest } from '../../test/model-server.ts';
import { runStep } from '../../test/run-step.ts';
import { lettersSwapped } from './ask.ts';
import judge from './index.ts';

const rows = [
  { id: 'a', text: 'What is 2 + 2?', answer: '4' },
  { id: 'b', text: 'What is 3 + 3?', answer: 'about six' },
];

describe('score', () => {
  it('asks for reasons and a score within the scale, and holds the answer to it', async () => {
    const given = { judges: ['strict'], question: 'text', rubric: { name: 'correctness' }, threshold: 4 };
    const { tables, metrics, requests } = await judged(given, rows, ({ prompt }) =>
      says({ reason: 'because', score: answerIn(prompt).length === 1 ? 5 : 3 }),
    );
    expect(tables['rows']).toEqual([
      { ...rows[0], score: 5, reason: 'because', passed: true },
      { ...rows[1], score: 3, reason: 'because', passed: false },
    ]);
    expect(metrics).toMatchObject({ rows: 2, mean_score: 4, passed: 1, pass_rate: 0.5 });
    const [{ prompt, body }] = requests as [SeenRequest];
    expect(prompt).toContain('What is 2 + 2?');
    expect(prompt).toContain('Whether what the answer says is true');
    expect(prompt).toContain('from 1 (worst) to 5 (best)');
    expect(body['response_format']).toMatchObject({
      json_schema: {
        strict: true,
        schema: {
          properties: { score: { type: 'integer', minimum: 1, maximum: 5 } },
          required: ['reason', 'score'],
        },
      },
    });
    expect(tables['judgments']![1]).toEqual({
      ...rows[1],
      id: 'b#1',
      parent_id: 'b',
      judge: 'strict',
      sample: 1,
      score: 3,
      reason: 'because',
      failure: null,
    });
  });

  it('scores each criterion by itself and weighs them', async () => {
    const rubric = { text: 'Be strict.' };
    const criteria: JsonObject[] = [{ name: 'truth', description: 'Is it so?', weight: 3 }, { name: 'tone' }];
    const given = { judges: ['one'], criteria, scale: '0-100', rubric, reference: 'gold' };
    const row = { ...rows[0]!, gold: 'four' };
    const { tables, requests } = await judged(given, [row], () =>
      says({ truth: { reason: 'r1', score: 80 }, tone: { reason: 'r2', score: 40 } }),
    );
    const { prompt } = requests[0]!;
    for (const part of [
      '<reference_answer>\nfour\n',
      '<rubric>\nBe strict.\n',
      '- truth: Is it so?\n- tone\n',
    ])
      expect(prompt).toContain(part);
    expect(prompt).not.toContain('<question>');
    expect(tables['rows']).toMatchObject([
      { score: 70, scores: { truth: 80, tone: 40 }, reason: 'truth: r1\ntone: r2' },
    ]);
  });

  it('fails a row, with the reason, where there is no usable score', async () => {
    const texts: Record<string, string> = { a: 'Rating: [[7]]', b: 'I like it.', c: 'Rating: [[11]]' };
    const three = ['a', 'b', 'c'].map((id) => ({ id, answer: id }));
    const { tables, metrics, requests } = await judged(
      { judges: ['one'], format: 'text', scale: '1-10' },
      three,
      ({ prompt }) => texts[answerIn(prompt)] ?? 'No idea.',
    );
    expect(tables['rows']).toMatchObject([{ id: 'a', score: 7, reason: 'Rating: [[7]]' }]);
    expect(tables['failed']).toMatchObject([
      { id: 'b', reason: 'no verdict: one: there is no score in "No idea."' },
      { id: 'c', reason: 'no verdict: one: there is no score in "No idea."' },
    ]);
    expect(metrics['rows']).toBe(1);
    // Each of the two was asked for its score once more.
    expect(requests).toHaveLength(5);
    expect(requests.at(-1)!.prompt).toContain('Your verdict is missing');
    const unrepaired = await judged(
      { judges: ['one'], format: 'text', scale: '1-10', repairs: 0 },
      three,
      ({ prompt }) => texts[answerIn(prompt)]!,
    );
    expect(unrepaired.tables['failed']![1]!['reason']).toBe(
      'no verdict: one: its score is 11, and the scale is 1 to 10',
    );
  });

  it.each([
    ['mean', undefined, 3],
    ['minimum', undefined, 1],
    ['weighted', { b: 3 }, 3.4],
    ['vote', undefined, 4],
  ])('combines judges by %s', async (combine, weights, score) => {
    const scores: Record<string, number> = { a: 1, b: 4, c: 4 };
    const { tables, metrics, requests } = await judged(
      { judges: ['a', 'b', 'c'], combine, ...(weights && { weights }) },
      rows.slice(0, 1),
      (request) => says({ reason: 'r', score: scores[modelOf(request)]! }),
    );
    expect(tables['rows']).toMatchObject([{ score, score_a: 1, score_b: 4, score_c: 4 }]);
    expect(tables['rows']![0]!['reason']).toBe('a: r\n\nb: r\n\nc: r');
    expect(requests).toHaveLength(3);
    expect(metrics['alpha']).toBeDefined();
  });

  it.each([
    [{ judges: ['a', 'b', 'c'] }, 0.7],
    [{ judges: ['a'], samples: 3 }, 0.7],
    [{ judges: ['a', 'b', 'c'], combine: 'weighted', weights: { a: 0.1, b: 0.2, c: 0.4 } }, 0.7],
  ])('lets a row pass whose judges all say what the threshold is: %j', async (panel, score) => {
    const given = { ...panel, scale: '0-1', threshold: 0.7 };
    const { tables, metrics } = await judged(given, rows.slice(0, 1), () => says({ reason: 'r', score }));
    expect(tables['rows']).toMatchObject([{ score: 0.7, passed: true }]);
    expect(tables['judges']!.map(({ like_panel }) => like_panel)).toEqual(panel.judges.map(() => 1));
    expect(metrics).toMatchObject({ mean_score: 0.7, pass_rate: 1 });
  });

  it('weighs criteria without an error of rounding', async () => {
    const criteria = ['a', 'b', 'c'].map((name, at) => ({ name, weight: (at + 1) / 10 }));
    const three = { reason: 'r', score: 3 };
    const { tables } = await judged({ judges: ['one'], criteria, threshold: 3 }, rows.slice(0, 1), () =>
      says({ a: three, b: three, c: three }),
    );
    expect(tables['rows']).toMatchObject([{ score: 3, passed: true }]);
    expect(tables['judgments']).toMatchObject([{ score: 3 }]);
  });

  it('takes the lower of two scores that equally many judges gave', async () => {
    const { tables } = await judged({ judges: ['a', 'b'], combine: 'vote' }, rows.slice(0, 1), (request) =>
      says({ reason: 'r', score: modelOf(request) === 'a' ? 5 : 2 }),
    );
    expect(tables['rows']).toMatchObject([{ score: 2 }]);
  });

  it('goes on without a judge if the quorum is there, and says who was missing', async () => {
    const given = { judges: ['a', 'b'], format: 'text', repairs: 0 };
    const reply: Reply = (request) => (modelOf(request) === 'a' ? '[[2]]' : 'well');
    expect((await judged(given, rows, reply)).tables['failed']).toHaveLength(2);
    const { tables, warnings } = await judged({ ...given, quorum: 1 }, rows, reply);
    expect(warnings).toEqual(['b has no usable verdict of 2 of 2 rows; they are judged without it']);
    expect(tables['rows']).toMatchObject([{ score: 2, score_a: 2, score_b: null }, { score: 2 }]);
    expect(tables['judges']).toMatchObject([
      { judge: 'a', rows: 2, failed: 0 },
      { judge: 'b', rows: 0, failed: 2, mean_score: null },
    ]);
    expect(tables['judgments']!.filter(({ judge: name }) => name === 'b')).toMatchObject([
      { failure: 'there is no score in "well"' },
      {},
    ]);
  });

  it('does not keep a row without a judge that was only away: it fails, whatever the quorum', async () => {
    const given = { judges: ['a', 'b'], quorum: 1, samples: 2, format: 'text', repairs: 0 };
    const isMute = (request: SeenRequest) => modelOf(request) === 'b' && request.prompt.includes('six');
    // Of the second row b wrote what is no verdict, and did not answer when it was asked again.
    let asked = 0;
    const { tables, metrics } = await judged(
      given,
      rows,
      (request) => (isMute(request) ? 'well' : '[[2]]'),
      (request) => (isMute(request) && ++asked === 2 ? 'error' : null),
    );
    expect(tables['rows']).toMatchObject([{ id: 'a', score: 2, score_b: 2 }]);
    expect(tables['failed']).toMatchObject([
      { id: 'b', reason: expect.stringContaining('no verdict yet: b: openai/b did not answer') },
    ]);
    expect(metrics['rows']).toBe(1);
  });

  it('names its fields as it is told, so that answers may be judged twice', async () => {
    const row = { ...rows[0]!, score: 1, reason: 'kept' };
    const { tables } = await judged({ judges: ['one'], field: 'tone', threshold: 3 }, [row], () =>
      says({ reason: 'warm', score: 4 }),
    );
    expect(tables['rows']).toEqual([{ ...row, tone: 4, tone_reason: 'warm', tone_passed: true }]);
  });

  it('says how often a judge contradicts itself, and whether it follows length', async () => {
    const long = [1, 2, 3, 4].map((size) => ({ id: `r${size}`, answer: 'x'.repeat(size) }));
    const { tables, metrics } = await judged({ judges: ['a'], samples: 2 }, long, ({ prompt, attempt }) => {
      const size = answerIn(prompt).length;
      return says({ reason: '', score: size === 4 ? 4 + attempt : size });
    });
    expect(tables['rows']!.map(({ score }) => score)).toEqual([1, 2, 3, 4.5]);
    expect(tables['judges']).toMatchObject([{ flip_rate: 0.25, length_correlation: 1, mean_score: 2.625 }]);
    expect(metrics['length_correlation']).toBe(1);
  });
});

describe('pairwise', () => {
  const pairs: Row[] = Array.from({ length: 40 }, (_, index) => ({
    id: `p${index}`,
    left: index % 2 === 0 ? 'good answer' : 'bad',
    right: index % 2 === 0 ? 'bad' : 'good answer',
  }));
  const given = { mode: 'pairwise', judges: ['one'], answers: ['left', 'right'] };
  const better: Reply = ({ prompt }) =>
    says({ reason: 'r', winner: answerIn(prompt, 'answer_a').includes('good') ? 'A' : 'B' });

  it('asks in both orders and knows the answers apart in each', async () => {
    const { tables, metrics, requests, warnings } = await judged(given, pairs.slice(0, 4), better);
    expect(tables['rows']!.map(({ winner }) => winner)).toEqual(['left', 'right', 'left', 'right']);
    expect(requests).toHaveLength(8);
    expect(metrics).toMatchObject({
      first_wins: 2,
      second_wins: 2,
      ties: 0,
      consistency: 1,
      position_bias: 0,
    });
    expect(tables['judgments']!.slice(0, 2)).toMatchObject([
      { id: 'p0#1', order: 'given', winner: 'left' },
      { id: 'p0#2', order: 'swapped', winner: 'left' },
    ]);
    expect(warnings).toEqual([]);
  });

  it('makes ties of a judge that always takes the first one, and warns of it', async () => {
    const { tables, metrics, warnings } = await judged(given, pairs, () => says({ reason: '', winner: 'A' }));
    expect(new Set(tables['rows']!.map(({ winner }) => winner))).toEqual(new Set(['tie']));
    expect(metrics).toMatchObject({ ties: 40, consistency: 0, position_bias: 1 });
    expect(warnings).toEqual([
      'one prefers the answer shown first in 100 % of its verdicts; where the orders differ the row is a tie',
    ]);
  });

  it('warns of a judge that takes the longer one', async () => {
    const { metrics, warnings } = await judged(given, pairs, better);
    expect(metrics['longer_share']).toBe(1);
    expect(warnings).toEqual(['one prefers the longer answer in 100 % of its verdicts']);
  });

  it('reads verdicts from texts by patterns, in their order, and names outcomes as it is told', async () => {
    const texts = ['Output (b) is better.', 'Output (a) is better. No: Output (b) is better.', 'both are'];
    const { tables } = await judged(
      {
        ...given,
        orders: 'given',
        format: 'text',
        repairs: 0,
        ties: false,
        labels: [1, 2, 0],
        prompt: { text: '{{id}}: {{answer_a}} or {{answer_b}}?' },
        patterns: { first: 'Output \\(a\\) is better', second: 'Output \\(b\\) is better' },
      },
      pairs.slice(0, 3),
      ({ prompt }) => texts[Number(prompt[1])]!,
    );
    expect(tables['rows']).toMatchObject([{ winner: 2 }, { winner: 1 }]);
    expect(tables['failed']).toMatchObject([
      { id: 'p2', reason: 'no verdict: one: there is no verdict in "both are"' },
    ]);
  });

  it('lets judges vote; without a majority it is a tie', async () => {
    const votes: Record<string, string> = { a: 'good', b: 'bad', c: 'good' };
    const reply: Reply = (request) =>
      says({
        reason: '',
        winner: answerIn(request.prompt, 'answer_a').includes(votes[modelOf(request)]!) ? 'A' : 'B',
      });
    const panel = { ...given, judges: ['a', 'b', 'c'] };
    const { tables } = await judged(panel, pairs.slice(0, 1), reply);
    expect(tables['rows']).toMatchObject([
      { winner: 'left', winner_a: 'left', winner_b: 'right', winner_c: 'left' },
    ]);
    const two = await judged({ ...given, judges: ['a', 'b'] }, pairs.slice(0, 1), reply);
    expect(two.tables['rows']).toMatchObject([{ winner: 'tie' }]);
    // Whose orders differ has no vote where no tie may be said; where one may, it says that neither is better.
    const undecided: Reply = (request) =>
      modelOf(request) === 'b' ? better(request) : says({ reason: '', winner: 'A' });
    for (const [ties, winner] of [
      [false, 'left'],
      [true, 'tie'],
    ] as const) {
      const { tables: made } = await judged({ ...panel, ties }, pairs.slice(0, 1), undecided);
      expect(made['rows']).toMatchObject([{ winner }]);
    }
    const weighted = await judged(
      { ...panel, combine: 'weighted', weights: { b: 2.5 } },
      pairs.slice(0, 1),
      reply,
    );
    expect(weighted.tables['rows']).toMatchObject([{ winner: 'right' }]);
    // 0.1 and 0.2 are more than 0.3 to a computer.
    const even = { ...panel, combine: 'weighted', weights: { a: 0.1, b: 0.3, c: 0.2 } };
    expect((await judged(even, pairs.slice(0, 1), reply)).tables['rows']).toMatchObject([{ winner: 'tie' }]);
  });

  it('shows a judge whose orders differ its reasons for both, and asks again', async () => {
    const pair = { id: 'p', left: 'good answer', right: 'bad' };
    const { tables, requests } = await judged(
      { ...given, second_look: {} },
      [pair, { ...pair, id: 'q', right: 'good' }],
      (request) => {
        const { prompt } = request;
        if (prompt.includes('<reasons_for_a>')) return better(request);
        // Of the second pair the first one shown is taken for the better one.
        return answerIn(prompt, 'answer_b') === 'bad' || answerIn(prompt, 'answer_a') === 'bad'
          ? better(request)
          : says({ reason: `Answer A says ${answerIn(prompt, 'answer_a')}.`, winner: 'A' });
      },
    );
    expect(tables['rows']!.map(({ winner }) => winner)).toEqual(['left', 'tie']);
    expect(requests).toHaveLength(6);
    expect(tables['judgments']!.map(({ look }) => look)).toEqual([1, 1, 2, 2]);
    const again = requests
      .map(({ prompt }) => prompt)
      .find((prompt) => prompt.includes('<reasons_for_a>') && answerIn(prompt, 'answer_a') === 'good')!;
    expect(answerIn(again, 'reasons_for_a')).toBe('Answer A says good.');
    expect(answerIn(again, 'reasons_for_b')).toBe('Answer B says good answer.');
  });

  it('gives no vote to a judge that contradicts itself, and says so', async () => {
    const reply: Reply = (request) =>
      modelOf(request) === 'fair' ? better(request) : says({ reason: '', winner: 'A' });
    const panel = { ...given, judges: ['first', 'fair', 'again'], min_consistency: 0.6 };
    const { tables, warnings } = await judged(panel, pairs.slice(0, 4), reply);
    expect(tables['rows']!.map(({ winner }) => winner)).toEqual(['left', 'right', 'left', 'right']);
    expect(tables['judges']!.map(({ judge: name, has_vote }) => [name, has_vote])).toEqual([
      ['first', false],
      ['fair', true],
      ['again', false],
    ]);
    expect(warnings).toContain(
      'first has no vote: it answers 0 % of pairs in both orders alike, less than 60 %',
    );
    // The fair one has nothing to say of one row, which nobody wins then.
    const silent: Reply = (request) =>
      modelOf(request) === 'fair' && JSON.stringify(request.body).includes('mute') ? 'well' : reply(request);
    const mute = { id: 'mute', left: 'mute good answer', right: 'mute' };
    const lefts = [pairs[0]!, pairs[2]!, mute];
    const some = await judged({ ...panel, quorum: 2 }, lefts, silent);
    expect(some.tables['rows']![2]).toMatchObject({ winner: null });
    expect(some.metrics).toMatchObject({ rows: 3, first_wins: 2, win_rate: 1 });
    await expect(judged({ ...panel, judges: ['first'] }, pairs.slice(0, 4), reply)).rejects.toMatchObject({
      code: 'no-judge',
    });
  });
});

describe('checks', () => {
  const checked = (checks: JsonObject[], row: JsonObject) =>
    runStep(judge, { with: { checks }, inputs: { rows: [{ id: 'r', ...row }] } }).then(
      ({ tables }) => tables['rows']![0]!,
    );

  it('are made without a judge; a row passes if all hold', async () => {
    const row = await checked(
      [
        { json: true },
        { at: 'steps.0.name', regex: '^[a-z]+$' },
        { at: 'score', range: { min: 0, max: 1 } },
        { name: 'short', characters: { max: 10 } },
        { where: 'row.kind == "plan"' },
      ],
      { answer: '{"steps":[{"name":"load"}],"score":2}', kind: 'plan' },
    );
    expect(row['checks']).toEqual({ json: true, regex: true, range: false, short: false, where: true });
    expect(row['failed_checks']).toEqual([
      'range: answer at score is 2, more than 1',
      'short: answer has 37 characters, more than 10',
    ]);
    expect(row['passed']).toBe(false);
  });

  it.each([
    [{ json: true }, 'no', 'answer is no JSON'],
    [{ schema: { required: ['a'] } }, '{"b":1}', "it must have required property 'a'"],
    [{ not_regex: 'sorry' }, 'sorry, no', 'answer matches sorry'],
    [{ contains: 'x' }, 'abc', 'answer does not contain "x"'],
    [{ not_contains: 'b' }, 'abc', 'answer contains "b"'],
    [{ equals: 'gold' }, 'abc', 'answer is not the same as gold'],
    [{ one_of: ['yes', 'no'] }, 'maybe', 'answer is none of yes, no'],
    [{ words: { min: 3 } }, 'two words', 'answer has 2 words, less than 3'],
    [{ range: { max: 3 } }, 'many', 'answer is no number'],
    [{ duration: { max: 60 } }, 'PT1M30S', 'answer is 90 seconds, more than 60'],
    [{ duration: { max: 60 } }, 'soon', 'answer is no duration'],
    [{ timestamps: {} }, 'none here', 'answer has 0 timestamps'],
    [{ timestamps: {} }, '00:10 then 00:05', 'answer: 00:05 is not after 00:10'],
    [{ timestamps: { max: 60 } }, '00:00:10, 00:01:01', 'answer: 00:01:01 is after 60 s'],
    [{ timestamps: {} }, '00:75', 'answer has a time that there is not: 00:75'],
    [{ where: 'row.missing > 1' }, 'abc', 'row.missing > 1 cannot be computed: '],
    [{ at: 'a.b', json: true }, '{"a":1}', 'answer has no a.b'],
  ])('%j on %j', async (check, answer, reason) => {
    const row = await checked([check as JsonObject], { answer, gold: 'abcd' });
    expect(row['passed']).toBe(false);
    expect((row['failed_checks'] as string[])[0]).toContain(reason);
  });

  it('hold beside the judge', async () => {
    const { tables, metrics } = await judged(
      { judges: ['one'], threshold: 3, checks: [{ words: { max: 1 } }] },
      rows,
      () => says({ reason: '', score: 3 }),
    );
    expect(tables['rows']!.map(({ passed }) => passed)).toEqual([true, false]);
    expect(metrics['pass_rate']).toBe(0.5);
  });
});

it('reasons given in one order name the other answer in the other', () => {
  expect(
    lettersSwapped('Output (a) beats output (b). Answer B, an answer a child would give; assistant A.'),
  ).toBe('Output (b) beats output (a). Answer A, an answer a child would give; assistant B.');
});

it('refuses parameters that do not go together', () => {
  const problems = (given: JsonObject) =>
    judge.check!({
      mode: 'score',
      judges: ['a'],
      criteria: [],
      scale: '1-5',
      patterns: {},
      checks: [],
      format: 'json',
      ...given,
    }).map(({ parameter, message }) => `${parameter}: ${message}`);
  expect(problems({})).toEqual([]);
  expect(problems({ judges: [] })).toEqual(['judges: there is nothing to judge by: name judges, or checks']);
  expect(problems({ mode: 'pairwise' })[0]).toContain('pairwise needs answers');
  expect(problems({ threshold: 9 })[0]).toContain('outside the scale 1 to 5');
  expect(problems({ weights: { b: 1 }, combine: 'weighted' })[0]).toContain('b is none of the judges');
  expect(problems({ format: 'text', patterns: { score: '\\d' } })[0]).toContain('needs a group');
  expect(problems({ format: 'text', patterns: { score: '(' } })[0]).toContain('patterns.score');
  expect(problems({ checks: [{ json: true, regex: 'x' }, {}, { regex: '[' }] })).toEqual([
    'checks.0: checks.0: it says json and regex: make a check of each',
    'checks.1: checks.1: it says nothing to check: regex, json, words …',
    expect.stringContaining('checks.2: checks.2: '),
  ]);
});
