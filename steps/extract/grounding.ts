import type { Json, JsonObject } from '../../engine/json.ts';

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
    const bare = written.replace(/[-−\s'’]/g, '');
    found.add(Number(bare.replaceAll(',', '')));
    found.add(Number(bare.replaceAll('.', '').replace(',', '.')));
    found.add(Number(bare.replace(/[.,]/g, '')));
    for (const part of written.split(/[\s.,'’-]+/)) if (part !== '') found.add(Number(part));
  }
  return found;
}
