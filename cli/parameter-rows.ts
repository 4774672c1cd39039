import type { ValueSchema } from '../engine/schema-type.ts';
import type { ParameterSchema } from '../engine/step.ts';

/** A parameter as tables in help and docs show it. */
export interface ParameterRow {
  name: string;
  /** `integer ≥ 2, default 77`, `first | last, default first`, `string, required` */
  type: string;
  description: string;
}

/** The parameters of a step type, one a row, members of objects as `outer.inner`. */
export function parameterRows(schema: ParameterSchema): ParameterRow[] {
  return rowsOf(schema, '');
}

function rowsOf(schema: ValueSchema, prefix: string): ParameterRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    const required = schema.required?.includes(key) === true;
    const row = {
      name,
      type: `${typeText(value)}${required ? ', required' : ''}`,
      description: value.description ?? '',
    };
    return [row, ...rowsOf(value, `${name}.`)];
  });
}

/** `integer ≥ 2, default 77` */
export function typeText(schema: ValueSchema): string {
  const bounds = [
    schema.minimum === undefined ? '' : ` ≥ ${schema.minimum}`,
    schema.maximum === undefined || schema.maximum >= Number.MAX_SAFE_INTEGER ? '' : ` ≤ ${schema.maximum}`,
    schema.exclusiveMinimum === undefined ? '' : ` > ${schema.exclusiveMinimum}`,
    schema.exclusiveMaximum === undefined ? '' : ` < ${schema.exclusiveMaximum}`,
  ].join('');
  return `${kindText(schema)}${bounds}${defaultText(schema.default)}`;
}

/** What a value may be; null, which stands for "not given", is left out. */
function kindText(schema: ValueSchema): string {
  if (schema.enum) return schema.enum.filter((value) => value !== null).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map(kindText))].join(' | ');
  return [schema.type ?? 'any']
    .flat()
    .filter((type) => type !== 'null')
    .map((type) => (type !== 'array' ? type : schema.items ? `list of ${kindText(schema.items)}` : 'list'))
    .join(' | ');
}

function defaultText(value: unknown): string {
  if (value === undefined || value === null) return '';
  const bare = typeof value === 'string' && /^\w[\w.+-]*$/.test(value);
  return `, default ${bare ? value : JSON.stringify(value)}`;
}
