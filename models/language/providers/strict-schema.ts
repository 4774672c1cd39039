/** Words of JSON Schema that OpenAI's strict mode knows; with any other it refuses the request. */
const strictWords = new Set(
  `$defs $ref $schema additionalProperties anyOf const definitions description enum exclusiveMaximum exclusiveMinimum
  format items maximum maxItems minimum minItems multipleOf pattern properties required title type`.split(
    /\s+/,
  ),
);

/**
 * OpenAI holds an answer to a schema only if every object lists all its members, no others may be, and it has none but the
 * words that its strict mode knows. Other schemas are sent as a wish, and the answer is checked here.
 */
export function isStrict(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return false;
  const { type, properties, required, additionalProperties, items, anyOf, $defs, definitions } =
    schema as Record<string, unknown>;
  if (!Object.keys(schema).every((word) => strictWords.has(word))) return false;
  if ([type].flat().includes('object') || properties !== undefined) {
    const names = Object.keys(properties ?? {});
    const listed = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || !names.every((name) => listed.includes(name))) return false;
  }
  const parts = [properties, $defs, definitions].flatMap((named) => Object.values(named ?? {}));
  if (items !== undefined) parts.push(items);
  if (Array.isArray(anyOf)) parts.push(...anyOf);
  return parts.every(isStrict);
}
