import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JsonObject } from '../json.ts';
import type { ParameterSchema } from '../step.ts';

/** Words of our own that the schemas carry; see `ParameterSchema`. */
const vocabulary = ['x-reprise', 'patternErrorMessage'];

/** Checks values against a step type's parameter schema and fills in its defaults. */
export interface SchemaCheck {
  /** Every mistake; empty if the value fits. `value` gets the defaults of what it leaves out. */
  check(value: JsonObject): ErrorObject[];
  /** A copy with defaults, or a TypeError that lists the mistakes. */
  parse(value: JsonObject): JsonObject;
}

/**
 * Functions by what they were compiled from, the one used last at the end: a process that reads a workflow again and
 * again (as watch does) compiles its schemas once.
 */
const compiled = new Map<string, ValidateFunction>();
const compiledKept = 32;

/**
 * Compiles schemas with ajv. Each costs some milliseconds: compile only those that are used, and share the compiler.
 * `strict` refuses schemas with words that mean nothing; it is for parameter schemas.
 */
export function createSchemaCompiler({
  strict = true,
}: {
  strict?: boolean;
} = {}): (schema: ParameterSchema | JsonObject) => SchemaCheck {
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    strict,
    allowUnionTypes: true,
    verbose: true,
    discriminator: true,
    // To compile the schema of schemas takes longer than all else; what is wrong in ours, their tests find.
    meta: false,
    validateSchema: false,
    code: { optimize: false },
  });
  ajv.addVocabulary(vocabulary);
  return (schema) => {
    const key = `${strict} ${JSON.stringify(schema)}`;
    const validate = compiled.get(key) ?? ajv.compile(schema as object);
    compiled.delete(key);
    compiled.set(key, validate);
    if (compiled.size > compiledKept) compiled.delete(compiled.keys().next().value!);
    const check = (value: JsonObject): ErrorObject[] => (validate(value) ? [] : [...(validate.errors ?? [])]);
    return {
      check,
      parse(value) {
        const copy = structuredClone(value);
        const errors = check(copy);
        if (errors.length > 0) throw new TypeError(ajv.errorsText(errors, { dataVar: 'with' }));
        return copy;
      },
    };
  };
}

/** Compiles one parameter schema. */
export function compileSchema(schema: ParameterSchema | JsonObject): SchemaCheck {
  return createSchemaCompiler()(schema);
}
