import type { Json } from '../../engine/json.ts';
import { deepestNesting, type Flaw, type Notes } from './found.ts';

/** Why a value of a binary format has no JSON. */
export const infinite = Symbol('an infinite number');
export const farTime = Symbol('a time out of range');
export const tooDeep = Symbol('too deep');

/** What is wrong with a record one of whose values has no JSON. */
export function itemFlaw(why: symbol, field: string): Flaw {
  if (why === infinite)
    return { code: 'non_finite_number', reason: 'an infinite number, which JSON does not have', field };
  if (why === farTime)
    return { code: 'far_time', reason: 'a time that is infinite, or past the year 275760', field };
  return { code: 'too_deep', reason: `nested more than ${deepestNesting} levels deep`, field };
}

/** A number as JSON has it: NaN is null, an integer past 2^53 its digits. */
export function jsonNumber(value: number | bigint, notes: Notes): Json | symbol {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    if (!Number.isNaN(value)) return infinite;
    notes.notANumber++;
    return null;
  }
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  notes.exactNumbers++;
  return value.toString();
}

/** ISO 8601 of nanoseconds since 1970, with as many digits as it takes, at least three; `farTime` outside of Date's range. */
export function isoTime(nanoseconds: bigint): string | symbol {
  const rest = ((nanoseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const date = new Date(Number((nanoseconds - rest) / 1_000_000n));
  if (Number.isNaN(date.getTime())) return farTime;
  const more =
    rest === 0n
      ? ''
      : rest
          .toString()
          .padStart(6, '0')
          .replace(/0{1,3}$/, '');
  return date.toISOString().replace('Z', `${more}Z`);
}

/** ISO 8601 of a day, of its milliseconds since 1970. */
export function isoDay(milliseconds: bigint): string | symbol {
  const time = isoTime(milliseconds * 1_000_000n);
  return typeof time === 'string' ? time.slice(0, -'T00:00:00.000Z'.length) : time;
}
