import type { Json } from '../json.ts';

/** What a pointer is about, in words: `with.k of step topics`. */
export function describe(parts: readonly string[], whole: string): string {
  if (parts.length === 0) return whole;
  const kinds: Record<string, string> = { steps: 'step', params: 'param', models: 'model' };
  const kind = kinds[parts[0]!];
  if (kind === undefined || parts.length === 1) return dotted(parts);
  if (parts.length === 2) return `${kind} ${parts[1]}`;
  return `${dotted(parts.slice(2))} of ${kind} ${parts[1]}`;
}

function dotted(parts: readonly string[]): string {
  return parts
    .map((part, index) => (/^\d+$/.test(part) && index > 0 ? `[${part}]` : index > 0 ? `.${part}` : part))
    .join('');
}

export function typeName(type: string): string {
  const names: Record<string, string> = {
    string: 'a text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map',
    null: 'nothing',
  };
  return names[type] ?? type;
}

export function typeHint(
  types: readonly string[],
  value: Json,
  parts: readonly string[],
): string | undefined {
  if (/^from$/.test(parts.at(-1) ?? '') && Array.isArray(value))
    return 'name the inputs: from: { rows: a, vectors: b }; steps that only have to be done first stand under after:';
  if (parts.length === 1 && parts[0] === 'steps' && Array.isArray(value))
    return 'steps are a map from ids: queries: { use: load, … }';
  if (parts.length === 2 && parts[0] === 'params' && (typeof value !== 'object' || value === null))
    return `write { type: ${jsonType(value)}, default: ${JSON.stringify(value)} }`;
  if (types.includes('string') && (typeof value === 'number' || typeof value === 'boolean'))
    return `put it in quotes: "${value}"`;
  if (parts.at(-1) === 'prompt' && types.includes('object') && typeof value === 'string')
    return `write prompt: { text: ${JSON.stringify(value)} }, or { file: … }`;
  if (typeof value === 'string') {
    if (
      (types.includes('number') || types.includes('integer')) &&
      value.trim() !== '' &&
      Number.isFinite(Number(value))
    )
      return `write ${value.trim()} without quotes`;
    if (types.includes('boolean') && /^(yes|on|y|true)$/i.test(value)) return 'write true';
    if (types.includes('boolean') && /^(no|off|n|false)$/i.test(value)) return 'write false';
    if (value.includes('${{')) return 'expressions are for with, from, after, env, matrix and models';
  }
  if (types.includes('array') && (typeof value !== 'object' || value === null) && value !== null)
    return `write [${JSON.stringify(value)}]`;
  return undefined;
}

function jsonType(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'boolean' ? 'boolean' : 'string';
}

/** A value in a message: short, and saying what kind it is. */
export function say(value: Json | undefined): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return `"${value.length > 60 ? `${value.slice(0, 60)}…` : value}"`;
  return String(value);
}
