import type { Metrics, Row } from './artefacts.ts';
import type { Digest } from './digest.ts';
import type { Json, JsonObject } from './json.ts';
import type { Answer, LanguageRequest, ModelTokens } from './language-model.ts';
import type { FromSchema, ValueSchema } from './schema-type.ts';
import type { anyInputs, InputSpecs, InputsOf, OutputSpecs, OutputsOf, TableInput } from './step-io.ts';

export * from './step-io.ts';

/**
 * JSON Schema (2020-12) of a step's `with`. Besides the standard words, `x-reprise` marks what a string means to
 * the engine, so that the plan knows a step's dependencies without loading its code:
 * - `path`: a path; `./x` is resolved against the file that says it, anything else against the project's root;
 *   the step gets it relative to the root
 * - `input-path`: the same, and the content of the file (or of every file that the glob matches or the folder holds) counts in the fingerprint
 * - `output-path`: a path that the output `file` is copied to when the step has run or was found in the cache
 * - `model`: the name of an encoder; the digests of its files count in the fingerprint
 * - `cel`: a bare CEL expression, checked when the workflow is read
 * - `template`: a Handlebars text, in which `${{ }}` is not expanded
 * - `template-file`: a path to such a text; the step gets the text itself, as the member `text` beside it
 * - `sql`: a query; a `StepError` that says where in it a mistake is (`at`) is shown with the place in the workflow's file
 * - `embedding-model`: the name of an encoder, or the alias of a model of a provider that gives vectors
 * - `language-model`: the alias of a language model; what it stands for counts in the fingerprint
 */
export type ParameterSchema = ValueSchema & { readonly type: 'object' };

/** A seeded stream of numbers: the same names and seed give the same stream on every machine. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
  /** A 32-bit seed to hand to a worker or a numeric function. */
  seed(): number;
}

/** Worker threads. Tasks are pure functions exported by a module; arguments and results are cloned or transferred. */
export interface Pool {
  /** Threads that this step may keep busy. */
  readonly threads: number;
  /**
   * Calls `exportName(args, report)` of `module` (a file URL) in a worker thread. `report(done, total)` reaches
   * `onProgress`. The thread is stopped when the step is cancelled.
   */
  run<A, R>(
    module: string | URL,
    exportName: string,
    args: A,
    options?: { transfer?: readonly ArrayBuffer[]; onProgress?: (done: number, total: number) => void },
  ): Promise<R>;
}

/** The only door from a step to the world. */
export interface StepContext {
  /** Aborted on Ctrl-C, on a timeout, or when another step's failure stops the run. */
  readonly signal: AbortSignal;
  /** Absolute path of the project's root: parameters' paths are relative to it. */
  readonly root: string;
  /** The declared environment variables, and no others. */
  readonly env: Readonly<Record<string, string>>;
  /** The workflow's params, for templates and row expressions. */
  readonly params: Readonly<JsonObject>;
  /** Values of the step's matrix, by axis, as far as its parameters name them; empty where there is no matrix. */
  readonly matrix: Readonly<JsonObject>;
  readonly pool: Pool;
  /** A stream of its own for each sequence of names. Only for types that are declared `seeded`. */
  random(...names: (string | number)[]): Random;
  /** Absolute paths of the files behind an `input-path` parameter, sorted; what it did not name may not be read. */
  files(pathOrGlob: string): readonly string[];
  /** Absolute folder of the model that a `model` parameter names. */
  model(name: string): ModelFolder;
  /** The language model that a `language-model` parameter names. */
  languageModel(alias: string): AskedModel;
  /** How that model counts texts, and how many tokens it takes. */
  modelTokens(alias: string): ModelTokens;
  progress(done: number, total?: number, unit?: string): void;
  log(message: string): void;
  /** A warning belongs to the result: it is shown again when the result comes from the cache. */
  warn(message: string): void;
  /** An empty folder that goes away with the step. */
  scratch(): Promise<string>;
}

