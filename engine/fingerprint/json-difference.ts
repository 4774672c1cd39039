import { canonicalJson, type Json } from '../json.ts';

/** A value that is not the same on both sides; undefined where one side has none. */
export interface JsonDifference {
  /** `k`, `prompt.text`, `labels[2]`; empty for the value itself. */
  path: string;
  old: Json | undefined;
  now: Json | undefined;
}

/** What differs between two JSON values, by path. Lists of the same length are compared item by item, others whole. */
export function jsonDifferences(old: Json | undefined, now: Json | undefined, path = ''): JsonDifference[] {
  if (isObject(old) && isObject(now)) {
    const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    return names.flatMap((name) =>
      jsonDifferences(memberOf(old, name), memberOf(now, name), path === '' ? name : `${path}.${name}`),
    );
  }
  if (Array.isArray(old) && Array.isArray(now) && old.length === now.length)
    return old.flatMap((item, index) => jsonDifferences(item, now[index], `${path}[${index}]`));
  if (old === now) return [];
  if (old !== undefined && now !== undefined && canonicalJson(old) === canonicalJson(now)) return [];
  return [{ path, old, now }];
}

/** `77 → 50`: a difference as people read it, long values cut around the place where they differ. */
export function shownChange(old: Json | undefined, now: Json | undefined): string {
  let [before, after] = [shown(old), shown(now)];
  // The string "50" and the number 50.
  if (before === after) [before, after] = [JSON.stringify(old), JSON.stringify(now)];
  if (before.length <= longest && after.length <= longest) return `${before} → ${after}`;
  let same = 0;
  while (same < before.length && before[same] === after[same]) same++;
  return `${cut(before, same)} → ${cut(after, same)}`;
}

const longest = 40;
const context = 12;

function cut(text: string, place: number): string {
  if (text.length <= longest) return text;
  const start = place < longest - context ? 0 : place - context;
  const end = start + longest;
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`;
}

/** Plain where a person would write it plainly, on one line. */
function shown(value: Json | undefined): string {
  if (value === undefined) return 'not set';
  if (typeof value === 'string' && /^[^\s"]([^\n\r\t"]*[^\s"])?$/.test(value)) return value;
  return JSON.stringify(value);
}

/** An object's own member: data may have a key such as `toString`. */
export function memberOf<T>(object: { readonly [name: string]: T }, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
