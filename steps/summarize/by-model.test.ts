import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import type { LanguageRequest } from '../../engine/language-model.ts';
import type { AskedModel } from '../../engine/step.ts';
import { runStep } from '../../test/run-step.ts';
import summarize from './index.ts';

type Said = { title: string; description: string } | { flaws: string; satisfied: boolean } | string;

function model(reply: (shown: string, request: LanguageRequest) => Said): AskedModel & { seen: string[] } {
  const seen: string[] = [];
  return {
    name: 'writer',
    seen,
    async ask(request: LanguageRequest) {
      const shown = request.messages.at(-1)!.content;
      seen.push(shown);
      const said = reply(shown, request);
      return (typeof said === 'string' ? { text: said, json: null } : { text: '', json: said }) as never;
    },
  };
}

const rows: Row[] = [
  { id: 'a', text: 'my card has not arrived', cluster: 0, rank: 1 },
  { id: 'b', text: 'where is my card', cluster: 0, rank: 0 },
  { id: 'c', text: 'the loan is too expensive', cluster: 1, rank: 0 },
  { id: 'd', text: 'noise', cluster: -1, rank: 0 },
  { id: 'e', text: 'loan interest rate', cluster: 1, rank: 1 },
];
const run = (writer: AskedModel, given: JsonObject = {}, inputs: Parameters<typeof runStep>[1] = {}) =>
  runStep(summarize, {
    with: { method: 'model', model: 'writer', ...given },
    inputs: { rows, ...inputs?.inputs },
    languageModels: { writer },
  });

describe('clusters', () => {
  it('asks about each with its innermost texts, keywords and contrast', async () => {
    const writer = model((shown) => ({
      title: ' Something about banks ',
      description: shown.includes('- where is my card') ? 'Cards.' : 'Loans.',
    }));
    const { tables, metrics } = await run(writer, { inside: 1, outside: 1 });
    expect(writer.seen[0]).toContain('where is my card');
    expect(writer.seen[0]).not.toContain('has not arrived');
    expect(writer.seen[0]).toMatch(/Keywords: .*card/);
    expect(writer.seen[0]).toMatch(/for contrast:\nthe loan is too expensive/);
    expect(tables['rows']).toMatchObject([
      {
        id: '0',
        cluster: 0,
        name: 'Something about banks',
        size: 2,
        share: 0.5,
        examples: ['where is my card', 'my card has not arrived'],
        example_ids: ['b', 'a'],
      },
      { id: '1', name: expect.stringMatching(/^Something about banks \(.+\)$/), description: 'Loans.' },
    ]);
    expect(Object.keys(tables['rows']![0]!)).not.toContain('texts');
    expect(metrics).toEqual({ clusters: 2, unclustered: 1, rows: 4 });
  });

  it('takes the nearest texts of other clusters by their vectors', async () => {
    const near: Row[] = [
      { id: 'a', text: 'one', cluster: 0 },
      { id: 'b', text: 'far', cluster: 1 },
      { id: 'c', text: 'close', cluster: 2 },
    ];
    const writer = model(() => ({ title: 'x', description: 'y' }));
    const matrix = { data: Float32Array.of(0, 0, 9, 9, 1, 0), rows: 3, columns: 2 };
    await run(writer, { outside: 1 }, { inputs: { rows: near, vectors: { matrix, ids: ['a', 'b', 'c'] } } });
    expect(writer.seen[0]).toMatch(/contrast:\nclose$/);
  });

  it('reads big clusters in parts, by map and reduce or one after the other', async () => {
    const many = Array.from({ length: 40 }, (_, index) => ({
      id: `r${index}`,
      text: `text number ${index}`,
      cluster: 0,
    }));
    const reply = (shown: string, { schema }: LanguageRequest): Said =>
      schema ? { title: `T${writer.seen.length}`, description: 'D' } : `note (${shown.split('\n').length})`;
    let writer = model(reply);
    const given = { inside: 0, part_tokens: 200 };
    const { tables } = await run(writer, given, { inputs: { rows: many } });
    const parts = writer.seen.slice(0, -1);
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.every((shown) => shown.length <= 250)).toBe(true);
    for (const { text } of many) expect(parts.join('\n').split('\n')).toContain(`- ${text}`);
    expect(writer.seen.at(-1)).toContain('note (');
    expect(tables['rows']).toMatchObject([{ name: `T${writer.seen.length}` }]);
    writer = model(reply);
    await run(writer, { ...given, long: 'refine' }, { inputs: { rows: many } });
    expect(writer.seen).toHaveLength(parts.filter((shown) => shown.startsWith('- ')).length);
    expect(writer.seen[1]).toContain('were summed up so: {"description":"D","title":"T1"}');
  });

  it('holds answers to a language, with one more try', async () => {
    const english = {
      title: 'Cards that have not arrived',
      description: 'Customers wait for their cards and ask where they are.',
    };
    const russian = {
      title: 'Карты, которые не пришли',
      description: 'Клиенты ждут карты и спрашивают, где они сейчас.',
    };
    const writer = model((shown) => (shown.startsWith('That is not Russian') ? russian : english));
    const { tables } = await run(writer, { language: 'ru' });
    expect(tables['rows']!.map(({ name }) => name)).toContain(russian.title);
    const stubborn = await run(
      model(() => english),
      { language: 'ru' },
    );
    expect(stubborn.tables['rows']).toEqual([]);
    expect(stubborn.tables['failed']).toMatchObject([
      { reason: 'the answer is in English, not in Russian: Cards that have not arrived' },
      {},
    ]);
  });

  it('mends what its critic finds until nothing is found or nothing changes', async () => {
    let round = 0;
    const replies = (satisfiedAfter: number, changes: boolean) => {
      round = 0;
      return model((_, { schema }) => {
        if ('flaws' in (schema!['properties'] as object))
          return { flaws: `flaw ${round}`, satisfied: round > satisfiedAfter };
        round++;
        return { title: changes ? `T${round}` : 'T', description: 'D' };
      });
    };
    const one = { inputs: { rows: rows.slice(0, 2) } };
    const satisfied = replies(1, true);
    expect((await run(satisfied, { rounds: 5 }, one)).tables['rows']).toMatchObject([{ name: 'T2' }]);
    expect(satisfied.seen).toHaveLength(4);
    expect(satisfied.seen[2]).toContain('A critic said: flaw 1');
    const same = replies(99, false);
    await run(same, { rounds: 5 }, one);
    expect(same.seen).toHaveLength(3);
    const limited = replies(99, true);
    expect((await run(limited, { rounds: 2 }, one)).tables['rows']).toMatchObject([{ name: 'T3' }]);
  });

  it('mends a summary made part by part against every part', async () => {
    const texts = Array.from({ length: 12 }, (_, index) => `Chapter ${index} of ${'the book '.repeat(20)}.`);
    const writer = model((shown, { schema }): Said => {
      const { title } = JSON.parse(/\{"description".*\}/.exec(shown)?.[0] ?? '{"title":"T"}') as {
        title: string;
      };
      if (!('flaws' in (schema!['properties'] as object)))
        return {
          title: shown.includes('A critic said: 11 is missing') ? `${title} and 11` : title,
          description: 'D',
        };
      const isFlawed = shown.includes('Chapter 11 ') && !title.includes('11');
      return { flaws: isFlawed ? '11 is missing' : '', satisfied: !isFlawed };
    });
    const { tables } = await run(
      writer,
      { of: 'documents', long: 'refine', part_tokens: 250, rounds: 3 },
      { inputs: { rows: [{ id: 'a', text: texts.join('\n\n') }] } },
    );
    expect(tables['rows']).toMatchObject([{ title: 'T and 11' }]);
    const criticized = writer.seen.filter((shown) => shown.includes('\n\nSummary: '));
    const parts = Number(/part 1 of (\d+)/.exec(criticized[0]!)?.[1]);
    expect(parts).toBeGreaterThan(1);
    // One round that finds something, one that does not.
    expect(criticized).toHaveLength(2 * parts);
    for (const text of texts) expect(criticized.slice(0, parts).join('\n')).toContain(text);
  });

  it('heeds feedback and prompts of the workflow', async () => {
    const writer = model(() => ({ title: 'x', description: 'y' }));
    await run(
      writer,
      {
        prompt: { text: '{{size}}: {{#each texts}}<{{this}}>{{/each}} {{feedback}}' },
        instructions: 'Short.',
      },
      { inputs: { feedback: [{ id: '0', cluster: 0, name: 'Plastic', feedback: 'say card' }] } },
    );
    expect(writer.seen[0]).toBe(
      '2: <where is my card><my card has not arrived> An earlier title was "Plastic". Feedback of a reader, to be heeded: say card',
    );
  });
});

