import type { Json, JsonObject } from '../json.ts';

/**
 * The order in which JSON Schemas among parameters name their `properties`, by path, where it is not that of the alphabet.
 * Parameters count whatever the order of their members; a language model writes the members of an answer in this one.
 */
export function propertyOrders(parameters: JsonObject): { [path: string]: string[] } {
  const orders: { [path: string]: string[] } = {};
  collect(parameters, '', orders);
  return orders;
}

function collect(value: Json, path: string, orders: { [path: string]: string[] }): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    if (name === 'properties' && typeof member === 'object' && member !== null && !Array.isArray(member)) {
      const names = Object.keys(member);
      if (names.some((each, index) => index > 0 && each < names[index - 1]!)) orders[at] = names;
    }
    collect(member, at, orders);
  }
}
