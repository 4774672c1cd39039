import type { Row } from './artefacts.ts';
import { stepContext } from './execute/context.ts';
import { tablesBehind } from './execute/gathered-matrix.ts';
import { openInputs } from './execute/io.ts';
import { WorkerPool } from './execute/pool.ts';
import { contentOf, withRouteFields } from './execute/routed-rows.ts';
import { namespaceIdentity, rowKey } from './execute/rows.ts';
import { rowIdentity } from './execute/run-step.ts';
import type { Looked } from './explain.ts';
import { jsonDifferences, shownChange } from './fingerprint/json-difference.ts';
import { canonicalJson, type Json, type JsonObject } from './json.ts';
import { ProblemError } from './problems.ts';
import { anyInputs, type StepRun, type TableInput } from './step.ts';
import { rowsFor, typeWith } from './type-with.ts';
import type { ResolvedWorkflow } from './workflow/resolved.ts';
import type { Workspace } from './workspace.ts';

/** Why the value of a row hits or misses the row cache. */
export interface RowExplanation {
  row: string;
  state: 'hit' | 'miss';
  reason: string;
  /** The fields that count, with the row's values. */
  fields: JsonObject;
  /** When the value was used last (to an hour); null if there is none. */
  last_used: string | null;
}

/**
 * Looks one row of a row-wise step's input up. Opens what the step computes with (a model, say), and computes nothing.
 *
 * @param earlier the row with this id as an earlier run of the workflow read it, if one did
 */
export async function explainRow(options: {
  looked: Looked;
  row: string;
  workflow: ResolvedWorkflow;
  workspace: Workspace;
  signal: AbortSignal;
  earlier(): Promise<Row | undefined>;
}): Promise<RowExplanation> {
  const { looked, row: id, workflow, workspace, signal } = options;
  const { prepared, productsOf } = looked;
  const { step, fingerprint, parameters } = prepared;
  const loaded = typeWith(await workspace.registry.find(step.use)!.load(), parameters);
  if (loaded.kind !== 'rows')
    throw ProblemError.of('not-row-wise', `${step.id} (${step.use}) is no function of one row`, {
      hint: `it is cached as a whole: reprise cache explain <file> ${step.id}`,
    });
  const type = withRouteFields(loaded, prepared.languageModels.values());
  if (!step.cache || fingerprint === null)
    throw ProblemError.of(
      'not-row-wise',
      `${step.id} has no row cache: ${prepared.uncached ?? 'cache is off'}`,
    );
  const inputs = await openInputs(
    step,
    workspace.store,
    productsOf,
    (input) => type.inputs === anyInputs || type.inputs[input]?.optional === true,
    tablesBehind(workflow, productsOf),
  );
  const pool = new WorkerPool();
  const { context, dispose } = stepContext({
    step,
    seed: workflow.seed,
    root: workflow.root,
    params: prepared.params,
    matrix: prepared.matrix,
    env: prepared.env,
    files: prepared.files,
    models: prepared.models,
    asking: {
      model: (name) => ({ name, ask: () => Promise.reject(new Error('nothing is asked here')) }),
      tokens: (name) => prepared.languageModels.get(name)?.tokens,
    },
    pool,
    signal,
    onProgress: () => {},
    onLog: () => {},
  });
  const names = type.fields(parameters);
  let content: Json[];
  let identity: JsonObject;
  try {
    const run = { parameters, inputs, outputs: {}, context } as unknown as StepRun<JsonObject, never, never>;
    const table = await rowsFor(type, run);
    const row = await findRow(table, id);
    if (row === undefined)
      throw ProblemError.of('unknown-row', `the input of ${step.id} has no row "${id}"`, {
        hint: `look at its rows: reprise show latest ${step.needs[0] ?? step.id}`,
      });
    content = contentOf(type, parameters, table)(row);
    const computer = await type.open(run);
    identity = namespaceIdentity(type, parameters, rowIdentity(fingerprint), computer.identity);
    await computer.close?.();
  } finally {
    dispose();
    await pool.close();
  }
  const routed = content[names.length] as JsonObject | undefined;
  const fields = { ...Object.fromEntries(names.map((name, index) => [name, content[index]!])), ...routed };
  const key = rowKey(content);
  const known = workspace.rowCache().namespacesOf(type.type, key);
  const own = known.find((namespace) => canonicalJson(namespace.identity) === canonicalJson(identity));
  if (own && own.usedMs !== null)
    return {
      row: id,
      state: 'hit',
      reason: 'a value of these fields is filed',
      fields,
      last_used: new Date(own.usedMs).toISOString(),
    };
  const reason = await missReason({ ...options, identity, fields, known, hasOwn: own !== undefined });
  return { row: id, state: 'miss', reason, fields, last_used: null };
}

async function missReason({
  identity,
  fields,
  known,
  hasOwn,
  earlier,
}: {
  identity: JsonObject;
  fields: JsonObject;
  known: { identity: JsonObject; usedMs: number | null }[];
  /** Other rows were computed with what the step has now. */
  hasOwn: boolean;
  earlier(): Promise<Row | undefined>;
}): Promise<string> {
  const others = known
    .filter(({ usedMs }) => usedMs !== null)
    .map(({ identity: other }) => jsonDifferences(other, identity))
    .sort((a, b) => a.length - b.length);
  // The same text, computed with something else: say with what.
  if (others[0])
    return `filed with other settings: ${others[0].map(({ path, old, now }) => `${path} ${shownChange(old, now)}`).join(', ')}`;
  const before = await earlier();
  if (before) {
    const changes = jsonDifferences(
      Object.fromEntries(Object.keys(fields).map((name) => [name, before[name] ?? null])),
      fields,
    );
    if (changes.length > 0)
      return `the row changed: ${changes.map(({ path, old, now }) => `${path} ${shownChange(old, now)}`).join(', ')}`;
    return 'its value was evicted, or never came to be';
  }
  return hasOwn
    ? 'a new row: no value of these fields is filed'
    : 'no row was computed with these settings yet';
}

async function findRow(table: TableInput, id: string): Promise<Row | undefined> {
  for await (const row of table.read()) if (row.id === id) return row;
  return undefined;
}
