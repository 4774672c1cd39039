import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import { compileSchema } from '../../engine/workflow/schema-check.ts';
import { runStep } from '../../test/run-step.ts';
import { gopherQuality, gopherRepetition } from './gopher.ts';
import quality from './index.ts';
import type { Rules } from './parameters.ts';
import { tokensOf } from './tokens.ts';
import { c4Quality, fineWebQuality } from './web-text.ts';

const rows = (...texts: unknown[]): Row[] => texts.map((text, index) => ({ id: `r${index}`, text }) as Row);
const ids = (table: Row[] | undefined) => table?.map((row) => row.id);
const defaults = (given: JsonObject) => compileSchema(quality.parameters).parse(given) as unknown as Rules;

describe('the rules of DataTrove', () => {
  const fixture = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/datatrove.json'), 'utf8')) as {
    cases: {
      text: string;
      gopher_quality: string[];
      gopher_repetition: string[];
      fineweb: string[];
      c4: string | null;
      c4_text: string | null;
    }[];
  };
  const rules = defaults({
    gopher_quality: {},
    gopher_repetition: {},
    fineweb: {},
    c4: { min_num_sentences: -1 },
  });

  it('flag the same texts for the same reasons', () => {
    expect(fixture.cases.length).toBeGreaterThan(20);
    for (const { text, ...expected } of fixture.cases) {
      const tokens = tokensOf(text);
      const c4 = c4Quality(text, rules.c4!);
      expect({
        gopher_quality: gopherQuality(text, tokens, rules.gopher_quality!).sort(),
        gopher_repetition: gopherRepetition(text, tokens, rules.gopher_repetition!).sort(),
        fineweb: fineWebQuality(text, tokens, rules.fineweb!).sort(),
        c4: c4.reasons[0] ?? null,
        c4_text: c4.reasons.length > 0 ? null : c4.text,
      }).toEqual(expected);
    }
  });

  it('count sentences for C4', async () => {
    const few = 'One sentence is here. Another one is there. And a third one as well.';
    const { tables } = await runStep(quality, {
      with: { c4: {} },
      inputs: { rows: rows(few, `${few} ${few}\nNo full stop\nA line with JavaScript in it.`) },
    });
    expect(tables['rejected']).toMatchObject([{ id: 'r0', text: few, reasons: ['too_few_sentences'] }]);
    expect(tables['rows']).toEqual([{ id: 'r1', text: `${few} ${few}` }]);
  });
});

