import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../engine/execute/random.ts';
import type { JsonObject } from '../../engine/json.ts';
import type { LanguageRequest } from '../../engine/language-model.ts';
import type { AskedModel } from '../../engine/step.ts';
import { runStep } from '../../test/run-step.ts';
import augment from './index.ts';
import { malformed } from './malformed-json.ts';
import { similarity } from './similarity.ts';
import { withoutWords, withTypos } from './typos.ts';

const stream = (...names: (string | number)[]) => randomStream(42, ...names);

describe('without a model', () => {
  const texts = [
    'The card that I ordered two weeks ago has still not arrived, and nobody answers.',
    'Карта, которую я заказал две недели назад, так и не пришла, и никто не отвечает.',
    'Where is it?',
  ];

  it('damages the share that was asked for, of a table as a whole', async () => {
    const rows = Array.from({ length: 150 }, (_, index) => ({
      id: `r${index}`,
      text: `${texts[index % 3]} ${index}`,
    }));
    for (const rate of [0.05, 0.1, 0.15]) {
      for (const method of ['typos', 'missing_words']) {
        const { metrics, tables } = await runStep(augment, {
          with: { methods: [method], rates: [rate] },
          inputs: { rows },
        });
        expect(Math.abs(Number(metrics['edit_rate']) - rate), `${method} ${rate}`).toBeLessThanOrEqual(0.005);
        expect(Number(metrics['variants']) + Number(metrics['rejected'])).toBe(150);
        // What had nothing to damage says the same as its row.
        for (const row of tables['rejected']!)
          expect(row).toMatchObject({ reason: expect.stringContaining('duplicate') });
        for (const row of tables['rows']!) expect(row['edits']).toBeGreaterThan(0);
      }
    }
  });

  it('mistypes letters only, and as often as it says', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 80 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (text, share) => {
          const made = withTypos(text, share, stream(text));
          expect(made).toEqual(withTypos(text, share, stream(text)));
          const other = /[^\p{L}]/gu;
          expect(made.text.match(other)).toEqual(text.match(other));
          const letters = text.match(/\p{L}/gu)?.length ?? 0;
          expect(Math.abs(made.edits - share * letters)).toBeLessThan(1);
          const dropped = withoutWords(text, share, stream(text));
          const words = (said: string) => said.split(/\s+/).filter(Boolean);
          expect(words(dropped.text)).toHaveLength(words(text).length - dropped.edits);
        },
      ),
    );
  });

  it('breaks JSON, always', () => {
    fc.assert(
      fc.property(fc.json(), fc.double({ min: 0.01, max: 1, noNaN: true }), (text, share) => {
        const { text: broken } = malformed(text, share, stream(text))!;
        expect(() => JSON.parse(broken)).toThrow();
      }),
      { numRuns: 300 },
    );
    expect(malformed('{ no', 0.1, stream())).toBeNull();
  });

  it('takes objects as JSON, and keeps the rows where asked', async () => {
    const { tables } = await runStep(augment, {
      with: { methods: ['malformed_json'], rates: [0.2], variants: 2, text: 'answer', keep_original: true },
      inputs: {
        rows: [
          { id: 'a', answer: { one: [1, 2], two: 'x' } },
          { id: 'b', answer: 'no JSON' },
          { id: 'c', answer: null },
        ],
      },
    });
    expect(tables['rows']!.map(({ id, parent_id }) => [id, parent_id])).toEqual([
      ['a', undefined],
      ['a#1', 'a'],
      ['a#2', 'a'],
      ['b', undefined],
    ]);
    expect(tables['rejected']).toMatchObject([{ id: 'b#1', reason: 'the text is no JSON' }, { id: 'b#2' }]);
    expect(tables['failed']).toMatchObject([{ id: 'c', reason: 'answer is not there' }]);
  });
});

it('knows how alike texts are', () => {
  expect(similarity('The Card', 'the  card', 'trigrams')).toBe(1);
  expect(similarity('abc', 'xyz', 'trigrams')).toBe(0);
  expect(similarity('kitten', 'sitting', 'edit')).toBeCloseTo(1 - 3 / 7, 12);
  expect(similarity('', 'a', 'edit')).toBe(0);
});

