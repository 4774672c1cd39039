import type { ErrorObject } from 'ajv/dist/2020.js';
import type { JsonObject } from '../json.ts';
import type { SchemaErrorContext } from './schema-errors.ts';
import { notAvailableKeys } from './schema-parts.ts';
import { meant } from './synonyms.ts';
import { describe } from './words.ts';

export function extraKey(error: ErrorObject): string | undefined {
  if (error.keyword === 'additionalProperties') return String(error.params['additionalProperty']);
  if (error.keyword === 'unevaluatedProperties') return String(error.params['unevaluatedProperty']);
  return undefined;
}

export function unknownKey(
  extra: string,
  parts: string[],
  context: SchemaErrorContext,
  whole: string,
): string {
  const step = parts[0] === 'steps' ? parts[1] : undefined;
  if (step !== undefined && parts.length === 3 && parts[2] === 'with')
    return `${context.use(step) ?? 'the step type'} has no parameter "${extra}"`;
  if (step !== undefined && parts.length === 2) return `a step has no key "${extra}"`;
  const kinds: Record<string, string> = { params: 'a param', models: 'a model' };
  const kind = parts.length === 2 ? kinds[parts[0]!] : undefined;
  return `${kind ?? describe(parts, whole)} has no key "${extra}"`;
}

export function unknownKeyHint(
  extra: string,
  parts: string[],
  error: ErrorObject,
  context: SchemaErrorContext,
): string | undefined {
  const schema = (error.parentSchema ?? {}) as JsonObject;
  const properties = (schema['properties'] ?? {}) as JsonObject;
  const later: readonly string[] = [...notAvailableKeys.workflow, ...notAvailableKeys.step];
  const names = Object.keys(properties).filter(
    (name) => !(properties[name] === false && later.includes(name)),
  );
  const step = parts[0] === 'steps' ? parts[1] : undefined;
  if (step !== undefined && parts.length === 2 && Object.hasOwn(context.parameters(step), extra))
    return `${extra} is a parameter of ${context.use(step)}: it stands under with:`;
  if (step !== undefined && parts.length === 3 && parts[2] === 'with' && stepKeys.includes(extra))
    return `${extra} belongs to the step: it stands beside with:`;
  if (parts.length === 0 && projectKeys.includes(extra))
    return `${extra} belongs to the project: it stands in reprise.yaml${extra === 'pools' ? ', or in a profile' : ''}`;
  if (parts.length === 0 && extra === 'secrets')
    return 'secrets are not declared: ${{ secrets.NAME }} reads NAME from the environment or from .env';
  const close = meant(extra, names);
  if (close !== undefined) return `did you mean "${close}"?`;
  return names.length === 0 ? undefined : `it has: ${names.join(', ')}`;
}

/** Keys of reprise.yaml. */
const projectKeys = ['pools', 'store', 'cache_size', 'remote'];

const stepKeys = [
  'use',
  'from',
  'after',
  'when',
  'matrix',
  'retries',
  'timeout',
  'on_error',
  'max_row_failures',
  'cache',
  'priority',
  'if_skipped',
  'env',
];
