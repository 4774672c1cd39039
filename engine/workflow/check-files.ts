import type { JsonObject } from '../json.ts';
import { mergedWith } from './defaults.ts';
import type { StepDraft } from './draft.ts';
import type { WorkflowFile } from './load.ts';
import { type LocatedMap, member, toJson } from './located.ts';
import type { ProblemList } from './problem-list.ts';
import { buildWorkflowSchema, type NamedType } from './schema.ts';
import { createSchemaCompiler } from './schema-check.ts';
import { reportSchemaErrors, type SchemaErrorContext } from './schema-errors.ts';

type Drafts = ReadonlyMap<string, StepDraft>;

/** Checks every file against the schema of the types that the workflow uses. */
export function checkFiles(
  files: readonly WorkflowFile[],
  drafts: Drafts,
  types: readonly NamedType[],
  names: readonly string[],
  problems: ProblemList,
): void {
  const schema = createSchemaCompiler({ strict: false })(buildWorkflowSchema(types, names));
  for (const file of files) {
    const root = withDefaults(file, drafts);
    const errors = schema.check(checkable(root, file, drafts));
    for (const error of errors) {
      const [, , id] = /^\/(steps)\/([^/]+)$/.exec(error.instancePath) ?? [];
      const draft = id === undefined ? undefined : drafts.get(id);
      if (draft !== undefined && error.keyword === 'additionalProperties') draft.misspelt = true;
    }
    reportSchemaErrors(
      errors,
      { ...stepsInErrors(drafts, names), root, base: '', unknown: new Set() },
      problems,
    );
    if (file.parent === null) continue;
    const seed = file.root.entries.get('seed');
    if (seed === undefined) continue;
    problems.error('misplaced-key', 'an included file has no seed of its own', seed.key, {
      hint: 'say it in the workflow file',
    });
  }
}

/** A file in which every step's `with` has the defaults of its type, so that both are checked as one. */
function withDefaults(file: WorkflowFile, drafts: Drafts): LocatedMap {
  const steps = file.root.entries.get('steps');
  if (steps?.value.kind !== 'map') return file.root;
  const merged: LocatedMap['entries'] = new Map();
  for (const [id, entry] of steps.value.entries) {
    const draft = drafts.get(id);
    const own = member(entry.value, 'with');
    if (draft?.file !== file || entry.value.kind !== 'map' || (own !== undefined && own.kind !== 'map'))
      merged.set(id, entry);
    else {
      const key = entry.value.entries.get('with')?.key ?? entry.value.entries.get('use')?.key ?? entry.key;
      const entries = new Map(entry.value.entries).set('with', { key, value: mergedWith(draft) });
      merged.set(id, { key: entry.key, value: { ...entry.value, entries } });
    }
  }
  return {
    ...file.root,
    entries: new Map(file.root.entries).set('steps', {
      key: steps.key,
      value: { ...steps.value, entries: merged },
    }),
  };
}

/** The file as JSON, with step files named as the schema names them. */
function checkable(root: LocatedMap, file: WorkflowFile, drafts: Drafts): JsonObject {
  const json = toJson(root) as JsonObject;
  const steps = json['steps'];
  if (typeof steps === 'object' && steps !== null && !Array.isArray(steps))
    for (const [id, step] of Object.entries(steps)) {
      const draft = drafts.get(id);
      if (draft?.use !== undefined && draft.file === file) (step as JsonObject)['use'] = draft.use;
    }
  return json;
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
