import type { Json, JsonObject } from '../json.ts';
import type { AnyStepType } from '../step.ts';
import { model } from './model-schema.ts';
import {
  env,
  expression,
  hook,
  idPattern,
  include,
  includeKeys,
  matrix,
  notAvailableKeys,
  options,
  param,
  profile,
  profilePattern,
} from './schema-parts.ts';

/** A step type under the name that `use:` says. */
export interface NamedType {
  use: string;
  type: AnyStepType;
}

/**
 * The JSON Schema of a workflow file, built from the parameter schemas of the step types: `with` is checked by the
 * type that `use` names, so that one mistake gives one message. It says what it can in the words of draft-07, which
 * all editors know; the validator, the editor's schema and the docs come from here.
 *
 * `names`: the built-in names that `use` may say, if more than those of `types` (which may be only the ones in use).
 */
export function buildWorkflowSchema(
  types: readonly NamedType[],
  names: readonly string[] = types.map(({ use }) => use),
): JsonObject {
  const definitions: JsonObject = { param, matrix, model, env, include, hook, profile };
  const unions: JsonObject[] = [];
  const defaults: JsonObject = {};
  const completed: JsonObject[] = [];
  types.forEach(({ use, type }, index) => {
    const name = `with_${use.replaceAll(/\W+/g, '_')}`;
    const key = name in definitions ? `${name}_${index}` : name;
    const { required, ...open } = openSchema(type.parameters as unknown as JsonObject);
    definitions[key] = { description: type.summary, ...open };
    const reference = { $ref: `#/definitions/${key}` };
    defaults[use] = reference;
    const isUsed = { properties: { use: { const: use } }, required: ['use'] };
    // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
    unions.push({ if: isUsed, then: { properties: { with: reference } } });
    if (!Array.isArray(required) || required.length === 0) return;
    // Unless `defaults` say something about the type, what it requires must stand in the step.
    completed.push({
      if: {
        properties: { defaults: { properties: { with: { required: [use] } }, required: ['with'] } },
        required: ['defaults'],
      },
      else: {
        properties: {
          steps: {
            additionalProperties: {
              if: isUsed,
              // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
              then: { properties: { with: { required } }, required: ['with'] },
            },
          },
        },
      },
    });
  });
  definitions['step'] = stepSchema(names, unions);
  definitions['defaults'] = {
    type: 'object',
    description: 'What the steps of this file, and of the files that it includes, do not say themselves.',
    properties: {
      ...options,
      with: {
        type: 'object',
        description: 'Parameters by step type.',
        propertyNames: { if: { type: 'string', pattern: '/' }, else: { enum: [...names] } },
        properties: defaults,
        additionalProperties: { type: 'object' },
      },
    },
    additionalProperties: false,
  };
  const steps = {
    type: 'object',
    description: 'The steps by id.',
    propertyNames: { pattern: idPattern },
    additionalProperties: { $ref: '#/definitions/step' },
  };
  definitions['template'] = {
    type: 'object',
    description: 'Steps that are used with other params each time.',
    properties: {
      description: { type: 'string', description: 'What the steps do.' },
      params: {
        type: 'object',
        description:
          'What a step that uses the template gives under with; read in expressions as params.name.',
        propertyNames: { pattern: idPattern },
        additionalProperties: { $ref: '#/definitions/param' },
      },
      inputs: {
        type: 'array',
        items: { type: 'string', pattern: idPattern },
        uniqueItems: true,
        description: 'Names that its steps read from, and that a step which uses it binds with from.',
      },
      steps: { ...steps, minProperties: 1 },
      output: {
        type: 'string',
        minLength: 1,
        description: 'The step whose outputs are those of the step that uses it; the last one if not given.',
      },
    },
    required: ['steps'],
    additionalProperties: false,
  };
  return {
    title: 'Reprise workflow',
    type: 'object',
    properties: {
      name: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$',
        patternErrorMessage: 'a name has letters, digits, "_", "-" and ".", at most 80',
        description:
          "The workflow's name: it is part of the names of its runs. The file's name if not given.",
      },
      description: { type: 'string', description: 'What the workflow is for.' },
      params: {
        type: 'object',
        description: 'Values that can be set with --param, and read in expressions as params.name.',
        propertyNames: { pattern: idPattern },
        additionalProperties: { $ref: '#/definitions/param' },
      },
      models: {
        type: 'object',
        description: 'Models under names of their own; a step names an alias or a built-in model.',
        additionalProperties: { $ref: '#/definitions/model' },
      },
      env: { $ref: '#/definitions/env' },
      seed: {
        type: 'integer',
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        default: 42,
        description: 'What every random choice is derived from.',
      },
      defaults: { $ref: '#/definitions/defaults' },
      include: {
        type: ['string', 'array', 'object'],
        minLength: 1,
        items: { $ref: '#/definitions/include' },
        ...includeKeys,
        description:
          'Files with steps (and params, models, env, templates) that belong to this workflow: paths, or { file, prefix, params }.',
      },
      templates: {
        type: 'object',
        description: 'Steps to be used more than once, each time with other params: use: template:name.',
        propertyNames: { pattern: idPattern },
        additionalProperties: { $ref: '#/definitions/template' },
      },
      profiles: {
        type: 'object',
        description: 'What --profile name changes: values of params, defaults, models, pools.',
        propertyNames: { pattern: profilePattern },
        additionalProperties: { $ref: '#/definitions/profile' },
      },
      steps,
      budget: {
        type: 'object',
        properties: {
          usd: { type: 'number', minimum: 0, description: 'US dollars.' },
          calls: { type: 'integer', minimum: 0, description: 'Requests to providers; each try is one.' },
          tokens: { type: 'integer', minimum: 0, description: 'Tokens of requests and answers.' },
        },
        minProperties: 1,
        additionalProperties: false,
        description:
          'What the language models of a run may take; it stops before the call that would pass it. --budget says otherwise.',
      },
      on_finish: {
        type: 'array',
        items: { $ref: '#/definitions/hook' },
        description: 'What is done when a run is over and recorded: programs to run, and webhooks to call.',
      },
      ...Object.fromEntries(notAvailableKeys.workflow.map((key) => [key, false])),
    },
    additionalProperties: false,
    allOf: completed,
    definitions,
  };
}

