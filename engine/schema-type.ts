import type { Json, JsonObject } from './json.ts';

/** The words of JSON Schema that parameters use, and `x-reprise`; see `ParameterSchema`. */
export interface ValueSchema {
  readonly type?: TypeName | readonly TypeName[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly const?: string | number | boolean | null;
  readonly properties?: { readonly [name: string]: ValueSchema };
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | ValueSchema;
  readonly propertyNames?: ValueSchema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: ValueSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly anyOf?: readonly ValueSchema[];
  readonly oneOf?: readonly ValueSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly examples?: readonly unknown[];
  readonly 'x-reprise'?:
    | 'path'
    | 'input-path'
    | 'output-path'
    | 'model'
    | 'language-model'
    | 'embedding-model'
    | 'cel'
    | 'sql'
    | 'template'
    | 'template-file';
}

type TypeName = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object';

/** The type of a value that fits a schema and has got its defaults: a property with a default is always there. */
export type FromSchema<S> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly const: infer C }
    ? C
    : S extends { readonly anyOf: readonly (infer U)[] }
      ? FromSchema<U>
      : S extends { readonly oneOf: readonly (infer U)[] }
        ? FromSchema<U>
        : S extends { readonly type: readonly (infer T)[] }
          ? OfType<S, T>
          : S extends { readonly type: infer T }
            ? OfType<S, T>
            : Json;

type OfType<S, T> = T extends 'string'
  ? string
  : T extends 'number' | 'integer'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'null'
        ? null
        : T extends 'array'
          ? S extends { readonly items: infer I }
            ? FromSchema<I>[]
            : Json[]
          : T extends 'object'
            ? ObjectOf<S>
            : never;

type ObjectOf<S> = S extends { readonly properties: infer P }
  ? { [K in keyof P as K extends Present<S, P> ? K : never]: FromSchema<P[K]> } & {
      [K in keyof P as K extends Present<S, P> ? never : K]?: FromSchema<P[K]>;
    } extends infer O
    ? { -readonly [K in keyof O]: O[K] }
    : never
  : S extends { readonly additionalProperties: infer A }
    ? A extends ValueSchema
      ? { [name: string]: FromSchema<A> }
      : JsonObject
    : JsonObject;

/** Names of properties that are required or have a default. */
type Present<S, P> =
  | (S extends { readonly required: readonly (infer R)[] } ? R : never)
  | { [K in keyof P]: P[K] extends { readonly default: unknown } ? K : never }[keyof P];
