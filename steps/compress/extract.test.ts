import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flaws } from './checks.ts';
import { type ExtractOptions, extract } from './extract.ts';
import { countedScores, countTexts, namesIn } from './informativeness.ts';
import { countWords } from './pieces.ts';
import { preservable } from './protected-spans.ts';

const characters = (text: string) => [...text].length;

function shorten(text: string, given: Partial<ExtractOptions> = {}): string {
  const counts = countTexts([text]);
  return extract(text, {
    rate: 0.5,
    level: 'word',
    preserve: preservable,
    force: [],
    scores: countedScores(counts, 'idf'),
    isName: namesIn(counts),
    count: characters,
    ...given,
  });
}

const plain = {
  english:
    'the of a to garden river slowly because window table made paper light with green walked under morning stone house from then market bread open small'.split(
      ' ',
    ),
  russian:
    'и в на с сад река медленно потому окно стол сделал бумага свет зелёный шёл под утро камень дом из тогда рынок хлеб открытый маленький'.split(
      ' ',
    ),
};
/** What must be there again, as often as before. */
const fixed = {
  english: [
    '`x += 1`',
    '"as it is, here"',
    '3,451.5',
    '12:30',
    '-7 %',
    '$20',
    'Ada Lovelace',
    'NASA',
    'parseText',
    '§forced§',
    '{{name}}',
    'https://example.org/a?b=1',
    'never closed',
  ],
  russian: [
    '`y = f(x)`',
    '«так и есть, здесь»',
    '1 000',
    '3,5%',
    'Анна Каренина',
    'МГУ',
    '§forced§',
    '{имя_1}',
    'не работает',
    'нельзя войти',
  ],
};

/** Sentences of plain words with fixed parts in them, in paragraphs, with brackets and commas. */
function texts(
  language: 'english' | 'russian',
  least: number,
): fc.Arbitrary<{ text: string; parts: string[] }> {
  const word = fc.constantFrom(...plain[language]);
  const part = fc.constantFrom(...fixed[language]);
  const item = fc.oneof(
    { weight: 14, arbitrary: word.map((text) => ({ text, part: '' })) },
    { weight: 1, arbitrary: part.map((text) => ({ text, part: text })) },
    { weight: 1, arbitrary: fc.tuple(word, word).map(([a, b]) => ({ text: `(${a} ${b})`, part: '' })) },
    { weight: 1, arbitrary: word.map((text) => ({ text: `${text},`, part: '' })) },
  );
  const sentence = fc
    .tuple(word, fc.array(item, { minLength: 6, maxLength: 14 }), fc.constantFrom('.', '?', '!'))
    .map(([first, rest, end]) => ({
      text: `${first.charAt(0).toUpperCase()}${first.slice(1)} ${rest.map(({ text }) => text).join(' ')} ${plain[language][4]}${end}`,
      parts: rest.flatMap(({ part: own }) => (own === '' ? [] : [own])),
    }));
  const gap = fc.constantFrom(' ', ' ', '\n', '\n\n');
  return fc.array(fc.tuple(sentence, gap), { minLength: least, maxLength: least + 12 }).map((all) => ({
    text: all
      .map(([{ text }, space]) => text + space)
      .join('')
      .trimEnd(),
    parts: all.flatMap(([{ parts }]) => parts),
  }));
}

const times = (text: string, part: string) => text.split(part).length - 1;

describe.each(['english', 'russian'] as const)('%s', (language) => {
  it('keeps what must survive, as often as it was there, in its order, and adds nothing', () => {
    fc.assert(
      fc.property(
        texts(language, 2),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.constantFrom('word', 'phrase', 'sentence'),
        ({ text, parts }, rate, level) => {
          const force = ['§forced§'];
          const short = shorten(text, { rate, level, force });
          for (const part of new Set(parts)) expect(times(short, part)).toBe(times(text, part));
          const checked = { preserve: preservable, force, domain: 'text', rewritten: false } as const;
          expect(flaws(text, short, checked)).toEqual([]);
          // A subsequence: every character but white space comes from the text, in its order.
          let at = 0;
          for (const character of short.replace(/\s/g, '')) {
            at = text.indexOf(character, at) + 1;
            expect(at).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 120 },
    );
  });

  it('meets the rate within 2 points, at every level, unless what is preserved is longer', () => {
    fc.assert(
      fc.property(
        texts(language, 20),
        fc.double({ min: 0.1, max: 0.95, noNaN: true }),
        fc.constantFrom('word', 'phrase', 'sentence'),
        fc.constantFrom(characters, countWords),
        ({ text }, rate, level, count) => {
          const least = count(shorten(text, { rate: 1e-9, level, count })) / count(text);
          const reached = count(shorten(text, { rate, level, count })) / count(text);
          if (least > rate) expect(reached).toBe(least);
          else expect(Math.abs(reached - rate)).toBeLessThanOrEqual(0.02);
        },
      ),
      { numRuns: 60 },
    );
  });
});

it('meets the rate where all words say the same', () => {
  const text = Array.from({ length: 200 }, () => 'stone').join(' ');
  for (const rate of [0.13, 0.3, 0.5, 0.77, 0.99])
    expect(countWords(shorten(text, { rate, count: countWords }))).toBe(Math.round(200 * rate));
});

it('changes nothing at the full length, and nothing where there are no words', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      expect(shorten(text, { rate: 1 })).toBe(text);
      expect(typeof shorten(text, { rate: 0.3 })).toBe('string');
    }),
  );
  expect(shorten('?! … —')).toBe('?! … —');
  expect(shorten('')).toBe('');
});