/** The schema of a template on its own, from that of a workflow file. */
export function templateSchema(workflow: JsonObject): JsonObject {
  const { definitions, allOf } = workflow;
  return { $ref: '#/definitions/template', allOf: allOf!, definitions: definitions! };
}

/** The schema as a file for editors. */
export function editorSchema(types: readonly NamedType[]): JsonObject {
  const schema = withoutOwnWords(buildWorkflowSchema(types)) as JsonObject;
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...schema };
}

function stepSchema(names: readonly string[], unions: JsonObject[]): JsonObject {
  return {
    type: 'object',
    properties: {
      use: {
        description:
          'The step type: a built-in name, a step file (./steps/mine.ts), npm:package/step, or template:name.',
        // What an editor offers.
        examples: [...names],
        if: { type: 'string', pattern: '^(npm|template):|/' },
        else: { enum: [...names] },
      },
      from: {
        type: ['string', 'object'],
        minLength: 1,
        additionalProperties: { type: 'string', minLength: 1 },
        description:
          'What it reads: an address (unique, unique.duplicates, answers[model=a]), or a map of inputs.',
      },
      after: {
        type: ['string', 'array'],
        minLength: 1,
        items: { type: 'string', minLength: 1 },
        description: 'Steps that must be done first, without reading from them.',
      },
      with: { type: 'object', description: 'The parameters of the step type.' },
      when: {
        type: ['string', 'boolean'],
        description: 'A CEL condition: if it is false, the step is skipped.',
      },
      matrix: { $ref: '#/definitions/matrix' },
      for_each: {
        type: 'string',
        minLength: 1,
        description:
          'The address of a table: the step runs once for each of its rows, which is item in expressions.',
      },
      env: { $ref: '#/definitions/env' },
      description: { type: 'string', description: 'What the step is for.' },
      ...options,
      resources: {
        type: 'object',
        description: 'What it takes of the pools of reprise.yaml while it runs: { gpu: 1 }.',
        additionalProperties: { type: 'integer', minimum: 1 },
      },
      ...Object.fromEntries(notAvailableKeys.step.map((key) => [key, false])),
    },
    required: ['use'],
    additionalProperties: false,
    allOf: unions,
  };
}

/** Where a value is expected that is not just any text, `${{ … }}` may stand as well. */
function openSchema(schema: JsonObject): JsonObject {
  const open: JsonObject = {};
  for (const [word, value] of Object.entries(schema)) {
    if (word === 'properties' || word === 'patternProperties')
      open[word] = Object.fromEntries(
        Object.entries(value as JsonObject).map(([name, property]) => [name, openValue(property)]),
      );
    else if (word === 'items' || word === 'additionalProperties') open[word] = openValue(value);
    else if (word === 'prefixItems') open[word] = (value as Json[]).map(openValue);
    else if (word === 'anyOf' || word === 'oneOf' || word === 'allOf')
      open[word] = (value as Json[]).map((branch) => (isObject(branch) ? openSchema(branch) : branch));
    else open[word] = value;
  }
  return open;
}

function openValue(schema: Json): Json {
  if (!isObject(schema)) return schema;
  const open = openSchema(schema);
  if (takesAnyText(schema)) return open;
  const { description, default: fallback, title, ...rest } = open;
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    if: expression,
    else: rest,
  };
}

function takesAnyText(schema: JsonObject): boolean {
  const limits = [
    'enum',
    'const',
    'pattern',
    'format',
    'maxLength',
    'anyOf',
    'oneOf',
    'allOf',
    '$ref',
    'not',
    'if',
  ];
  if (limits.some((word) => word in schema)) return false;
  const { type } = schema;
  return type === undefined || type === 'string' || (Array.isArray(type) && type.includes('string'));
}

function withoutOwnWords(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutOwnWords);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'x-reprise')
      .map(([key, member]) => [key, withoutOwnWords(member)]),
  );
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
