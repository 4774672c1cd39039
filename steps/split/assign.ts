import type { Random } from '../../engine/step.ts';
import { roundedCounts } from '../../numerics/controlled-rounding.ts';
import { shuffle } from '../../numerics/sampling.ts';

/** The parts, by number. */
export const partNames = ['train', 'valid', 'test'] as const;

/** What goes into one part as a whole: a row, or all rows of a group. */
export interface Unit {
  key: string;
  rows: number[];
  /** Its class, if parts are stratified: the commonest among its rows. */
  stratum: string;
}

const epsilon = 1e-9;

/**
 * Gives each unit a part in random order so that every stratum, and the whole, comes as near to the ratios as it can. Without
 * strata there is one. Groups go first, the large ones before the others, each to the part that its stratum lacks most, or of
 * equals the one that the whole lacks most. Single rows make up for what groups left uneven: without groups every
 * stratum and the whole are within one row of the ratios.
 */
export function assignRandom(units: readonly Unit[], ratios: readonly number[], seed: number): number[] {
  const order = shuffle([...units.keys()], seed);
  const size = (unit: number) => units[unit]!.rows.length;
  order.sort((a, b) => size(b) - size(a));
  const strata = new Map<string, number[]>();
  for (const unit of order) {
    const { stratum } = units[unit]!;
    strata.get(stratum)?.push(unit) ?? strata.set(stratum, [unit]);
  }
  const parts = new Array<number>(units.length).fill(0);
  const singles: number[][] = [];
  const wanted: number[][] = [];
  const lacking = ratios.map(() => 0);
  for (const members of strata.values()) {
    const total = members.reduce((sum, unit) => sum + size(unit), 0);
    const own = ratios.map((ratio) => ratio * total);
    for (const [part, number] of own.entries()) lacking[part]! += number;
    const groups = members.filter((unit) => size(unit) > 1);
    for (const unit of groups) {
      let best = 0;
      for (let part = 1; part < own.length; part++) {
        const ahead = own[part]! - own[best]!;
        if (ahead > epsilon || (ahead > -epsilon && lacking[part]! > lacking[best]! + epsilon)) best = part;
      }
      parts[unit] = best;
      own[best]! -= size(unit);
      lacking[best]! -= size(unit);
    }
    const rest = members.filter((unit) => size(unit) === 1);
    singles.push(rest);
    // Parts that groups have filled get no single rows; the others share these.
    const room = own.map((number) => Math.max(0, number));
    const sum = room.reduce((whole, number) => whole + number, 0);
    wanted.push(room.map((number) => (sum > 0 ? (number * rest.length) / sum : 0)));
  }
  for (const [stratum, counts] of roundedCounts(wanted).entries()) {
    let next = 0;
    for (const [part, count] of counts.entries()) {
      for (const unit of singles[stratum]!.slice(next, next + count)) parts[unit] = part;
      next += count;
    }
  }
  return parts;
}

/**
 * Gives each unit a part by a number that only its key and the seed decide: what a unit gets does not change when
 * others come or go, and the ratios hold on average.
 */
export function assignStable(
  units: readonly Unit[],
  ratios: readonly number[],
  random: (key: string) => Random,
): number[] {
  return units.map(({ key }) => partAt(random(key).next(), ratios));
}

/** The oldest units to the first part, the newest to the last; units of the same time are not torn apart. */
export function assignByTime(times: readonly number[], ratios: readonly number[]): number[] {
  const order = [...times.keys()].sort((a, b) => times[a]! - times[b]! || a - b);
  const parts = new Array<number>(times.length).fill(0);
  let part = 0;
  order.forEach((row, place) => {
    const same = place > 0 && times[row] === times[order[place - 1]!];
    if (!same) part = partAt((place + 0.5) / order.length, ratios);
    parts[row] = part;
  });
  return parts;
}

/** The part in which a place between 0 and 1 falls; never one with the ratio 0. */
function partAt(place: number, ratios: readonly number[]): number {
  let end = 0;
  let last = 0;
  for (let part = 0; part < ratios.length; part++) {
    if (ratios[part] === 0) continue;
    end += ratios[part]!;
    last = part;
    if (place < end) return part;
  }
  return last;
}
