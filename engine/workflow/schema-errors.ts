import type { ErrorObject } from 'ajv/dist/2020.js';
import type { Json, JsonObject } from '../json.ts';
import { nearest, suggestion } from '../nearest.ts';
import { type Located, lookUp, pointerParts, type Span } from './located.ts';
import { oneForEachMistake } from './one-mistake.ts';
import type { ProblemList } from './problem-list.ts';
import { meant } from './synonyms.ts';
import { extraKey, unknownKey, unknownKeyHint } from './unknown-keys.ts';
import { describe, say, typeHint, typeName } from './words.ts';

export interface SchemaErrorContext {
  /** The values that were checked, with their places. */
  root: Located;
  /** The pointer of what was checked within `root`. */
  base: string;
  /** Pointers of values that are not known (an expression that failed, or waits for metrics): errors there are none. */
  unknown: ReadonlySet<string>;
  /** The type that a step uses, for messages about its parameters; undefined if it is not known. */
  use(step: string): string | undefined;
  /** The schemas of that type's parameters, by name. */
  parameters(step: string): JsonObject;
  /** The combination of a matrix that the values are of, for the message. */
  instance?: string;
  /** Built-in step types, for `use`. */
  types: readonly string[];
}

/** Turns what ajv finds into problems: one for each mistake, with its place and what to write instead. */
export function reportSchemaErrors(
  found: readonly ErrorObject[],
  context: SchemaErrorContext,
  problems: ProblemList,
  whole = 'a workflow',
): void {
  const errors = oneForEachMistake(found);
  const unknownKeys = errors.filter((error) => extraKey(error) !== undefined);
  for (const error of errors) {
    const pointer = context.base + error.instancePath;
    if (isUnknown(pointer, error, context.unknown)) continue;
    const missing = error.keyword === 'required' ? String(error.params['missingProperty']) : undefined;
    // A misspelt key is one mistake, not a missing key and an unknown one.
    const owner = lookUp(context.root, pointer).node;
    if (missing !== undefined && owner.kind === 'map' && owner.incomplete) continue;
    const misspelt =
      missing !== undefined &&
      unknownKeys.some(
        (other) =>
          other.instancePath === error.instancePath && meant(extraKey(other)!, [missing]) === missing,
      );
    if (!misspelt) reportOne(error, pointer, context, problems, whole);
  }
}

function isUnknown(pointer: string, error: ErrorObject, unknown: ReadonlySet<string>): boolean {
  if (unknown.size === 0) return false;
  for (const open of unknown) {
    if (pointer === open || pointer.startsWith(`${open}/`)) return true;
    if (/^(anyOf|oneOf|not|if)$/.test(error.keyword) && open.startsWith(`${pointer}/`)) return true;
  }
  return false;
}

function reportOne(
  error: ErrorObject,
  pointer: string,
  context: SchemaErrorContext,
  problems: ProblemList,
  whole: string,
): void {
  const parts = pointerParts(pointer);
  const at = lookUp(context.root, pointer);
  const what = describe(parts, whole);
  const value = error.data as Json;
  const report = (code: string, message: string, span: Span, advice?: string): void => {
    const hint = [advice, context.instance && `this is ${context.instance}`].filter(Boolean).join('; ');
    problems.error(code, message, span, hint === '' ? {} : { hint });
  };
  const extra = extraKey(error);
  if (extra !== undefined) {
    const key = at.node.kind === 'map' ? at.node.entries.get(extra)?.key : undefined;
    report(
      'unknown-key',
      unknownKey(extra, parts, context, whole),
      key ?? at.key ?? at.node,
      unknownKeyHint(extra, parts, error, context),
    );
    return;
  }
  switch (error.keyword) {
    case 'false schema': {
      const key = parts.at(-1)!;
      report('not-available', `"${key}" is not in this version of Reprise`, at.key ?? at.node);
      return;
    }
    case 'propertyNames': {
      const name = String(error.params['propertyName']);
      const key = at.node.kind === 'map' ? at.node.entries.get(name)?.key : undefined;
      if (parts.join('.') === 'defaults.with') {
        report(
          'unknown-step-type',
          `there is no step type "${name}"`,
          key ?? at.node,
          suggestion(name, context.types, 'there are'),
        );
        return;
      }
      const slug = name
        .toLowerCase()
        .replaceAll(/[^a-z0-9_]+/g, '_')
        .replace(/^[^a-z]+/, '');
      const kinds: Record<string, string> = {
        steps: 'step',
        params: 'param',
        matrix: 'matrix axis',
        templates: 'template',
        profiles: 'profile',
        pools: 'pool',
      };
      const kind = kinds[parts.at(-1) ?? ''] ?? 'id';
      const rule = 'an id has small letters, digits and _, and starts with a letter';
      report(
        'bad-id',
        `"${name}" cannot name a ${kind}: ${rule}`,
        key ?? at.node,
        slug ? `write ${slug}` : undefined,
      );
      return;
    }
    case 'required': {
      const missing = String(error.params['missingProperty']);
      const use =
        parts[0] === 'steps' && parts[2] === 'with' && parts.length === 3
          ? context.use(parts[1]!)
          : undefined;
      const needs =
        use === undefined ? `${what} needs "${missing}"` : `${use} needs the parameter "${missing}"`;
      const schema =
        use === undefined
          ? ((error.parentSchema as JsonObject | undefined)?.['properties'] as JsonObject | undefined)
          : context.parameters(parts[1]!);
      const description = (schema?.[missing] as JsonObject | undefined)?.['description'];
      const owner = use === undefined ? at : lookUp(context.root, pointer.split('/').slice(0, 3).join('/'));
      report(
        'missing-key',
        needs,
        at.key ?? owner.key ?? at.node,
        typeof description === 'string' ? description : undefined,
      );
      return;
    }
    case 'type': {
      const types = [error.params['type'] as string | string[]].flat();
      const code =
        /^\/steps\/[^/]+\/from$/.test(pointer) && Array.isArray(value) ? 'input-list' : 'wrong-type';
      report(
        code,
        `${what} must be ${types.map(typeName).join(' or ')}, not ${say(value)}`,
        at.node,
        typeHint(types, value, parts),
      );
      return;
    }
    case 'enum':
    case 'const':
      reportChoice(error, parts, what, at.node, context, problems);
      return;
    case 'minimum':
    case 'exclusiveMinimum':
    case 'maximum':
    case 'exclusiveMaximum': {
      const words: Record<string, string> = {
        minimum: 'at least',
        exclusiveMinimum: 'more than',
        maximum: 'at most',
        exclusiveMaximum: 'less than',
      };
      report(
        'out-of-range',
        `${what} must be ${words[error.keyword]} ${error.params['limit']}, not ${say(value)}`,
        at.node,
      );
      return;
    }
    case 'multipleOf':
      report(
        'out-of-range',
        `${what} must be a multiple of ${error.params['multipleOf']}, not ${say(value)}`,
        at.node,
      );
      return;
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'maxProperties': {
      const unit = error.keyword.endsWith('Length')
        ? 'character'
        : error.keyword.endsWith('Items')
          ? 'item'
          : 'key';
      const limit = Number(error.params['limit']);
      const bound = error.keyword.startsWith('min') ? 'at least' : 'at most';
      const message =
        limit === 1 && bound === 'at least'
          ? `${what} must not be empty`
          : `${what} must have ${bound} ${limit} ${unit}${limit === 1 ? '' : 's'}`;
      report('out-of-range', message, at.node);
      return;
    }
    case 'uniqueItems':
      report(
        'wrong-value',
        `${what} says the same twice (items ${error.params['j']} and ${error.params['i']})`,
        at.node,
      );
      return;
    case 'pattern': {
      const schema = error.parentSchema as JsonObject | undefined;
      const rule = schema?.['patternErrorMessage'];
      const hint = typeof rule === 'string' ? rule : `it must match the pattern ${error.params['pattern']}`;
      report(
        'wrong-format',
        `${what} is ${say(value)}, which is not in the form it must have`,
        at.node,
        hint,
      );
      return;
    }
    case 'dependentRequired':
      report(
        'missing-key',
        `${what} needs "${error.params['missingProperty']}" beside "${error.params['property']}"`,
        at.key ?? at.node,
      );
      return;
    default:
      reportOther(error, what, value, (code, message, hint) => report(code, message, at.node, hint));
  }
}

