import type { Json, JsonObject } from '../engine/json.ts';
import { timestampsIn } from './times.ts';

/** A number as texts write it: with separators of thousands and a point or comma for decimals. */
const numbers = /[-−]?\d+(?:[\s.,'’]\d+)*/g;

/**
 * Paths (`/orders/0/price`) of the texts and numbers in a value that a text does not have. A text is there if the text holds it but for
 * case, white space and quotation marks; a number if it stands there in any usual form. Choices of an `enum` are not looked for.
 */
export function ungrounded(value: Json, schema: JsonObject, text: string): string[] {
  const source = plain(text);
  let written: Set<number> | undefined;
  const missing: string[] = [];
  const look = (item: Json, of: JsonObject | undefined, path: string): void => {
    if (of?.['enum'] !== undefined || of?.['const'] !== undefined) return;
    if (typeof item === 'string') {
      if (item.trim() !== '' && !source.includes(plain(item))) missing.push(path);
    } else if (typeof item === 'number') {
      written ??= numbersIn(text);
      if (!written.has(Math.abs(item))) missing.push(path);
    } else if (Array.isArray(item)) {
      for (const [index, member] of item.entries()) look(member, objectOf(of?.['items']), `${path}/${index}`);
    } else if (typeof item === 'object' && item !== null) {
      const members = objectOf(of?.['properties']);
      for (const [name, member] of Object.entries(item))
        look(member, objectOf(members?.[name]), `${path}/${name}`);
    }
  };
  look(value, schema, '');
  return missing;
}

/** Quotations: what stands between marks that are no apostrophes. */
const quotations = /"([^"\n]+)"|“([^”\n]+)”|„([^“”\n]+)[“”]|«([^»\n]+)»/gu;
/** Numbers that count the points of a list are the answer's own. */
const points = /^[ \t]*\d{1,3}[.)](?=\s)/gmu;

/** Quotations, times and numbers of a text that a source does not have, as the text writes them. */
export function saidBeyond(text: string, source: string): string[] {
  const there = plain(source);
  const times = new Set(timestampsIn(source).map(({ seconds }) => seconds));
  const written = numbersIn(source);
  const missing: string[] = [];
  let rest = text.replace(points, '');
  for (const { 0: quoted, ...parts } of text.matchAll(quotations)) {
    const inside = Object.values(parts).find((part) => typeof part === 'string') ?? '';
    if (!there.includes(plain(inside))) missing.push(quoted);
    rest = rest.replace(quoted, ' ');
  }
  for (const { text: shown, seconds } of timestampsIn(rest)) {
    if (seconds === null || !times.has(seconds)) missing.push(shown);
    rest = rest.replace(shown, ' ');
  }
  for (const [shown] of rest.matchAll(numbers))
    if (!readings(shown).some((number) => written.has(number))) missing.push(shown);
  return missing;
}

function objectOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/["“”„«»‘’']/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Numbers of a text, without their signs, in each way that their separators can be read. */
function numbersIn(text: string): Set<number> {
  const found = new Set<number>();
  for (const [written] of text.matchAll(numbers)) {
    for (const number of readings(written)) found.add(number);
    for (const part of written.split(/[\s.,'’-]+/)) if (part !== '') found.add(Number(part));
  }
  return found;
}

/** What a number may be, by what its separators are: those of thousands, or of decimals. */
function readings(written: string): number[] {
  const bare = written.replace(/[-−\s'’]/g, '');
  return [
    Number(bare.replaceAll(',', '')),
    Number(bare.replaceAll('.', '').replace(',', '.')),
    Number(bare.replace(/[.,]/g, '')),
  ].filter((number) => !Number.isNaN(number));
}
