import type { Json, JsonObject } from '../json.ts';
import type { ParameterSchema } from '../step.ts';

/**
 * Calls `visit` for every value that a parameter schema marks with `x-reprise`, with its JSON pointer. Branches of
 * anyOf, oneOf and allOf all count.
 */
export function visitMarked(
  schema: ParameterSchema | Json,
  value: Json | undefined,
  visit: (mark: string, value: Json, pointer: string) => void,
  pointer = '',
): void {
  if (!isObject(schema as Json) || value === undefined) return;
  const words = schema as unknown as JsonObject;
  const mark = words['x-reprise'];
  if (typeof mark === 'string') visit(mark, value, pointer);
  for (const word of ['anyOf', 'oneOf', 'allOf'])
    for (const branch of (words[word] ?? []) as Json[]) visitMarked(branch, value, visit, pointer);
  if (Array.isArray(value)) {
    const prefix = (words['prefixItems'] ?? []) as Json[];
    value.forEach((item, index) => {
      visitMarked(prefix[index] ?? words['items'] ?? null, item, visit, `${pointer}/${index}`);
    });
  } else if (isObject(value)) {
    const properties = (words['properties'] ?? {}) as JsonObject;
    for (const [name, member] of Object.entries(value)) {
      const own = Object.hasOwn(properties, name) ? properties[name] : words['additionalProperties'];
      visitMarked(
        own ?? null,
        member,
        visit,
        `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      );
    }
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