function reportChoice(
  error: ErrorObject,
  parts: string[],
  what: string,
  node: Located,
  context: SchemaErrorContext,
  problems: ProblemList,
): void {
  const value = error.data as Json;
  const allowed =
    error.keyword === 'const'
      ? [error.params['allowedValue'] as Json]
      : (error.params['allowedValues'] as Json[]);
  if (parts[0] === 'steps' && parts.length === 3 && parts[2] === 'use') {
    if (typeof value !== 'string') {
      problems.error('wrong-type', `${what} must be a text, not ${say(value)}`, node, {
        hint: `write one of ${context.types.join(', ')}`,
      });
      return;
    }
    const close = meant(value, context.types);
    const hint =
      close === undefined ? suggestion(value, context.types, 'there are') : `did you mean "${close}"?`;
    const path = 'a step file of your own is written with its path: ./steps/mine.ts';
    problems.error('unknown-step-type', `there is no step type "${String(value)}"`, node, {
      hint: hint ?? path,
    });
    return;
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const texts = allowed.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
  const close = meant(text, texts);
  const list = texts.length > 12 ? `${texts.slice(0, 12).join(', ')}, … (${texts.length})` : texts.join(', ');
  const message =
    texts.length === 1
      ? `${what} must be ${list}, not ${say(value)}`
      : `${what} must be one of ${list}; it is ${say(value)}`;
  problems.error(
    'wrong-value',
    message,
    node,
    close === undefined ? {} : { hint: `did you mean "${close}"?` },
  );
}

function reportOther(
  error: ErrorObject,
  what: string,
  value: Json,
  report: (code: string, message: string, hint?: string) => void,
): void {
  if (error.keyword === 'anyOf' || error.keyword === 'oneOf') {
    const branches = (error.schema ?? []) as JsonObject[];
    const types = [...new Set(branches.flatMap((branch) => (branch['type'] ?? []) as string | string[]))];
    const keys = branches.flatMap((branch) => (branch['required'] ?? []) as string[]);
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (types.length > 0 && !(isMap && types.includes('object'))) {
      const words = branches.flatMap(({ const: word }) => (typeof word === 'string' ? [word] : []));
      const close = typeof value === 'string' ? nearest(value, words) : undefined;
      report(
        'wrong-type',
        `${what} must be ${[...types.map(typeName), ...words].join(' or ')}, not ${say(value)}`,
        close && `did you mean "${close}"?`,
      );
      return;
    }
    const hint = keys.length > 0 ? `it has exactly one of: ${[...new Set(keys)].join(', ')}` : undefined;
    report('wrong-value', `${what} fits none, or several, of the forms it may have`, hint);
    return;
  }
  report('wrong-value', `${what} ${error.message ?? 'is not what it must be'}`);
}
