import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { instantOf, secondsOf, timestampsIn } from './times.ts';

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

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

it('reads points in time in ISO 8601 and numbers, whatever the zone of the machine', () => {
  for (const machine of ['UTC', 'America/New_York']) {
    process.env['TZ'] = machine;
    expect(new Date(0).getTimezoneOffset()).toBe(machine === 'UTC' ? 0 : 300);
    for (const [value, instant] of [
      ['2026', '2026-01-01T00:00:00.000Z'],
      ['2026-11', '2026-11-01T00:00:00.000Z'],
      ['2026-11-21', '2026-11-21T00:00:00.000Z'],
      ['20261121', '2026-11-21T00:00:00.000Z'],
      ['20261121T091502Z', '2026-11-21T09:15:02.000Z'],
      ['2026-11-21T23:30:00', '2026-11-21T23:30:00.000Z'],
      [' 2026-11-21 23:30 ', '2026-11-21T23:30:00.000Z'],
      ['2026-11-21T23:30:00.25z', '2026-11-21T23:30:00.250Z'],
      ['2026-11-21 23:30:00,123456 UTC', '2026-11-21T23:30:00.123Z'],
      ['2026-11-21T23:30:00-05:00', '2026-11-22T04:30:00.000Z'],
      ['2026-11-21 23:30:00 +0530', '2026-11-21T18:00:00.000Z'],
      ['2026-11-21 23:30:00+01', '2026-11-21T22:30:00.000Z'],
      ['2024-02-29T24:00:00Z', '2024-03-01T00:00:00.000Z'],
      ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
      ['0050-01-01', '0050-01-01T00:00:00.000Z'],
      [1_767_225_600, '2026-01-01T00:00:00.000Z'],
      [1_767_225_600_000, '2026-01-01T00:00:00.000Z'],
      ['1767225600', '2026-01-01T00:00:00.000Z'],
      ['1767225600123.5', '2026-01-01T00:00:00.123Z'],
      [-1, '1969-12-31T23:59:59.000Z'],
    ] as const)
      expect(new Date(instantOf(value)).toISOString(), String(value)).toBe(instant);
  }
});

it('takes nothing else for a point in time', () => {
  const wrong = [
    'class 5',
    'room 12',
    'v 2',
    'soon',
    '',
    '5',
    '2026-02-30',
    '2026-13',
    '2026-1-2',
    '11/21/2026',
  ];
  const clocks = ['2026-11-21T25:00', '2026-11-21T24:01', '2026-11-21T09:60', '2026-11-21T09:00+99:00'];
  // Microseconds and nanoseconds since 1970.
  const far = [1_767_225_600_000_000, 1_767_225_600_000_000_000, '1767225600000000'];
  for (const value of [...wrong, ...clocks, ...far, null, true, [], {}, Number.POSITIVE_INFINITY])
    expect(instantOf(value), JSON.stringify(value)).toBeNaN();
});

it('reads back what is written of any point in time', () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date('0000-01-02T00:00:00Z'),
        max: new Date('9999-12-30T00:00:00Z'),
        noInvalidDate: true,
      }),
      fc.integer({ min: -1439, max: 1439 }),
      (date, minutes) => {
        const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const two = (value: number) => String(value).padStart(2, '0');
        const text = `${local}${minutes < 0 ? '-' : '+'}${two(hour)}:${two(minute)}`;
        expect(instantOf(text)).toBeCloseTo(date.getTime(), 2);
      },
    ),
  );
});