describe('quality', () => {
  it('tells languages, and rejects those that are not wanted', async () => {
    const { tables, metrics } = await runStep(quality, {
      with: { language: { keep: ['en', 'ru'] } },
      inputs: {
        rows: rows(
          'How do I locate my card?',
          'Человек режет огурец.',
          'Der schnelle braune Fuchs springt über den Hund',
          'ok',
        ),
      },
    });
    expect(tables['rows']).toEqual([
      { id: 'r0', text: 'How do I locate my card?', language: 'en', language_confidence: 0.926994 },
      expect.objectContaining({ id: 'r1', language: 'ru' }),
    ]);
    expect(tables['rejected']).toMatchObject([
      { id: 'r2', language: 'de', reasons: ['language'] },
      { id: 'r3', language: 'und', reasons: ['language'] },
    ]);
    expect(metrics).toEqual({ rejected: 2, rejected_share: 0.5, kept: 2 });
  });

  it('gives every reason, and counts each', async () => {
    const { tables } = await runStep(quality, {
      with: { length: { min_characters: 4, min_words: 2, max_words: 3 }, pii: ['email', 'card'] },
      inputs: {
        rows: rows(
          'a',
          'two words',
          'one two three four',
          'mail a@example.com',
          '👍👍👍👍',
          null,
          'pay 4111 1111 1111 1111 now',
        ),
      },
    });
    expect(ids(tables['rows'])).toEqual(['r1']);
    expect(tables['rejected']!.map((row) => row['reasons'])).toEqual([
      ['too_few_characters', 'too_few_words'],
      ['too_many_words'],
      ['too_many_words', 'pii_email'],
      ['too_few_words'],
      ['no_text'],
      ['too_many_words', 'pii_card'],
    ]);
    expect(tables['reasons']!.map((row) => [row['reason'], row['rows'], row['alone']])).toEqual([
      ['too_many_words', 3, 1],
      ['too_few_words', 2, 1],
      ['no_text', 1, 1],
      ['pii_card', 1, 0],
      ['pii_email', 1, 0],
      ['too_few_characters', 1, 0],
    ]);
  });

  it('only marks, if it is told to', async () => {
    const { tables, metrics } = await runStep(quality, {
      with: { length: { min_words: 2 }, on_fail: 'mark' },
      inputs: { rows: rows('a', 'a b') },
    });
    expect(tables['rows']!.map((row) => row['reasons'])).toEqual([['too_few_words'], []]);
    expect(tables['rejected']).toEqual([]);
    expect(metrics['rejected']).toBe(1);
  });

  it('finds texts that share 13 words with an evaluation set', async () => {
    const known =
      'If a train leaves the station at noon and another one follows it an hour later, when do they meet?';
    const { tables } = await runStep(quality, {
      with: { contamination: { fields: ['question'] } },
      inputs: {
        rows: rows(
          `Solve this: "if a train leaves the station at NOON and another one follows it" is how it starts`,
          'If a train leaves the station at noon and another one arrives, who waits?',
          'What is two and two?',
          'What is two and two? Say it.',
          '',
        ),
        against: [
          { id: 't0', question: known },
          { id: 't1', question: 'What is two and two?' },
          { id: 't2', question: '' },
          { id: 't3', question: null },
        ],
      },
    });
    expect(tables['rejected']!.map((row) => [row.id, row['reasons']])).toEqual([
      ['r0', ['contaminated']],
      ['r2', ['contaminated']],
    ]);
  });

  const everything = {
    language: {},
    length: { min_characters: 1 },
    gopher_quality: {},
    gopher_repetition: {},
    c4: {},
    fineweb: {},
    pii: ['email', 'phone', 'card', 'ip', 'key'],
    contamination: {},
  };

  it.each([
    ['no rows', []],
    ['one row', ['a']],
    ['equal rows', Array.from({ length: 3000 }, () => 'the same')],
    ['empty texts and white space', ['', ' ', '\n\n']],
    ['a long text', ['the and of '.repeat(10_000)]],
    ['one long word', ['x'.repeat(100_000)]],
    [
      'long runs of digits and marks',
      ['1'.repeat(50_000), '. '.repeat(50_000), '-'.repeat(100_000), ':'.repeat(50_000)],
    ],
    ['addresses that never end', ['a.'.repeat(50_000), `${'a'.repeat(50_000)}@`, `a@${'b.'.repeat(50_000)}`]],
    ['broken characters', ['\ud800', 'a\u0000b', '\ufffe']],
  ])('takes %s with every rule on', async (_, texts) => {
    const input = rows(...texts);
    const { tables, metrics } = await runStep(quality, {
      with: everything,
      inputs: { rows: input, against: rows('something else') },
    });
    expect(tables['rows']!.length + tables['rejected']!.length).toBe(input.length);
    expect(metrics['rejected']).toBe(tables['rejected']!.length);
  });

  it('takes every naughty string', async () => {
    const file = join(import.meta.dirname, '../../test/hostile/naughty-strings/blns.json');
    const input = rows(...(JSON.parse(readFileSync(file, 'utf8')) as string[]));
    const { tables } = await runStep(quality, {
      with: everything,
      inputs: { rows: input, against: [] },
    });
    expect(tables['rows']!.length + tables['rejected']!.length).toBe(input.length);
  });

  it('says what is missing', async () => {
    const run = (given: JsonObject, input: Row[]) =>
      runStep(quality, { with: given, inputs: { rows: input } });
    await expect(run({ contamination: {} }, rows('a'))).rejects.toMatchObject({ code: 'no-against' });
    await expect(run({ length: {}, text: 'txet' }, rows('a'))).rejects.toMatchObject({
      code: 'missing-field',
    });
    expect(quality.check?.(compileSchema(quality.parameters).parse({}))).toMatchObject([
      { message: expect.stringContaining('no rule is on') },
    ]);
  });
});
