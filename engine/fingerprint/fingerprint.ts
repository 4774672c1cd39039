import type { Artefact } from '../artefacts.ts';
import { type Digest, digestOfJson } from '../digest.ts';
import type { Json, JsonObject } from '../json.ts';
import type { CodeModule } from './code.ts';
import { jsonDifferences, memberOf, shownChange } from './json-difference.ts';

/**
 * Everything that a step's result depends on, and nothing else: what its result is filed under. Two steps with equal
 * fingerprints have the same result, whatever they are called and in whichever workflow they stand.
 *
 * Not in it, because they do not change a result: the step's id, description, retries, timeout, concurrency and
 * resources, log level, cache settings, how many failed rows are allowed, and the engine's own version.
 */
export interface Fingerprint {
  /** The name in `use:`: it names the stream of random numbers, and says first what a step is. */
  step_type: string;
  /** The type's own code and the local modules that it reaches: an edited helper may compute something else. */
  code: Digest;
  /** Versions of the packages that the code imports: a newer library may compute something else. */
  packages: Record<string, string>;
  /** `with`, defaults filled in and paths relative to the root: equal values give equal results however written. */
  parameters: JsonObject;
  /** Of a step that asks language models: in which order schemas among its parameters name their members. */
  order?: Record<string, string[]>;
  /** The workflow's params that the step's expressions and templates name: the step sees no others. */
  params?: JsonObject;
  /** The same of the axes of the step's matrix: what `${{ matrix.x }}` puts into parameters counts there. */
  matrix?: JsonObject;
  /**
   * What it reads, by content (see `artefactIdentity`), so that a step before it that reran to the same bytes changes
   * nothing. Of a gathered matrix, every instance with its axes, in order; of whole steps, all outputs and metrics.
   */
  inputs: JsonObject;
  /** Digests of the files that it reads, by path: content counts, a file's time does not. */
  files: Record<string, string>;
  /** Digests of the models that it uses, by name: other weights compute something else. */
  models: Record<string, string>;
  /**
   * Digests of the environment variables that it sees, not their values. Unsalted, so that another machine comes to the
   * same fingerprint: a short value can be guessed from its digest.
   */
  env: Record<string, string>;
  /** The workflow's seed, for types that draw random numbers; null for all others, which it does not touch. */
  seed: number | null;
  /** Version of the store's formats: a result in an older format could not be read. */
  formats: number;
}

/** The name under which a result is filed. */
export function fingerprintKey(fingerprint: Fingerprint): Digest {
  return digestOfJson(fingerprint);
}

/**
 * How an artefact counts as an input. A matrix counts with the ids that its rows belong to: the same numbers for other
 * rows are another input. A table's ids are part of its content.
 */
export function artefactIdentity(artefact: Artefact): Json {
  return artefact.kind === 'matrix' ? { digest: artefact.digest, ids: artefact.ids } : artefact.digest;
}

/**
 * Of the workflow's params, or the axes of a matrix, those that texts with expressions or templates name. A text that
 * takes them whole, or by a computed name, names them all. What a step is not found to name it must not be given.
 */
export function valuesNamed(
  of: 'params' | 'matrix',
  texts: Iterable<string>,
  values: Readonly<JsonObject>,
): JsonObject {
  if (Object.keys(values).length === 0) return {};
  const pattern = new RegExp(`(?<![\\w.])${of}\\b(?:\\s*\\??\\.\\s*([A-Za-z_]\\w*))?`, 'g');
  const named = new Set<string>();
  for (const text of texts) {
    for (const [, name] of text.matchAll(pattern)) {
      if (name === undefined) return { ...values };
      named.add(name);
    }
  }
  return Object.fromEntries(Object.entries(values).filter(([name]) => named.has(name)));
}

/**
 * Why a step must run: what differs between its last result's fingerprint and the one it has now, the most telling
 * first. Empty if nothing differs.
 *
 * @param modulesOf modules of a code digest, to name the file that changed; see `CodeDigests.modulesOf`
 */
export function explainChange(
  old: Fingerprint,
  now: Fingerprint,
  modulesOf: (code: Digest) => CodeModule[] | undefined = () => undefined,
): string[] {
  const reasons: string[] = [];
  if (old.step_type !== now.step_type) reasons.push(`use ${old.step_type} → ${now.step_type}`);
  for (const { path, old: before, now: after } of jsonDifferences(old.parameters, now.parameters))
    reasons.push(`with.${path} ${shownChange(before, after)}`);
  for (const path of namesOf(old.order ?? {}, now.order ?? {}))
    if (jsonDifferences(memberOf(old.order ?? {}, path), memberOf(now.order ?? {}, path)).length > 0)
      reasons.push(`with.${path} in another order`);
  for (const { path, old: before, now: after } of jsonDifferences(old.params ?? {}, now.params ?? {}))
    reasons.push(`params.${path} ${shownChange(before, after)}`);
  for (const { path, old: before, now: after } of jsonDifferences(old.matrix ?? {}, now.matrix ?? {}))
    reasons.push(`matrix.${path} ${shownChange(before, after)}`);
  if (old.seed !== now.seed)
    reasons.push(`seed ${shownChange(old.seed ?? undefined, now.seed ?? undefined)}`);
  if (old.code !== now.code)
    reasons.push(codeChange(now.step_type, modulesOf(old.code), modulesOf(now.code)));
  reasons.push(...named('file', old.files, now.files));
  for (const name of namesOf(old.inputs, now.inputs)) {
    const [before, after] = [memberOf(old.inputs, name), memberOf(now.inputs, name)];
    if (jsonDifferences(before, after).length > 0) reasons.push(`input ${name} ${verb(before, after)}`);
  }
  reasons.push(...named('model', old.models, now.models), ...named('env', old.env, now.env));
  for (const name of namesOf(old.packages, now.packages)) {
    const [before, after] = [memberOf(old.packages, name), memberOf(now.packages, name)];
    if (before !== after) reasons.push(`package ${name} ${before ?? 'not used'} → ${after ?? 'not used'}`);
  }
  if (old.formats !== now.formats) reasons.push(`store format ${old.formats} → ${now.formats}`);
  return reasons;
}

function named(kind: string, old: Record<string, string>, now: Record<string, string>): string[] {
  return namesOf(old, now).flatMap((name) => {
    const [before, after] = [memberOf(old, name), memberOf(now, name)];
    return before === after ? [] : [`${kind} ${name} ${verb(before, after)}`];
  });
}

function verb(before: unknown, after: unknown): string {
  return before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
}

function namesOf(old: object, now: object): string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])];
}

function codeChange(type: string, old: CodeModule[] | undefined, now: CodeModule[] | undefined): string {
  if (!old || !now) return `code of ${type} changed`;
  const before = new Map(old.map(({ path, digest }) => [path, digest]));
  const after = new Map(now.map(({ path, digest }) => [path, digest]));
  const changed = [...after].filter(([path, digest]) => before.get(path) !== digest).map(([path]) => path);
  const gone = [...before.keys()].filter((path) => !after.has(path));
  const paths = changed.length > 0 ? changed : gone;
  if (paths.length === 0) return `code of ${type} changed`;
  return `code ${paths.slice(0, 3).join(', ')}${paths.length > 3 ? ` and ${paths.length - 3} more` : ''}`;
}
