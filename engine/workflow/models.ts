import { dirname } from 'node:path';
import type { Json, JsonObject } from '../json.ts';
import { isLanguageModel } from '../language-model.ts';
import { suggestion } from '../nearest.ts';
import type { Expander } from './expression.ts';
import { type Located, type LocatedMap, member, pointerParts, textOf } from './located.ts';
import { readRoute } from './model-routes.ts';
import { normalPath } from './parameters.ts';
import type { Part } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import type { Measured, ResolvedWorkflow } from './resolved.ts';
import type { Scope } from './scope.ts';
import { secretsIn } from './secrets.ts';

interface ModelsOptions {
  /** What expressions of a file see. */
  scopeOf(part: Part): Scope;
  expander: Expander;
  /** Absolute path of the project's root. */
  root: string;
  problems: ProblemList;
  /** Takes the names of secrets that are keys. */
  keys: Set<string>;
  /** The models that an entry's provider has, if it will not know the entry's own; else null. */
  otherModels(entry: JsonObject): readonly string[] | null;
}

/**
 * The models by alias, expressions expanded. Of several files the outer one wins, and profiles over all. A key that is
 * given as a secret becomes the name of its variable: the value stands nowhere. Beside them, where routes name metrics of
 * earlier runs.
 */
export function readModels(
  files: readonly Part[],
  options: ModelsOptions,
): { models: ResolvedWorkflow['models']; measured: Measured[] } {
  const [main] = files;
  const found: ResolvedWorkflow['models'] = {};
  const places: [LocatedMap, Part][] = [
    ...(main?.profiles ?? []).map((root): [LocatedMap, Part] => [root, main!]),
    ...files.map((file): [LocatedMap, Part] => [file.root, file]),
  ];
  const routes: [string, JsonObject, LocatedMap, Part][] = [];
  for (const [root, part] of places) {
    const models = member(root, 'models');
    if (models?.kind !== 'map') continue;
    for (const [alias, { value }] of models.entries) {
      if (Object.hasOwn(found, alias) || value.kind !== 'map') continue;
      const model = readModel(value, part, options);
      found[alias] = model;
      if (model['route'] !== undefined) routes.push([alias, model, value, part]);
    }
  }
  const targets = Object.keys(found).filter(
    (alias) => found[alias]!['route'] === undefined && isLanguageModel(found[alias]!),
  );
  const measured = routes.flatMap(([alias, model, node, part]) =>
    readRoute(alias, model, node, { ...options, scope: options.scopeOf(part), targets }),
  );
  return { models: found, measured };
}

function readModel(
  node: LocatedMap,
  part: Part,
  { scopeOf, expander, root, problems, keys, otherModels }: ModelsOptions,
): JsonObject {
  const { value, deferred, unknown } = expander.expand(node, { ...scopeOf(part), secrets: true });
  const model = value as JsonObject;
  const secrets = new Map(deferred.map(({ pointer, template, node: at }) => [pointer, { template, at }]));
  const entries: [string, JsonObject, LocatedMap][] = [['', model, node]];
  const list = member(node, 'fallback');
  if (list?.kind === 'list' && Array.isArray(model['fallback']))
    for (const [index, item] of list.items.entries()) {
      const fallback: Json | undefined = model['fallback'][index];
      if (
        item.kind === 'map' &&
        typeof fallback === 'object' &&
        fallback !== null &&
        !Array.isArray(fallback)
      )
        entries.push([`/fallback/${index}`, fallback, item]);
    }
  for (const [pointer, entry, at] of entries) {
    for (const name of ['path', 'template', 'tokenizer'])
      if (textOf(member(at, name)) !== undefined && typeof entry[name] === 'string')
        entry[name] = normalPath(entry[name], dirname(at.file.path), root);
    checkName(entry, at, otherModels, problems);
    const key = member(at, 'api_key');
    if (key === undefined) continue;
    const secret = secrets.get(`${pointer}/api_key`);
    secrets.delete(`${pointer}/api_key`);
    delete entry['api_key'];
    // What cannot be computed is reported already.
    if (!unknown.includes(`${pointer}/api_key`)) nameKey(entry, key, secret?.template, keys, problems);
  }
  for (const [pointer, { at }] of secrets)
    problems.error(
      'secret-not-allowed',
      `${pointerParts(pointer).join('.')} of a model holds no secret: what it says is kept`,
      at,
      { hint: 'a key stands under api_key' },
    );
  return model;
}

/** A model that its provider does not have is told before anything is asked, or paid for. */
function checkName(
  entry: JsonObject,
  node: LocatedMap,
  otherModels: ModelsOptions['otherModels'],
  problems: ProblemList,
): void {
  const name = entry['model'];
  const at = member(node, 'model');
  if (typeof name !== 'string' || at === undefined) return;
  const others = otherModels(entry);
  if (others === null) return;
  const close = suggestion(name, others, 'there are');
  problems.error('unknown-model', `${entry['provider']} has no model "${name}" that is known here`, at, {
    hint: `${close === undefined ? '' : `${close} `}for a newer one, fetch the catalogue (reprise models refresh) or say its price: { input: …, output: … }`,
  });
}

/** Puts the name of the variable in the place of the key. */
function nameKey(
  model: JsonObject,
  key: Located,
  template: string | undefined,
  keys: Set<string>,
  problems: ProblemList,
): void {
  const [name] = secretsIn(template ?? '');
  if (template === undefined || name === undefined)
    problems.error('secret-not-allowed', 'a key does not stand in the file itself', key, {
      hint: 'write api_key: "${{ secrets.NAME }}", and NAME=… into .env',
    });
  else if (template !== `\${{ secrets.${name} }}`)
    problems.error('secret-form', 'an api_key is a secret by itself', key, {
      hint: `write api_key: "\${{ secrets.${name} }}"`,
    });
  else if (model['api_key_env'] !== undefined)
    problems.error('wrong-value', 'api_key and api_key_env say the same: one of them is enough', key);
  else {
    model['api_key_env'] = name;
    keys.add(name);
  }
}
