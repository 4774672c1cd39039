import fc from 'fast-check';
import { expect, it } from 'vitest';
import { flaws } from './checks.ts';
import type { Domain } from './domain.ts';
import { type Preserved, preservable } from './protected-spans.ts';

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

it('finds numbers, links and forced words only as a whole, with their units', () => {
  expect(found('take 5 or 15 drops', 'take 15 drops')).toEqual(['lost: "5"']);
  expect(found('it is 5 today', 'is 1.5')).toEqual(['lost: "5"']);
  expect(found('it is 5 today', 'is -5')).toEqual(['lost: "5"']);
  expect(found('it is 5 today', 'is 5.2')).toEqual(['lost: "5"']);
  expect(found('for 5 mg/kg of it', '5 mg')).toEqual(['lost: "5 mg/kg"']);
  expect(found('at 5 °C, at 90 km/h', '5°C 90km/h')).toEqual([]);
  expect(found('between 5 and 10, of 7', '5-10 (7).')).toEqual([]);
  expect(found('see https://a.org/x for it', 'https://a.org/xy')).toEqual(['lost: "https://a.org/x"']);
  expect(found('see https://a.org/x for it', '(https://a.org/x).')).toEqual([]);
  expect(found('we KEEP it', 'KEEPER')).toEqual(['lost: "KEEP"']);
  expect(found('f(1, 2)\nx = a - 3', 'f(1,2);x=a-3', 'code')).toEqual([]);
});

it('finds names and negations that a model left out', () => {
  const text = 'Patients must not take 5 or 15 drops of this drug before sleep, says Doctor John Smith.';
  const wrong = (compressed: string, preserve: Preserved[], rewritten = true) =>
    flaws(text, compressed, { preserve, force: [], domain: 'text', rewritten });
  const asked: Preserved[] = ['numbers', 'names', 'negations'];
  expect(wrong('Patients must take 15 drops of this drug before sleep.', asked)).toEqual([
    'lost: "5", "Doctor", "John", and 1 more',
    'negations: the text has 1, and 1 of them are gone',
  ]);
  expect(wrong("Don't take 5 or 15 drops before sleep (Doctor John Smith)", asked)).toEqual([]);
  expect(wrong('Patients are forbidden 5 or 15 drops before sleep', ['numbers', 'negations'])).toEqual([]);
  expect(wrong('Patients take 5 or 15 drops', ['numbers'])).toEqual([]);
  expect(wrong('Patients take 5 or 15 drops', asked, false)).toEqual([]);
});

it('finds nothing in a text that stays as it is', () => {
  const words = fc.constantFrom(
    '-5',
    '5',
    '15',
    '1.5',
    '/6',
    '³',
    '../a.md',
    '](',
    'a',
    '€',
    'mg',
    '+4',
    '.',
    ',',
    '(',
    ')',
    "'",
    '%',
    'https://a.b',
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(words, fc.constantFrom('', ' '))),
      fc.constantFrom('text', 'code'),
      (parts, domain) => {
        const text = parts.flat().join('');
        const options = { preserve: preservable, force: ['a'], domain, rewritten: true } as const;
        expect(flaws(text, text, options)).toEqual([]);
      },
    ),
  );
});