/** A language model, as a step sees it: answers that are known cost nothing, and come at once. */
export interface AskedModel {
  /** The alias. */
  readonly name: string;
  /**
   * An answer that is whole and fits the request's schema. Throws a RowFailure if this request has none, and a
   * StepError if no request would have one (a wrong key, say).
   */
  ask(request: LanguageRequest): Promise<Answer>;
}

/** A model on disk, addressed by the digests of its files. */
export interface ModelFolder {
  readonly name: string;
  readonly folder: string;
  readonly digest: Digest;
  readonly files: readonly { name: string; digest: Digest }[];
}

export interface StepRun<P, I, O extends OutputSpecs> {
  readonly parameters: P;
  readonly inputs: InputsOf<I>;
  readonly outputs: OutputsOf<O>;
  readonly context: StepContext;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a step that reports nothing returns nothing
export type StepResult = { metrics?: Metrics } | void;

/** A finding of a step type's `check`, with the parameter that it is about. */
export interface ParameterProblem {
  readonly parameter: string;
  readonly message: string;
}

/** What a step's `check` may know of it beside its parameters. */
export interface StepSurroundings {
  /** Inputs that `from` binds. */
  readonly inputs: readonly string[];
  /** Aliases of the workflow's `models` that are models of providers, not encoders in a folder. */
  readonly languageModels: readonly string[];
}

interface StepTypeCommon {
  /** The name that `use:` says. */
  readonly type: string;
  /** One line for `reprise steps`. */
  readonly summary: string;
  /** A short text in Markdown for the docs: what it does, formulas, sources. */
  readonly description?: string;
  readonly parameters: ParameterSchema;
  readonly inputs: InputSpecs | typeof anyInputs;
  /** Names of inputs that need not be bound; with `anyInputs` none need be. */
  readonly outputs: OutputSpecs;
  /** Outputs that depend on the parameters (as those of `exec` do). Replaces `outputs`. */
  readonly outputsOf?: (parameters: JsonObject) => OutputSpecs;
  /** What each metric means. */
  readonly metrics?: { readonly [name: string]: string };
  /** A step of a workflow, in YAML, that a user could copy. */
  readonly example: string;
  /** The result depends on the workflow's seed. */
  readonly seeded?: boolean;
  /**
   * Of a type that works in several ways: the one that the parameters ask for. It has the same name and parameters; its
   * inputs and outputs are the ones that count, and those declared here are all that there are.
   */
  readonly variantOf?: (parameters: JsonObject) => AnyStepType;
  /** Checks that a schema cannot say: of parameters with each other, and with what is around the step. */
  readonly check?: (parameters: JsonObject, around?: StepSurroundings) => ParameterProblem[];
}

/** A step type: what `defineStep` returns and the registry holds. */
export interface StepType extends StepTypeCommon {
  readonly kind: 'step';
  run(run: StepRun<JsonObject, never, never>): Promise<StepResult>;
}

/** What a row-wise type makes of its parameters before the first row: a computer of batches. */
export interface RowComputer<V extends Json | Float32Array> {
  /** Anything beside parameters, code and fields that a row's value depends on (a model's digest, say). */
  readonly identity: Json;
  /** Rows in a batch, at most. */
  readonly batchSize: number;
  /** Batches in flight at once, at most. */
  readonly concurrency: number;
  /** Rows are taken in the order of this number (a text's length, say), so that batches are even. */
  readonly order?: (fields: Json[]) => number;
  /**
   * Values of the batch's rows, in order; a row that failed gives a `RowFailure`. A batch of one may throw it. Types that
   * ask language models have batches of one: then the engine knows which answers each row was made from.
   */
  compute(batch: Json[][], signal: AbortSignal): Promise<(V | RowFailure)[]>;
  close?(): Promise<void>;
}

/** A row's failure, with the reason a person can act on. It is never cached. Thrown by a step that knows no rows, it fails the step. */
export class RowFailure extends Error {
  readonly reason: string;
  /** It may pass by itself (a model that does not answer now): what was done without it is not to be kept for good. */
  readonly retryable: boolean;
  constructor(reason: string, retryable = false) {
    super(reason);
    this.name = 'RowFailure';
    this.reason = reason;
    this.retryable = retryable;
  }
}

/** The rows that have a value, in the order of the input. They can be gone through once. */
export interface ComputedRows<V> extends AsyncIterable<{ row: Row; value: V }> {
  readonly count: number;
}

/**
 * Work that is a function of one row: the engine gives it the row cache, batches, concurrency, resume, progress and
 * the `failed` output. Rows come from the first input.
 */
export interface RowStepType extends StepTypeCommon {
  readonly kind: 'rows';
  /** The row fields that count, in the order in which `compute` gets their values (missing ones as null). */
  fields(parameters: JsonObject): string[];
  /** The parameters that count for a row's value; all of them if not given. */
  rowParameters?(parameters: JsonObject): JsonObject;
  /** The rows that the work is done on, made of the inputs; those of the first input if not given. */
  rowsOf?(run: StepRun<JsonObject, never, never>): Promise<TableInput>;
  open(run: StepRun<JsonObject, never, never>): Promise<RowComputer<Json | Float32Array>>;
  /** Writes the outputs from the rows that have a value. */
  emit(run: StepRun<JsonObject, never, never>, rows: ComputedRows<Json | Float32Array>): Promise<StepResult>;
}

export type AnyStepType = StepType | RowStepType;

type Common<S extends ParameterSchema, I, O extends OutputSpecs> = Omit<
  StepTypeCommon,
  'parameters' | 'inputs' | 'outputs' | 'check' | 'outputsOf' | 'variantOf'
> & {
  parameters: S;
  inputs: I;
  outputs: O;
  outputsOf?: (parameters: FromSchema<S>) => OutputSpecs;
  check?: (parameters: FromSchema<S>, around?: StepSurroundings) => ParameterProblem[];
};

/**
 * Defines a step type. Types of parameters, inputs and outputs follow from their declarations.
 * A user's step file has it as its default export.
 */
export function defineStep<
  const S extends ParameterSchema,
  const I extends InputSpecs | typeof anyInputs,
  const O extends OutputSpecs,
>(definition: Common<S, I, O> & { run(run: StepRun<FromSchema<S>, I, O>): Promise<StepResult> }): StepType {
  return { kind: 'step', ...definition } as unknown as StepType;
}

/** Defines a step type that works in several ways; see `variantOf`. */
export function defineVariants<
  const S extends ParameterSchema,
  const I extends InputSpecs,
  const O extends OutputSpecs,
>(definition: Common<S, I, O> & { variantOf(parameters: FromSchema<S>): AnyStepType }): StepType {
  const run = () => Promise.reject(new Error(`${definition.type} works in one of its ways only`));
  return { kind: 'step', run, ...definition } as unknown as StepType;
}

/** Defines a row-wise step type; see `RowStepType`. */
export function defineRowStep<
  const S extends ParameterSchema,
  const I extends InputSpecs,
  const O extends OutputSpecs,
  V extends Json | Float32Array,
>(
  definition: Common<S, I, O> & {
    fields(parameters: FromSchema<S>): string[];
    rowParameters?(parameters: FromSchema<S>): JsonObject;
    rowsOf?(run: StepRun<FromSchema<S>, I, O>): Promise<TableInput>;
    open(run: StepRun<FromSchema<S>, I, O>): Promise<RowComputer<V>>;
    emit(run: StepRun<FromSchema<S>, I, O>, rows: ComputedRows<V>): Promise<StepResult>;
  },
): RowStepType {
  return { kind: 'rows', ...definition } as unknown as RowStepType;
}
