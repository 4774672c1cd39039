import type { Json } from '../engine/json.ts';

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
