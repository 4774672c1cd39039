import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Given } from './given.ts';
import { compilePatterns, readText } from './verdict.ts';

const given = (more: Partial<Given>): Given =>
  ({ mode: 'score', scale: '1-10', criteria: [], patterns: {}, ties: true, ...more }) as Given;

/** Texts that look like verdicts more often than by chance. */
const texts = fc
  .array(
    fc.oneof(fc.string(), fc.constantFrom('[[', ']]', 'A', 'B', 'C', '[[A]]', '[[7]]', '[[11]]', '-', '.5')),
  )
  .map((parts) => parts.join(''));

it('a score is on the scale, or there is none', () => {
  fc.assert(
    fc.property(texts, fc.boolean(), (text, atEnd) => {
      const reading = readText(given({}), text, compilePatterns({ ...given({}), atEnd }));
      if ('unusable' in reading) expect(reading.unusable).not.toBe('');
      else {
        expect(reading.scores!['score']).toBeGreaterThanOrEqual(1);
        expect(reading.scores!['score']).toBeLessThanOrEqual(10);
        const found = [...text.matchAll(/\[\[(\d+(?:\.\d+)?)\]\]/g)];
        expect(reading.scores!['score']).toBe(Number(found.at(atEnd ? -1 : 0)![1]));
      }
    }),
  );
});

it('a verdict on pairs is one that stands in the text; no tie where none may be', () => {
  const pairs = given({ mode: 'pairwise' });
  const letters = { first: 'A', second: 'B', tie: 'C' };
  fc.assert(
    fc.property(texts, fc.boolean(), fc.boolean(), (text, ties, atEnd) => {
      const reading = readText({ ...pairs, ties }, text, compilePatterns({ patterns: {}, ties, atEnd }));
      const stands = (letter: string) => text.includes(`[[${letter}]]`);
      if ('unusable' in reading) expect([stands('A'), stands('B'), ties && stands('C')]).not.toContain(true);
      else {
        expect(stands(letters[reading.shown!])).toBe(true);
        if (!ties) expect(reading.shown).not.toBe('tie');
        const all = [...text.matchAll(ties ? /\[\[([ABC])\]\]/g : /\[\[([AB])\]\]/g)].map(
          ([, letter]) => letter!,
        );
        // By the order of the patterns, as MT-bench has it; or the last one.
        expect(letters[reading.shown!]).toBe(atEnd ? all.at(-1) : all.sort()[0]);
      }
    }),
  );
});
