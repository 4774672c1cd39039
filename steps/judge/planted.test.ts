import { expect, it } from 'vitest';
import type { JsonObject } from '../../engine/json.ts';
import { runStep } from '../../test/run-step.ts';
import judge from './index.ts';

/** A recording, and answers about it: chapters as JSON, and a summary in words. */
const transcript = `00:00:05 Welcome to the review of the third quarter.
00:01:30 Revenue was 1,204,500 EUR, which is 12.5 % more than in the second.
00:04:10 Anna said: "We will open two shops in Oslo in May."
00:09:45 The next meeting is on 14 June.`;
const chapters = (...list: [string, string, number][]) =>
  JSON.stringify({ chapters: list.map(([start, title, seconds]) => ({ start, title, seconds })) });
const whole: [string, string, number][] = [
  ['00:00:05', 'Welcome', 5],
  ['00:01:30', 'Revenue', 30],
  ['00:04:10', 'open two shops', 10],
];
const good = chapters(...whole);
const summary =
  'Revenue was 1204500 EUR (01:30), 12,5 % more. Anna: “we will open two shops in Oslo in May.”';
const clean = { transcript, length: 'PT9M50S', chapters: good, summary };

const checks: JsonObject[] = [
  { name: 'json', field: 'chapters', json: true },
  {
    name: 'shape',
    field: 'chapters',
    schema: {
      type: 'object',
      required: ['chapters'],
      properties: {
        chapters: { type: 'array', minItems: 1, items: { required: ['start', 'title'], type: 'object' } },
      },
    },
  },
  { name: 'times', field: 'chapters', timestamps: { min: 0, max: 590, count: 2 } },
  { name: 'duration', field: 'length', duration: { min: 60, max: 3600 } },
  { name: 'short', field: 'summary', words: { min: 3, max: 30 } },
  { name: 'polite', field: 'summary', not_regex: '(?i:as an ai|sorry)' },
  { name: 'truth', field: 'summary', grounded: ['transcript'] },
];
/** What is wrong with each row, by the checks that must find it. */
const planted: [JsonObject, string[]][] = [
  [{ chapters: good.slice(0, -1) }, ['json', 'shape']],
  [{ chapters: '{"chapters":[]}' }, ['shape', 'times']],
  [{ chapters: chapters(['00:01:30', 'Revenue', 30], ['00:00:05', 'Welcome', 5]) }, ['times']],
  [{ chapters: chapters(['00:01:30', 'Revenue', 30], ['00:12:00', 'Later', 5]) }, ['times']],
  [{ chapters: chapters(['00:01:30', 'Revenue', 30], ['00:02:75', 'Odd', 5]) }, ['times']],
  [{ length: 'about ten minutes' }, ['duration']],
  [{ length: 'PT45S' }, ['duration']],
  [{ length: '2 h' }, ['duration']],
  [{ summary: 'Good.' }, ['short']],
  [{ summary: "I am sorry, as an AI I can't say more." }, ['polite']],
  [{ summary: 'Revenue was 1,304,500 EUR.' }, ['truth']],
  [{ summary: 'Anna said: "We will open three shops."' }, ['truth']],
  [{ summary: 'At 05:00 the next meeting is named.' }, ['truth']],
  [{ summary: 'Revenue grew by 15 % to May.' }, ['truth']],
  [{ summary: 'Анна: «мы откроем магазины в Риме»' }, ['truth']],
];
const fine: JsonObject[] = [
  {},
  { length: 590 },
  { length: '9:50' },
  {
    summary:
      'The points:\n1. Revenue was 1.204.500 EUR.\n2. Shops in Oslo.\n3. The next meeting is on 14 June.',
  },
  { summary: 'Revenue, shops and the next meeting; Anna said: «We will open two shops».' },
  { chapters: good.replace('00:04:10', '00:04:10.5') },
];

it('checks find everything that was planted, and nothing in what is clean', async () => {
  const rows = [
    ...planted.map(([wrong], index) => ({ id: `wrong${index}`, ...clean, ...wrong })),
    ...fine.map((more, index) => ({ id: `fine${index}`, ...clean, ...more })),
  ];
  const { tables, metrics } = await runStep(judge, { with: { checks, answer: 'summary' }, inputs: { rows } });
  const found = tables['rows']!.map(({ id, checks: results }) => [
    id,
    Object.entries(results as Record<string, boolean>).flatMap(([name, holds]) => (holds ? [] : [name])),
  ]);
  expect(found).toEqual([
    ...planted.map(([, names], index) => [`wrong${index}`, names]),
    ...fine.map((_, index) => [`fine${index}`, []]),
  ]);
  expect(metrics['pass_rate']).toBeCloseTo(6 / 21, 5);
  const said = tables['rows']!.flatMap(({ failed_checks: failures }) => failures as string[]);
  expect(said).toContain('truth: summary has what is not in transcript: 1,304,500');
  expect(said).toContain('truth: summary has what is not in transcript: "We will open three shops."');
});

it('of JSON all texts and numbers are looked for, and a source that is not there is said', async () => {
  const made = { chapters: [...whole, ['00:07:00', 'Dividend', 8]] };
  const { tables } = await runStep(judge, {
    with: { answer: 'made', checks: [{ grounded: ['transcript', 'title'] }] },
    inputs: {
      rows: [
        { id: 'a', transcript, title: 'Dividend', made: made as unknown as JsonObject },
        { id: 'b', transcript, title: null, made: 'x' },
      ],
    },
  });
  expect(tables['rows']!.map(({ failed_checks: failures }) => failures)).toEqual([
    ['grounded: made has what is not in transcript, title: /chapters/3/0, /chapters/3/2'],
    ['grounded: title is not there'],
  ]);
});
