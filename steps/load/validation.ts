import type { ErrorObject } from 'ajv';
import type { JsonObject } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { StepContext } from '../../engine/step.ts';
import { readNamedFile } from '../named-file.ts';
import { type Flaw, newNotes } from './found.ts';
import { parseJson } from './json-text.ts';
import { isObject } from './message-log.ts';

/** What a schema finds wrong with a record. */
export type Validate = (record: JsonObject) => Flaw | undefined;

/**
 * A check of records against a JSON Schema (2020-12, or draft 7 if `$schema` says so), given as it is or as the path of
 * its file. `format` is not checked. A schema that is none is a StepError.
 */
export async function validation(schema: string | JsonObject, context: StepContext): Promise<Validate> {
  const said = typeof schema === 'string' ? await schemaIn(schema, context) : schema;
  const name = typeof schema === 'string' ? schema : 'schema';
  const isDraft7 = typeof said['$schema'] === 'string' && /draft-0[67]/.test(said['$schema']);
  const options = { strict: false, allErrors: true, validateFormats: false, logger: false } as const;
  const ajv = isDraft7
    ? new (await import('ajv')).Ajv(options)
    : new (await import('ajv/dist/2020.js')).Ajv2020(options);
  let validate: ReturnType<typeof ajv.compile>;
  try {
    validate = ajv.compile(said);
  } catch (error) {
    throw new StepError(
      'invalid-schema',
      `${name} is no JSON Schema: ${(error as Error).message}`,
      'Mend the schema.',
    );
  }
  return (record) => (validate(record) ? undefined : flawOf(validate.errors ?? []));
}

async function schemaIn(path: string, context: StepContext): Promise<JsonObject> {
  const text = await readNamedFile(path, 'a JSON Schema', context);
  const parsed = parseJson(text, newNotes());
  if ('value' in parsed && isObject(parsed.value)) return parsed.value;
  const why = 'flaw' in parsed ? parsed.flaw.reason : 'it is no object';
  throw new StepError('invalid-schema', `${path} is no JSON Schema: ${why}`, 'Mend the schema.');
}

function flawOf(errors: ErrorObject[]): Flaw {
  const [first] = errors;
  if (!first) return { code: 'schema_mismatch', reason: 'it is not what the schema says' };
  const path = first.instancePath.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
  const { additionalProperty, allowedValues } = first.params as {
    additionalProperty?: string;
    allowedValues?: unknown[];
  };
  const what =
    additionalProperty !== undefined
      ? `must not have the field ${additionalProperty}`
      : allowedValues
        ? `must be one of ${JSON.stringify(allowedValues).slice(0, 200)}`
        : (first.message ?? 'is not what the schema says');
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const field = first.instancePath.split('/')[1];
  return {
    code: 'schema_mismatch',
    reason: `${path || 'the record'} ${what}${more}`,
    ...(field && { field }),
  };
}
