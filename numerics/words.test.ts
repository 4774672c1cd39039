import { describe, expect, it } from 'vitest';
import { stem } from './stem.ts';
import { isStopWord } from './stop-words.ts';
import { join, phrases } from './words.ts';

describe('phrases', () => {
  it.each([
    ["Why hasn't my top-up arrived?", [['Why', "hasn't", 'my', 'top', 'up', 'arrived']]],
    ['Lost card, new PIN (urgent)', [['Lost', 'card'], ['new', 'PIN'], ['urgent']]],
    [
      'Где мои деньги? Жду 2 недели.',
      [
        ['Где', 'мои', 'деньги'],
        ['Жду', '2', 'недели'],
      ],
    ],
    ['ÜBER cafe\u0301', [['ÜBER', 'café']]],
    ['हिन्दी में मदद', [['हिन्दी', 'में', 'मदद']]],
    ['🙂 … !!', []],
    ['', []],
  ])('finds the words of %j', (text, expected) => {
    expect(phrases(text)).toEqual(expected);
  });
});

describe('phrases of scripts without spaces', () => {
  // Where the words end is up to the dictionaries of the runtime.
  it.each(['我的卡丢了。怎么办', 'カードが届きません。いつ届きますか', 'บัตรของฉันอยู่ที่ไหน'])(
    'cuts %s',
    (text) => {
      const found = phrases(text);
      expect(found).toHaveLength(text.split('。').length);
      expect(found.map((words) => words.join('')).join('。')).toBe(text);
      for (const words of found) expect(words.length).toBeGreaterThan(1);
    },
  );
});

describe('join', () => {
  it('puts no space between Chinese words', () => {
    expect(join(['lost', 'card'])).toBe('lost card');
    expect(join(['银行', '卡'])).toBe('银行卡');
    expect(join(['Visa', '卡'])).toBe('Visa 卡');
  });
});

describe('isStopWord', () => {
  it.each(['the', "what's", 'I’ve'.toLowerCase(), "don't", 'как', 'мой'])('knows %s', (word) => {
    expect(isStopWord(word)).toBe(true);
  });
  it.each(['card', 'not-a-word', 'карта', "driver's"])('lets %s pass', (word) => {
    expect(isStopWord(word)).toBe(false);
  });
});

describe('stem', () => {
  it('brings forms of a word together, in English and in Russian', () => {
    for (const forms of [
      ['card', 'cards', "card's"],
      ['arrive', 'arrived', 'arriving'],
      ['карта', 'карты', 'картой'],
    ])
      expect(new Set(forms.map(stem)).size).toBe(1);
    expect(stem('cash')).not.toBe(stem('cost'));
  });
});