it('summarizes documents row by row', async () => {
  const long = Array.from({ length: 30 }, (_, index) => `Paragraph ${index} of the document.\n\n`).join('');
  const writer = model((shown, { schema }) =>
    schema ? { title: 'T', description: shown } : `note on ${shown.length}`,
  );
  const { tables, metrics } = await run(
    writer,
    { of: 'documents', part_tokens: 300 },
    {
      inputs: {
        rows: [
          { id: 'short', text: 'A short one.', own: 1 },
          { id: 'long', text: long },
          { id: 'none', text: null },
        ],
        feedback: [{ id: 'short', feedback: 'too long' }],
      },
    },
  );
  expect(tables['rows']).toMatchObject([
    { id: 'short', text: 'A short one.', own: 1, title: 'T' },
    { id: 'long', summary: expect.stringContaining('note on') },
  ]);
  expect(tables['rows']![0]!['summary']).toContain('too long');
  expect(Object.keys(tables['rows']![0]!)).toEqual(['id', 'text', 'own', 'title', 'summary']);
  expect(tables['failed']).toMatchObject([{ id: 'none', reason: 'text is not there' }]);
  expect(metrics).toEqual({ rows: 2 });
});

it('refuses what does not go together', () => {
  const messages = (given: JsonObject) =>
    summarize.check!({ method: 'keywords', of: 'clusters', ...given }).map(({ message }) => message);
  expect(messages({ method: 'model' })).toEqual(['method: model needs a model']);
  expect(messages({ model: 'm' })).toEqual(['model is for method: model']);
  expect(messages({ language: 'ru' })).toHaveLength(1);
  expect(messages({ of: 'documents' })).toHaveLength(1);
});
