import type { Json, JsonObject } from '../../engine/json.ts';

/**
 * Sets a field of a record as data, whatever its name: assigning to `__proto__` would change the object's prototype.
 */
export function setField(record: JsonObject, name: string, value: Json): void {
  if (name === '__proto__') {
    Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    record[name] = value;
  }
}

/** A record's own field; undefined if it has none of that name. */
export function fieldOf(record: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
