import type { Row } from './artefacts.ts';
import { stepContext } from './execute/context.ts';
import { tablesBehind } from './execute/gathered-matrix.ts';
import { openInputs, type ProductsOf } from './execute/io.ts';
import { WorkerPool } from './execute/pool.ts';
import type { PreparedStep } from './execute/prepare.ts';
import { contentOf, routedRow, withRouteFields } from './execute/routed-rows.ts';
import { namespaceIdentity, rowKey } from './execute/rows.ts';
import { rowIdentity } from './execute/run-step.ts';
import type { Json, JsonObject } from './json.ts';
import type { LanguageModel, LanguageRequest, RequestEstimate } from './language-model.ts';
import { anyInputs, RowFailure, type StepRun, type TableInput } from './step.ts';
import { rowsFor, typeWith } from './type-with.ts';
import type { ResolvedWorkflow } from './workflow/resolved.ts';
import type { Workspace } from './workspace.ts';

/** What a step would ask of language models if it ran now. */
export interface AskingEstimate {
  step: string;
  /** `writer (openai/gpt-5-mini)` */
  models: string[];
  /** Requests to make, and those whose answers are known. */
  calls: number;
  known: number;
  input_tokens: number;
  output_tokens: number;
  /** US dollars; null if a price is not known. */
  usd: number | null;
}

/** Of more rows than this, so many are looked at, evenly, and the rest taken to be like them. */
const sampled = 2000;

/**
 * Works out what a row-wise step would ask, by letting it make its requests to models that answer nobody. Null for other
 * steps: what they ask is not known before they ask it.
 */
export async function estimateAsking(
  prepared: PreparedStep,
  productsOf: ProductsOf,
  { workflow, workspace, signal }: { workflow: ResolvedWorkflow; workspace: Workspace; signal: AbortSignal },
): Promise<AskingEstimate | null> {
  const { step, parameters, fingerprint } = prepared;
  const loaded = typeWith(await workspace.registry.find(step.use)!.load(), parameters);
  if (loaded.kind !== 'rows') return null;
  const type = withRouteFields(loaded, prepared.languageModels.values());
  const inputs = await openInputs(
    step,
    workspace.store,
    productsOf,
    (input) => type.inputs === anyInputs || type.inputs[input]?.optional === true,
    tablesBehind(workflow, productsOf),
  );
  const counting = new Counting(prepared.languageModels);
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
    asking: counting,
    pool,
    signal,
    onProgress: () => {},
    onLog: () => {},
  });
  try {
    const run = { parameters, inputs, outputs: {}, context } as unknown as StepRun<JsonObject, never, never>;
    const computer = await type.open(run);
    const rows = await rowsFor(type, run);
    let missing = await contentsOf(rows, contentOf(type, parameters, rows), signal);
    if (step.cache && fingerprint !== null) {
      const cache = workspace.rowCache();
      const identity = namespaceIdentity(type, parameters, rowIdentity(fingerprint), computer.identity);
      const found = cache.getMany(cache.namespace(identity), [...missing.keys()].map(bytesOf));
      missing = new Map([...missing].filter((_, index) => found[index] === undefined));
    }
    const every = Math.max(1, Math.ceil(missing.size / sampled));
    const looked = [...missing.values()].filter((_, index) => index % every === 0);
    for (const content of looked) {
      signal.throwIfAborted();
      await computer.compute([content], signal).catch((error: unknown) => {
        if (!(error instanceof RowFailure)) throw error;
      });
      await counting.settled();
    }
    await computer.close?.();
    return counting.sum(step.id, looked.length === 0 ? 1 : missing.size / looked.length);
  } finally {
    dispose();
    await pool.close();
  }
}

/** Distinct contents of the rows' fields, by the name of their value in the row cache. */
async function contentsOf(
  rows: TableInput,
  contentOfRow: (row: Row) => Json[],
  signal: AbortSignal,
): Promise<Map<string, Json[]>> {
  const contents = new Map<string, Json[]>();
  for await (const block of rows.blocks()) {
    signal.throwIfAborted();
    for (const row of block) {
      const content = contentOfRow(row);
      contents.set(rowKey(content).toString('latin1'), content);
    }
  }
  return contents;
}

const bytesOf = (key: string): Buffer => Buffer.from(key, 'latin1');

/** Models that count what they are asked, and answer nothing. */
class Counting {
  readonly #models: ReadonlyMap<string, LanguageModel>;
  readonly #estimates: RequestEstimate[] = [];
  #underway: Promise<unknown>[] = [];

  constructor(models: ReadonlyMap<string, LanguageModel>) {
    this.#models = models;
  }

  model(alias: string) {
    const model = this.#models.get(alias);
    return (
      model && {
        name: alias,
        ask: async (request: LanguageRequest): Promise<never> => {
          const estimate = model.estimate(request, routedRow());
          this.#underway.push(estimate);
          this.#estimates.push(await estimate);
          throw new RowFailure('only counted');
        },
      }
    );
  }

  tokens(alias: string) {
    return this.#models.get(alias)?.tokens;
  }

  /** Resolves when everything asked so far is counted. */
  async settled(): Promise<void> {
    await Promise.all(this.#underway);
    this.#underway = [];
  }

  sum(step: string, scale: number): AskingEstimate {
    const open = this.#estimates.filter(({ known }) => !known);
    const total = (of: (estimate: RequestEstimate) => number) =>
      open.reduce((sum, estimate) => sum + of(estimate), 0) * scale;
    return {
      step,
      models: [...this.#models.values()].map(({ alias, asked }) => `${alias} (${asked})`),
      calls: Math.round(open.length * scale),
      known: Math.round((this.#estimates.length - open.length) * scale),
      input_tokens: Math.round(total((estimate) => estimate.input_tokens)),
      output_tokens: Math.round(total((estimate) => estimate.output_tokens)),
      usd: open.some(({ usd }) => usd === null) ? null : total(({ usd }) => usd!),
    };
  }
}