describe('by a model', () => {
  const model = (
    name: string,
    reply: (request: LanguageRequest) => string,
  ): AskedModel & { seen: LanguageRequest[] } => {
    const seen: LanguageRequest[] = [];
    return {
      name,
      seen,
      async ask(request) {
        seen.push(request);
        const text = reply(request);
        return { text, json: request.schema ? JSON.parse(text) : null } as never;
      },
    };
  };
  const shown = ({ messages }: LanguageRequest) => messages.at(-1)!.content;
  const told = ({ messages }: LanguageRequest) => messages[0]!.content;

  it('rewords, translates there and back, and keeps what is of use', async () => {
    const writer = model('writer', (request) => {
      if (told(request).startsWith('Translate the text into German')) return `auf deutsch: ${shown(request)}`;
      if (told(request).startsWith('Translate')) return 'Where has my card got to';
      return ['where is my CARD!', 'My card is where?', 'my card is where', 'Something else entirely'][
        request.sample!
      ]!;
    });
    const judge = model('judge', (request) =>
      JSON.stringify({ reason: 'it speaks of something else', belongs: shown(request).includes('card') }),
    );
    const { tables, metrics } = await runStep(augment, {
      with: {
        methods: ['paraphrase', 'back_translation'],
        model: 'writer',
        variants: 4,
        label: 'team',
        label_check: { model: 'judge' },
        similarity: { min: 0.02, max: 0.95 },
        instructions: 'Be polite.',
      },
      inputs: {
        rows: [
          { id: 'a', text: 'Where is my card?', team: 'cards' },
          { id: 'b', text: 'My loan', team: null },
        ].slice(0, 1),
      },
      languageModels: { writer, judge },
    });
    expect(tables['rows']!.map(({ id, text, augmentation }) => [id, text, augmentation])).toEqual([
      ['a#2', 'My card is where?', 'paraphrase'],
      ['a#5', 'Where has my card got to', 'back_translation'],
    ]);
    expect(tables['rows']![1]).toMatchObject({ pivot: 'de', team: 'cards', parent_id: 'a' });
    expect(tables['rejected']!.map(({ id, reason }) => [id, String(reason).split(/[:(]/)[0]])).toEqual([
      ['a#1', 'duplicate'],
      ['a#3', 'duplicate'],
      ['a#4', 'similarity'],
      ['a#6', 'duplicate'],
      ['a#7', 'duplicate'],
      ['a#8', 'duplicate'],
    ]);
    expect(metrics).toMatchObject({ rows: 1, variants: 2, rejected: 6 });
    expect(told(writer.seen[0]!)).toContain('class "cards"');
    expect(told(writer.seen[0]!)).toContain('Be polite.');
  });

  it('asks whether the label is kept', async () => {
    const writer = model('writer', () => 'Is my loan ready by now?');
    const judge = model('judge', () => JSON.stringify({ reason: 'a loan', belongs: false }));
    const { tables } = await runStep(augment, {
      with: { methods: ['contextual'], model: 'writer', label: 'team', label_check: { model: 'judge' } },
      inputs: {
        rows: [
          { id: 'a', text: 'Is my card ready by now?', team: 'cards' },
          { id: 'b', text: 'x', team: 'loans' },
        ],
      },
      languageModels: { writer, judge },
    });
    expect(tables['rejected']).toMatchObject([
      { id: 'a#1', reason: 'label: it is not cards any more (a loan)' },
      { id: 'b#1' },
    ]);
    expect(told(judge.seen[0]!)).toContain('other classes are: loans');
  });

  it('refuses what does not go together', () => {
    const messages = (given: JsonObject) => augment.check!(given).map(({ message }) => message);
    expect(messages({ methods: ['paraphrase'] })).toEqual(['methods: paraphrase needs a model']);
    expect(messages({ methods: ['typos'], model: 'm' })).toHaveLength(1);
    expect(messages({ methods: ['typos'], label_check: { model: 'm' } })).toHaveLength(1);
    expect(messages({ methods: ['typos'], similarity: { min: 0.9, max: 0.1 } })).toHaveLength(1);
  });
});
