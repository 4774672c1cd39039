import type { CelPath, CelProgram } from './cel.ts';
import { canonicalJson, type Json } from './json.ts';

/** The values of all that an expression reads, by the name it reads them under. */
export function valuesIn(
  program: CelProgram,
  scope: Readonly<Record<string, unknown>>,
): Record<string, Json> {
  const values: Record<string, Json> = {};
  for (const path of program.paths) values[program.source.slice(path.start, path.end)] = valueAt(path, scope);
  return values;
}

const longestValue = 200;

/** `metrics.v_measure = 0.612, params.least = 0.7` */
export function saidValues(values: Readonly<Record<string, Json>>): string {
  const said = Object.entries(values).map(([name, value]) => {
    const text = canonicalJson(value);
    return `${name} = ${text.length > longestValue ? `${text.slice(0, longestValue)}…` : text}`;
  });
  return said.join(', ');
}

function valueAt(path: CelPath, scope: Readonly<Record<string, unknown>>): Json {
  let value: unknown = scope;
  for (const name of path.names)
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : null;
  return value as Json;
}
