import { expect, it } from 'vitest';
import { terminalProse, wrap } from './prose.ts';

it('wraps at words, and leaves words that are too long whole', () => {
  expect(wrap('one two  three\nfour', 9)).toBe('one two\nthree\nfour');
  expect(wrap('a-very-long-word b', 6, '  ')).toBe('a-very-long-word\n  b');
  expect(wrap('日本 日本 x', 5)).toBe('日本\n日本\nx');
  expect(wrap('', 5)).toBe('');
});

it('joins the lines of a paragraph, keeps lists and paragraphs, and paints what is bold', () => {
  const text = 'First line\nsecond line.\n\n- an item\n  of two lines\n- **bold** item\n\nLast.';
  expect(terminalProse(text, 80, (bold) => `<${bold}>`)).toBe(
    'First line second line.\n\n- an item of two lines\n- <bold> item\n\nLast.',
  );
});

it('lines up the columns of a table', () => {
  expect(terminalProse('| model | n |\n|---|---|\n| a | 1 |', 80, (text) => text)).toBe('model  n\na      1');
});