it('leaves out what says least, and what hangs on it', () => {
  const text =
    'The garden of the house is open (for a small fee) until the evening. It is not heated in winter.';
  const short = shorten(text, { rate: 0.75 });
  expect(short).toBe('The garden the house open (for small fee) evening. It not heated winter.');
  expect(shorten(text, { rate: 0.4 })).toContain('not heated');
});

it('takes equals from all over the text', () => {
  const words = Array.from(
    { length: 64 },
    (_, index) => `w${String.fromCharCode(97 + (index >> 3), 97 + (index & 7))}`,
  );
  for (const rate of [0.25, 0.5, 0.75]) {
    const kept = shorten(words.join(' '), { rate, count: countWords }).split(' ');
    expect(kept).toHaveLength(64 * rate);
    for (const quarter of [0, 16, 32, 48])
      expect(words.slice(quarter, quarter + 16).filter((word) => kept.includes(word))).toHaveLength(
        16 * rate,
      );
  }
});

it('keeps numbers with their bounds and units', () => {
  const text =
    'We do ask every one of the customers for payments of more than $250 within 2 days, at least three times, and for weights up to 5 kg. Больше 15 000 руб. мы никому сегодня возвращать, конечно же, будем.';
  const short = shorten(text, { rate: 0.01 });
  for (const part of ['more than $250', 'within 2', 'at least three', 'up to 5 kg', '15 000 руб'])
    expect(short).toContain(part);
});

it.each([
  '5 °C',
  '5°C',
  '−5 °F',
  '20 °',
  '5 mg',
  '5 mg/kg',
  '90 km/h',
  '9.81 m/s²',
  '1.2 kg/m³',
  '10:30 a.m.',
  '9 pm',
  '5 m',
  '3 s',
  '2 t',
  '5 €',
  '7 %',
  '25 EUR',
  '5 см',
  '60 км/ч',
  '36,6 °С',
  '15 000 руб',
  '2024 г',
])('keeps the unit behind a number: %s', (number) => {
  for (const text of [
    `The garden was measured at ${number}, slowly under the window.`,
    `Сад был измерен, ${number} (под окном).`,
  ])
    expect(shorten(text, { rate: 0.01 })).toContain(`${number}`);
  expect(shorten(`They said ${number} and went.`, { rate: 0.01 })).toContain(number);
});

it('takes no word for a unit', () => {
  expect(shorten('They bought 5 in the garden, 7 at the window.', { rate: 0.01 })).not.toMatch(/5 in|7 at/);
  expect(shorten('Мы были там в 5 с друзьями и собаками.', { rate: 0.01 })).not.toContain('5 с');
});

it('keeps a name that begins a sentence', () => {
  const text = 'Berlin welcomed all 30 of them. Gardens were open there, and small gardens were green.';
  expect(shorten(text, { rate: 0.01 })).toContain('Berlin');
  expect(shorten(text, { rate: 0.01 })).not.toContain('Gardens');
});

it('keeps code, also with fences that do not end and indented, and lists as lists', () => {
  const code = '```ts\nconst the = a;\n```';
  const text = `Please look at the code below and tell me what it does.\n\n${code}\n\n- the first point of all\n- the second point of them\n\nAnd this is it:\n\n    indented(the, code)\n`;
  const short = shorten(text, { rate: 0.6 });
  expect(short).toContain(code);
  expect(short).toContain('    indented(the, code)');
  expect(short.match(/^- /gm)).toHaveLength(2);
  expect(shorten(`Some words in front of it:\n\n~~~\nthe a of\n`, { rate: 0.2 })).toContain(
    '~~~\nthe a of\n',
  );
});

it('tells names from the first words of sentences', () => {
  const text =
    'Yesterday John Smith of the Bank of America met Mr. Brown in Paris. Gardens are green there. He saw that all of the small gardens were open.';
  const short = shorten(text, { rate: 0.01 });
  expect(short).toContain('John Smith');
  expect(short).toContain('Bank of America');
  expect(short).toContain('Brown');
  expect(short).toContain('Paris');
  expect(short).not.toMatch(/Gardens|He/);
});

it('writes Chinese and Japanese without spaces', () => {
  const short = shorten('今天天气很好，我们去公园散步，然后回家吃饭。', { rate: 0.5 });
  expect(short).not.toContain(' ');
  expect(characters(short)).toBeLessThan(16);
});
