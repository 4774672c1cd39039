import { expect, it } from 'vitest';
import { flaws } from './checks.ts';
import type { Domain } from './domain.ts';

const found = (original: string, compressed: string, domain: Domain = 'text') =>
  flaws(original, compressed, {
    preserve: ['code', 'links', 'numbers', 'quotes'],
    force: ['KEEP'],
    domain,
    rewritten: true,
  });

it('finds what is lost or broken', () => {
  const text = 'KEEP the 3 cards from https://a.org/x, "as is", in `code()` (all of them).';
  expect(found(text, 'KEEP 3 https://a.org/x "as is" `code()`')).toEqual([]);
  expect(found(text, 'cards')).toEqual(['lost: "https://a.org/x", "\\"as is\\"", "`code()`", and 2 more']);
  expect(found('some words', ' ')).toEqual(['nothing is left']);
  expect(found('', '')).toEqual([]);
  expect(found('some words', 'some \uFFFD')).toEqual([expect.stringContaining('encoding')]);
  expect(found('some\uFFFD words', 'some\uFFFD')).toEqual([]);
  expect(found('some words', '\ud800 some')).toEqual([expect.stringContaining('encoding')]);
  expect(found('some words here', 'несколько слов')).toEqual([expect.stringContaining('language')]);
  expect(found('a (b) c', 'a (b c')).toEqual([expect.stringContaining('brackets ()')]);
  expect(found('a) b', 'a')).toEqual([]);
  expect(found('{"a": 1}', '{a: 1}', 'json')).toContainEqual('structure: it is no JSON any more');
  expect(found('x\n```\ny\n```', '```\ny\n')).toContainEqual('structure: a block of code does not end');
});
