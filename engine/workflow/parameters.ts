import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { Json, JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import type { ModelResolver } from '../registry.ts';
import { type AnyStepType, anyInputs, type OutputSpecs } from '../step.ts';
import { typeWith } from '../type-with.ts';
import type { Instance } from './draft.ts';
import { deferredOf, type Expander } from './expression.ts';
import { fromRoot, resolvePath } from './load.ts';
import {
  type Located,
  type LocatedMap,
  type LocatedScalar,
  lineStarts,
  lookUp,
  member,
  placeOf,
  pointerParts,
  pointerTo,
} from './located.ts';
import { markedValues, modelKind } from './marked-values.ts';
import { visitMarked } from './marks.ts';
import type { Part } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import type { SchemaCheck } from './schema-check.ts';
import { reportSchemaErrors, type SchemaErrorContext } from './schema-errors.ts';
import { checkTemplateNames } from './template-names.ts';

export interface ParameterContext {
  root: string;
  expander: Expander;
  problems: ProblemList;
  models: ModelResolver;
  /** Aliases of encoders, and of language models, that the workflow's `models` declare. */
  aliases: readonly string[];
  languageAliases: readonly string[];
  /** Told of files whose text became part of the parameters. */
  addSource(path: string, text: string): void;
  schemaOf(type: AnyStepType): SchemaCheck;
  schemaErrors: Pick<SchemaErrorContext, 'use' | 'parameters' | 'types'>;
}

/**
 * Expands, checks and normalises a step's parameters: defaults filled in, paths relative to the root, bare
 * expressions with what is known written into them.
 */
export function resolveParameters(
  instance: Instance,
  type: AnyStepType,
  node: LocatedMap,
  step: LocatedMap,
  context: ParameterContext,
): void {
  const { expander, problems } = context;
  const marks = marksOf(type);
  const templates = new Set<string>();
  if (marks.has('template'))
    visitMarked(
      type.parameters,
      roughJson(node),
      (mark, _, pointer) => mark === 'template' && templates.add(pointer),
    );
  const expansion = expander.expand(node, instance.scope, (pointer) => templates.has(pointer));
  const parameters = expansion.value as JsonObject;
  const open = new Set([...expansion.unknown, ...expansion.deferred.map(({ pointer }) => pointer)]);
  instance.parameters = parameters;
  instance.deferred = deferredOf(expansion);

  const base = pointerTo('steps', instance.draft.id, 'with');
  const root: LocatedMap = withWith(step, node, instance.draft.id);
  const errors = context.schemaOf(type).check(parameters);
  const unknown = new Set([...open].map((pointer) => base + pointer));
  const combination = instance.matrix === null ? {} : { instance: instance.id };
  reportSchemaErrors(errors, { ...context.schemaErrors, ...combination, root, base, unknown }, problems);

  if (marks.size > 0 && errors.length === 0) applyMarks(instance, type, node, open, context);
  else if (marks.size > 0)
    applyMarks(instance, type, node, new Set([...open, ...errors.map((e) => e.instancePath)]), context);
  // What is filled in later does not fit yet, and is checked then.
  const later = (pointer: string) => expansion.deferred.some((open) => isWithin(pointer, open.pointer));
  const complete = errors.every(({ instancePath }) => later(instancePath)) && expansion.unknown.length === 0;
  instance.outputs =
    complete || type.outputsOf === undefined
      ? outputsOf(instance, typeWith(type, parameters), problems)
      : undefined;
  if (complete && open.size === 0 && type.check !== undefined) {
    const around = { inputs: boundInputs(type, step), languageModels: context.languageAliases };
    for (const { parameter, message } of type.check(parameters, around)) {
      const { node: at, key } = lookUp(node, pointerTo(...parameter.split('.')));
      const about = message.startsWith(parameter) ? '' : `${parameter} of `;
      const text =
        about === ''
          ? `step ${instance.draft.id}: ${message}`
          : `${about}step ${instance.draft.id}: ${message}`;
      problems.error('parameter-check', text, at === node ? (key ?? instance.draft.key) : at);
    }
  }
}

/** Names of the inputs that `from` binds. */
function boundInputs({ inputs }: AnyStepType, step: LocatedMap): string[] {
  const from = member(step, 'from');
  if (from === undefined) return [];
  if (from.kind === 'map') return [...from.entries.keys()];
  return inputs === anyInputs ? [] : Object.keys(inputs).slice(0, 1);
}

function isWithin(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}

const marksByType = new WeakMap<AnyStepType, Set<string>>();

/** The marks that occur in a type's schema at all: most have few, and need not be looked through for each step. */
function marksOf(type: AnyStepType): Set<string> {
  let marks = marksByType.get(type);
  if (marks === undefined) {
    marks = new Set(
      [...JSON.stringify(type.parameters).matchAll(/"x-reprise":"([\w-]+)"/g)].map((match) => match[1]!),
    );
    marksByType.set(type, marks);
  }
  return marks;
}

function applyMarks(
  instance: Instance,
  type: AnyStepType,
  node: LocatedMap,
  open: ReadonlySet<string>,
  context: ParameterContext,
): void {
  const seen = new Set<string>();
  visitMarked(type.parameters, instance.parameters, (mark, value, pointer) => {
    if (typeof value !== 'string' || open.has(pointer) || seen.has(`${mark}${pointer}`)) return;
    seen.add(`${mark}${pointer}`);
    const { exact, scalar } = scalarAt(node, pointer);
    const place = placeOf(scalar);
    const parameter = pointerParts(pointer).join('.');
    if (mark === 'path' || mark === 'input-path' || mark === 'output-path') {
      const folder = exact ? folderOf(scalar, instance.draft.part) : context.root;
      const path = normalPath(value, folder, context.root);
      setAt(instance.parameters, pointer, path);
      if (mark === 'output-path') {
        instance.outputFiles.push({ parameter, path, place });
        if (isAbsolute(path) || path.split('/')[0] === '..')
          context.problems.warning('outside-project', `${path} is outside of the project`, scalar, {
            hint: 'a file that is there is written over',
          });
      }
    } else if (modelKind(mark, value, context.languageAliases) === 'encoder') {
      const folder = exact ? folderOf(scalar, instance.draft.part) : context.root;
      // A folder of a model is a path like any other; anything else is a name.
      const isFolder = value.includes('/') && !value.startsWith('run:');
      const name = isFolder ? normalPath(value, folder, context.root) : value;
      setAt(instance.parameters, pointer, name);
      checkModel(name, scalar, context);
    } else if (mark === 'language-model') {
      checkLanguageModel(value, scalar, context);
    } else if (mark === 'sql') {
      instance.sqlTexts.push({ parameter, place, lines: exact ? lineStarts(scalar) : [] });
    } else if (mark === 'template') {
      if (exact) checkTemplateNames(value, scalar, instance, context.problems);
    } else if (mark === 'template-file') {
      inlineTemplate(instance, pointer, value, scalar, context);
    } else if (mark === 'cel') {
      const text = { ...scalar, value };
      const folded = context.expander.bare(text, value, instance.scope);
      if (folded === undefined) return;
      if (folded.waits) {
        instance.deferred.push({ pointer, template: folded.template, place });
        setAt(instance.parameters, pointer, null);
      } else setAt(instance.parameters, pointer, folded.source);
    }
  });
  const found = markedValues(type, instance.parameters, {
    languageAliases: context.languageAliases,
    placeAt: (pointer) => placeOf(scalarAt(node, pointer).scalar),
    open,
  });
  instance.files.push(...found.files);
  instance.modelNames.push(...found.modelNames);
  instance.languageModels.push(...found.languageModels);
}

function checkLanguageModel(
  name: string,
  scalar: LocatedScalar,
  { languageAliases, aliases, problems }: ParameterContext,
): void {
  if (languageAliases.includes(name)) return;
  if (aliases.includes(name))
    problems.error(
      'unknown-model',
      `the model "${name}" is an encoder: it gives vectors, not answers`,
      scalar,
    );
  else {
    const hint =
      suggestion(name, languageAliases, 'there are') ??
      'name one under models: writer: { provider: openai, model: gpt-5-mini }';
    problems.error('unknown-model', `there is no language model "${name}"`, scalar, { hint });
  }
}

/** Puts the text of a file in the place of its path: equal texts are equal parameters, wherever they lie. */
function inlineTemplate(
  instance: Instance,
  pointer: string,
  value: string,
  scalar: LocatedScalar,
  { root, problems, addSource }: ParameterContext,
): void {
  const path = normalPath(value, folderOf(scalar, instance.draft.part), root);
  const around = pointer.slice(0, pointer.lastIndexOf('/'));
  let text: string;
  try {
    text = readFileSync(resolve(root, path), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${code})`;
    problems.error('file-not-found', what, scalar);
    return;
  }
  addSource(path, text);
  checkTemplateNames(text, scalar, instance, problems, path);
  setAt(instance.parameters, around, { text });
}

/** A path as the step gets it: relative to the root, absolute where it was written so and lies outside. */
export function normalPath(path: string, folder: string, root: string): string {
  if (path === '' || /^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return path;
  const short = fromRoot(resolvePath(path, folder, root), root);
  return isAbsolute(path) && short.startsWith('../') ? path : short;
}

/** The folder that `./x` means: that of the file which says it, be it the step's own or the one of the param. */
function folderOf(scalar: LocatedScalar, { params }: Part): string {
  const param = /^\$\{\{\s*params\.([a-z][a-z0-9_]*)\s*\}\}/.exec(String(scalar.value))?.[1];
  return (param !== undefined && params.folders.get(param)) || dirname(scalar.file.path);
}

function checkModel(
  name: string,
  scalar: LocatedScalar,
  { models, aliases, problems }: ParameterContext,
): void {
  if (name.startsWith('run:')) {
    problems.error('not-available', 'a model from a run is not in this version of Reprise', scalar);
    return;
  }
  if (aliases.includes(name) || models.find(name) !== undefined) return;
  const hint = isAbsolute(name)
    ? `a folder outside of the project has a name under models: mine: { provider: local, path: ${name} }`
    : suggestion(name, [...aliases, ...models.names], 'there are');
  problems.error('unknown-model', `there is no model "${name}"`, scalar, hint ? { hint } : {});
}

const failedRows = {
  kind: 'table',
  description: 'Rows that failed, with the reason.',
  optional: true,
} as const;
const answers = {
  kind: 'table',
  description: 'The answers of language models that the result was made from.',
  optional: true,
} as const;

function outputsOf(instance: Instance, type: AnyStepType, problems: ProblemList): OutputSpecs | undefined {
  let outputs: OutputSpecs;
  try {
    outputs = type.outputsOf === undefined ? type.outputs : type.outputsOf(instance.parameters);
  } catch (error) {
    if (instance.deferred.length > 0) {
      problems.error(
        'metric-too-early',
        `the outputs of step ${instance.draft.id} depend on metrics, which are not known before steps run`,
        instance.draft.key,
      );
      return undefined;
    }
    problems.error(
      'step-type-broken',
      `the outputs of ${type.type} cannot be told: ${(error as Error).message}`,
      instance.draft.key,
    );
    return undefined;
  }
  return {
    ...outputs,
    ...(type.kind === 'rows' && !('failed' in outputs) && { failed: failedRows }),
    ...(instance.languageModels.length > 0 && { answers }),
  };
}

/** The value as it stands, for finding what a schema marks. */
function roughJson(node: Located): Json {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(roughJson);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, roughJson(value)]));
}

/** A step whose `with` is the merged one, within a file of which only it is seen. */
function withWith(step: LocatedMap, merged: LocatedMap, id: string): LocatedMap {
  const key = step.entries.get('with')?.key ?? step.entries.get('use')?.key ?? step;
  const whole: LocatedMap = {
    ...step,
    entries: new Map([...step.entries, ['with', { key, value: merged }]]),
  };
  const steps: LocatedMap = { ...step, entries: new Map([[id, { key, value: whole }]]) };
  return { ...step, entries: new Map([['steps', { key, value: steps }]]) };
}

function scalarAt(root: LocatedMap, pointer: string): { exact: boolean; scalar: LocatedScalar } {
  let node: Located | undefined = root;
  for (const part of pointerParts(pointer)) {
    if (node.kind === 'map') node = node.entries.get(part)?.value;
    else if (node.kind === 'list') node = node.items[Number(part)];
    else break;
    if (node === undefined) return { exact: false, scalar: { ...root, kind: 'scalar', value: null } };
  }
  if (node.kind === 'scalar') return { exact: true, scalar: node };
  return {
    exact: false,
    scalar: { file: node.file, start: node.start, end: node.end, kind: 'scalar', value: null },
  };
}

/** Sets the value at a JSON pointer that exists. */
export function setAt(root: JsonObject, pointer: string, value: Json): void {
  const parts = pointerParts(pointer);
  let target: Json = root;
  for (const part of parts.slice(0, -1))
    target = (Array.isArray(target) ? target[Number(part)] : (target as JsonObject)[part]) ?? null;
  const last = parts.at(-1)!;
  if (Array.isArray(target)) target[Number(last)] = value;
  else if (typeof target === 'object' && target !== null) target[last] = value;
}
