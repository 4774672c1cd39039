import fc from 'fast-check';
import { expect, it } from 'vitest';
import { secondsOf, timestampsIn } from './times.ts';

it('reads durations as people and ISO 8601 write them', () => {
  for (const [text, seconds] of [
    ['90', 90],
    ['1:30', 90],
    ['01:00:05.5', 3605.5],
    ['PT1M30S', 90],
    ['P1DT2H', 93_600],
    ['PT0.5S', 0.5],
    ['90 s', 90],
    ['1.5 min', 90],
    ['250ms', 0.25],
    ['P', null],
    ['PT', null],
    ['1:75', null],
    ['soon', null],
    ['', null],
  ] as const)
    expect(secondsOf(text), text).toBe(seconds);
  expect(secondsOf(12)).toBe(12);
  expect(secondsOf(-1)).toBeNull();
});

it('finds times in a text and tells which there are not', () => {
  expect(timestampsIn('[00:00:01,500] a 1:02 b 00:61 c 90:00 and 1:2:3 or 2026-11-21')).toEqual([
    { text: '00:00:01,500', seconds: 1.5 },
    { text: '1:02', seconds: 62 },
    { text: '00:61', seconds: null },
    { text: '90:00', seconds: 5400 },
    { text: '1:2:3', seconds: null },
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 359_999 }), (total) => {
      const two = (value: number) => String(value).padStart(2, '0');
      const text = `${two(Math.floor(total / 3600))}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
      expect(timestampsIn(`at ${text}.`)).toEqual([{ text, seconds: total }]);
    }),
  );
});
