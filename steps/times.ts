import type { Json } from '../engine/json.ts';
import { StepError } from '../engine/problems.ts';

const clock = /(?<![\d:.])(?:(\d{1,3}):)?(\d{1,3}):(\d{1,3})(?:[.,](\d{1,6}))?(?![\d:])/gu;

/** Times in a text, `h:mm:ss`, `mm:ss` and so on, in seconds; null where there is no such time (`00:75`). */
export function timestampsIn(text: string): { text: string; seconds: number | null }[] {
  return Array.from(text.matchAll(clock), ({ 0: shown, 1: hours, 2: minutes, 3: seconds, 4: fraction }) => {
    // Of a recording without hours, minutes may pass 59.
    const isPossible =
      Number(seconds) < 60 && seconds!.length === 2 && (hours === undefined || Number(minutes) < 60);
    const whole = Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds);
    return { text: shown, seconds: isPossible ? whole + Number(`0.${fraction ?? 0}`) : null };
  });
}

const iso = /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/u;
const units: { readonly [unit: string]: number } = {
  ms: 0.001,
  s: 1,
  sec: 1,
  min: 60,
  m: 60,
  h: 3600,
  d: 86_400,
};
const counted = /^(\d+(?:\.\d+)?)\s*(ms|s|sec|min|m|h|d)$/u;

/** A duration in seconds: a number, `1:30`, `PT1M30S` (ISO 8601), `90 s`; null if it is none. */
export function secondsOf(value: Json): number | null {
  if (typeof value === 'number') return value >= 0 ? value : null;
  if (typeof value !== 'string') return null;
  const text = value.trim();
  if (/^\d+(?:\.\d+)?$/u.test(text)) return Number(text);
  const [only] = timestampsIn(text);
  if (only?.text === text) return only.seconds;
  const simple = counted.exec(text);
  if (simple) return Number(simple[1]) * units[simple[2]!]!;
  const parts = iso.exec(text)?.slice(1);
  if (!parts?.some((part) => part !== undefined)) return null;
  const [days, hours, minutes, seconds] = parts.map((part) => Number(part ?? 0));
  return days! * 86_400 + hours! * 3600 + minutes! * 60 + seconds!;
}

/** Numbers below this are seconds since 1970, as most logs have them; as milliseconds they would be before March 1973. */
const mostSeconds = 1e11;
/** The first and last millisecond of the years 0 to 9999: logs' microseconds and nanoseconds lie far outside. */
const [firstInstant, lastInstant] = [-62_167_219_200_000, 253_402_300_799_999];
const countsSince1970 = /^-?\d{9,13}(?:\.\d+)?$/u;
/** Extended and basic form of ISO 8601; like RFC 3339 with a space for the T too, and with one before the zone. */
const moments = [
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)? ?(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?)?)?$/iu,
  /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(?:(\d\d)(?:(\d\d)(?:[.,](\d+))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/iu,
];

/**
 * A point in time in milliseconds since 1970; NaN if it is none, or not of the years 0 to 9999. A text is in ISO 8601, of UTC where
 * it names no zone. A number (or a text of 9 to 13 digits) is of seconds if it is below 1e11, else of milliseconds.
 */
export function instantOf(value: Json): number {
  const text = typeof value === 'string' ? value.trim() : '';
  const number = typeof value === 'number' ? value : countsSince1970.test(text) ? Number(text) : Number.NaN;
  const instant = Number.isNaN(number)
    ? isoInstant(text)
    : number * (Math.abs(number) < mostSeconds ? 1000 : 1);
  return instant >= firstInstant && instant <= lastInstant ? instant : Number.NaN;
}

/** `instantOf` a row's field. Throws `bad-time` where it is none. */
export function requireInstant(value: Json, { id, field }: { id: string; field: string }): number {
  const instant = instantOf(value);
  if (!Number.isNaN(instant)) return instant;
  throw new StepError(
    'bad-time',
    `row ${id}: ${field} is ${JSON.stringify(value)}, which is no time`,
    typeof value === 'number'
      ? 'a number is of seconds or milliseconds since 1970, to the year 9999: divide microseconds by 1,000, nanoseconds by 1,000,000'
      : `a time is a number of seconds or milliseconds since 1970, or a text in ISO 8601, such as 2026-11-21T09:15:00Z; load reads other forms, and sets apart what is no time: cast: { ${field}: datetime }, datetime_format`,
  );
}

function isoInstant(text: string): number {
  const parts = moments.map((form) => form.exec(text)).find((found) => found !== null);
  if (!parts) return Number.NaN;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const fraction = Number(`0.${parts[7] ?? 0}`);
  // A leap second, and the midnight at the end of a day, are in ISO 8601 too.
  const isClock =
    minute < 60 && second <= 60 && (hour < 24 || (hour === 24 && minute + second + fraction === 0));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (!isClock || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return Number.NaN;
  const seconds = (hour * 60 + minute) * 60 + second + fraction;
  return date.getTime() + (seconds - offsetSeconds(parts[8])) * 1000;
}

/** Seconds that a zone is ahead of UTC; NaN if there is none so far. */
function offsetSeconds(zone: string | undefined): number {
  const [, sign, hours, minutes = 0] = /^([+-])(\d\d):?(\d\d)?$/u.exec(zone ?? '') ?? [];
  if (sign === undefined) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return Number.NaN;
  return (sign === '-' ? -60 : 60) * (Number(hours) * 60 + Number(minutes));
}
