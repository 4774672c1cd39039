/** Stretches of time one after the other, from the first row's to the last row's; those without rows included. */
export interface Slices {
  /** What each is called: `2026-11-21`, `2026-11`, `2026-W47`, or the time at which it begins. */
  names: string[];
  /** By row: its slice; −1 if it has no time. */
  of: Int32Array;
}

export type SliceBy = 'auto' | Unit | number;
export const units = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
type Unit = (typeof units)[number];

/** Slices that `auto` makes at most. */
const mostAutomatic = 60;
const day = 86_400_000;
/** Monday, 5 January 1970. */
const firstMonday = 4 * day;
/** How many slices there would be; 0 without any time. */
export function countSlices(times: Float64Array, by: SliceBy): number {
  const [first, last] = extent(times);
  if (first > last) return 0;
  // Names tell milliseconds apart, so no slice is shorter.
  if (typeof by === 'number') return Math.min(by, Math.max(1, Math.ceil(last - first)));
  const unit = by === 'auto' ? automatic(first, last) : by;
  return place(last, unit) - place(first, unit) + 1;
}

/** Cuts time into hours, days, weeks (from Monday), months, quarters or years of UTC, or into so many equal parts. */
export function cutTime(times: Float64Array, by: SliceBy): Slices {
  const [first, last] = extent(times);
  if (first > last) return { names: [], of: new Int32Array(times.length).fill(-1) };
  const count = countSlices(times, by);
  if (typeof by === 'number') {
    const width = Math.max(1, last - first) / count;
    return {
      names: Array.from({ length: count }, (_, at) => new Date(first + at * width).toISOString()),
      of: Int32Array.from(times, (time) =>
        Number.isNaN(time) ? -1 : Math.min(count - 1, Math.floor((time - first) / width)),
      ),
    };
  }
  const unit = by === 'auto' ? automatic(first, last) : by;
  const start = place(first, unit);
  return {
    names: Array.from({ length: count }, (_, at) => nameOf(start + at, unit)),
    of: Int32Array.from(times, (time) => (Number.isNaN(time) ? -1 : place(time, unit) - start)),
  };
}

/** The finest unit that does not make too many slices. */
function automatic(first: number, last: number): Unit {
  return units.find((unit) => place(last, unit) - place(first, unit) < mostAutomatic) ?? 'year';
}

/** Number of the unit in which a time lies. */
function place(time: number, unit: Unit): number {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  switch (unit) {
    case 'hour':
      return Math.floor((time * 24) / day);
    case 'day':
      return Math.floor(time / day);
    case 'week':
      return Math.floor((time - firstMonday) / (7 * day));
    case 'month':
      return year * 12 + date.getUTCMonth();
    case 'quarter':
      return year * 4 + Math.floor(date.getUTCMonth() / 3);
    case 'year':
      return year;
  }
}

function nameOf(at: number, unit: Unit): string {
  switch (unit) {
    case 'hour':
      return `${new Date((at * day) / 24).toISOString().slice(0, 16)}Z`;
    case 'day':
      return new Date(at * day).toISOString().slice(0, 10);
    case 'week':
      return weekName(firstMonday + at * 7 * day);
    case 'month':
      return `${Math.floor(at / 12)}-${String((at % 12) + 1).padStart(2, '0')}`;
    case 'quarter':
      return `${Math.floor(at / 4)}-Q${(at % 4) + 1}`;
    case 'year':
      return String(at);
  }
}

/** `2026-W47` (ISO 8601): a week is of the year in which its Thursday lies. */
function weekName(monday: number): string {
  const thursday = new Date(monday + 3 * day);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * day)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

function extent(times: Float64Array): [number, number] {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const time of times) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  return [first, last];
}
