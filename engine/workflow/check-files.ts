import type { Json, JsonObject } from '../json.ts';
import type { Collection } from './collect.ts';
import { mergedWith } from './defaults.ts';
import type { StepDraft } from './draft.ts';
import { type Located, type LocatedMap, member, toJson } from './located.ts';
import type { Part } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import { buildWorkflowSchema, type NamedType, templateSchema } from './schema.ts';
import { createSchemaCompiler, type SchemaCheck } from './schema-check.ts';
import { reportSchemaErrors, type SchemaErrorContext } from './schema-errors.ts';

type Drafts = ReadonlyMap<string, StepDraft>;

/** Keys that only the workflow file itself may have, with what they are. */
const ownKeys = { seed: 'seed', profiles: 'profiles', budget: 'budget', on_finish: 'hooks' };

/** Checks every file, and every template that one declares, against the schema of the types that the workflow uses. */
export function checkFiles(
  files: readonly Part[],
  { parts, declared }: Pick<Collection, 'parts' | 'declared'>,
  types: readonly NamedType[],
  names: readonly string[],
  problems: ProblemList,
): void {
  const compile = createSchemaCompiler({ strict: false });
  const schema = buildWorkflowSchema(types, names);
  const whole = compile(onlyUsed(withoutTemplates(schema), files));
  for (const file of files) {
    check(file, whole, 'a workflow', names, problems);
    if (file.parent === null) continue;
    for (const [key, what] of Object.entries(ownKeys)) {
      const entry = file.root.entries.get(key);
      if (entry === undefined) continue;
      problems.error('misplaced-key', `an included file has no ${what} of its own`, entry.key, {
        hint: 'say it in the workflow file',
      });
    }
  }
  if (declared.length === 0) return;
  const inner = compile(templateSchema(schema));
  for (const template of declared) check(template, inner, 'a template', names, problems);
  for (const { steps, caller } of parts)
    for (const [name, draft] of steps)
      if (caller?.declaration.steps.get(name)?.misspelt) draft.misspelt = true;
}

/** The schema of a file of which the templates are checked one by one. */
function withoutTemplates(schema: JsonObject): JsonObject {
  const properties = schema['properties'] as { [key: string]: JsonObject };
  const templates = { ...properties['templates']!, additionalProperties: { type: 'object' } };
  return { ...schema, properties: { ...properties, templates } };
}

/** The schema without what is said of keys that no file, or no model, has: compiling it takes longer than all the rest. */
function onlyUsed(schema: JsonObject, files: readonly Part[]): JsonObject {
  const roots = files.map(({ root }) => root);
  const whole = withoutUnused(schema, roots);
  // A profile has models as well.
  if (roots.some(({ entries }) => entries.has('profiles'))) return whole;
  const models = roots.flatMap((root) => maps(member(root, 'models')));
  const { model, ...definitions } = schema['definitions'] as { [name: string]: JsonObject };
  return { ...whole, definitions: { ...definitions, model: withoutUnused(model!, models) } };
}

function withoutUnused(schema: JsonObject, used: readonly LocatedMap[]): JsonObject {
  const properties = Object.entries(schema['properties'] as { [key: string]: JsonObject }).map(
    ([key, said]): [string, JsonObject] => {
      const kept = 'default' in said || used.some(({ entries }) => entries.has(key));
      return [key, kept ? said : {}];
    },
  );
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** The maps among a map's values. */
function maps(node: Located | undefined): LocatedMap[] {
  if (node?.kind !== 'map') return [];
  return [...node.entries.values()].flatMap(({ value }) => (value.kind === 'map' ? [value] : []));
}

function check(
  part: Part,
  schema: SchemaCheck,
  whole: string,
  names: readonly string[],
  problems: ProblemList,
): void {
  const root = withDefaults(part);
  const errors = schema.check(checkable(root, part));
  for (const error of errors) {
    const [, , name] = /^\/(steps)\/([^/]+)$/.exec(error.instancePath) ?? [];
    const draft = name === undefined ? undefined : part.steps.get(name);
    if (draft !== undefined && error.keyword === 'additionalProperties') draft.misspelt = true;
  }
  const context = { ...stepsInErrors(part.steps, names), root, base: '', unknown: new Set<string>() };
  reportSchemaErrors(errors, context, problems, whole);
}

/** A file in which every step's `with` has the defaults of its type, so that both are checked as one. */
function withDefaults(part: Part): LocatedMap {
  const steps = part.root.entries.get('steps');
  if (steps?.value.kind !== 'map') return part.root;
  const merged: LocatedMap['entries'] = new Map();
  for (const [name, entry] of steps.value.entries) {
    const draft = part.steps.get(name);
    const own = member(entry.value, 'with');
    const bare = draft === undefined || draft.use?.startsWith('template:');
    if (bare || entry.value.kind !== 'map' || (own !== undefined && own.kind !== 'map'))
      merged.set(name, entry);
    else {
      const key = entry.value.entries.get('with')?.key ?? entry.value.entries.get('use')?.key ?? entry.key;
      const entries = new Map(entry.value.entries).set('with', { key, value: mergedWith(draft) });
      merged.set(name, { key: entry.key, value: { ...entry.value, entries } });
    }
  }
  return {
    ...part.root,
    entries: new Map(part.root.entries).set('steps', {
      key: steps.key,
      value: { ...steps.value, entries: merged },
    }),
  };
}

/** The file as JSON, with step files named as the schema names them. */
function checkable(root: LocatedMap, part: Part): JsonObject {
  const json = toJson(root) as JsonObject;
  for (const [name, step] of Object.entries(membersOf(json['steps']))) {
    const draft = part.steps.get(name);
    if (draft?.use !== undefined) (step as JsonObject)['use'] = draft.use;
  }
  return json;
}

function membersOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/** What messages about steps need to know of them. */
export function stepsInErrors(
  drafts: Drafts,
  names: readonly string[],
): Pick<SchemaErrorContext, 'use' | 'parameters' | 'types'> {
  return {
    use: (id) => drafts.get(id)?.use,
    parameters: (id) => (drafts.get(id)?.type?.parameters.properties ?? {}) as JsonObject,
    types: names,
  };
}
