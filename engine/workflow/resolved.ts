import type { Digest } from '../digest.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Place, Problem } from '../problems.ts';
import type { ArtefactSpec } from '../step.ts';

/**
 * A workflow with everything known before a step runs: params, includes, defaults and matrices expanded, every name
 * resolved, every value checked. Plain JSON, so that an unchanged file need not be read twice (see compile-cache.ts).
 */
export interface ResolvedWorkflow {
  name: string;
  description: string | null;
  /** Absolute path of the project's root. */
  root: string;
  /** Path of the workflow file, relative to the root. */
  path: string;
  seed: number;
  params: JsonObject;
  /** The workflow file and every file it includes: path relative to the root, digest, full text. */
  sources: { path: string; digest: Digest; text: string }[];
  /** The chosen profiles, if any. */
  profiles?: string[];
  /** The pools that steps take of, if any does. */
  pools?: { [name: string]: Pool };
  on_finish?: Hook[];
  /** What its language models may take in a run; what is not named is not limited. */
  budget?: { usd?: number; calls?: number; tokens?: number };
  /** Names of the secrets that it has places for, if any. */
  secrets?: string[];
  /** Encoders and language models by alias. */
  models: { [alias: string]: JsonObject };
  /** Where its routes name metrics of earlier runs, if any does. */
  measured?: Measured[];
  /** In a topological order: every step stands behind those that it needs. */
  steps: ResolvedStep[];
  warnings: Problem[];
}

/** An address in the `quality` or `latency` of a route. */
export interface Measured {
  /** Alias of the route. */
  route: string;
  kind: string;
  /** Alias of the model that it is about; null for all that the route goes to. */
  model: string | null;
  place: Place;
}

export interface ResolvedStep {
  /** `answers` or, for an instance of a matrix, `answers[model=a,prompt=x]`. */
  id: string;
  /** The id in the file, without the matrix. */
  base: string;
  /** Values of the matrix axes; null without a matrix. */
  matrix: JsonObject | null;
  /** A built-in name, or a step file's path relative to the root. */
  use: string;
  description: string | null;
  /** `with`, normalised: defaults filled in, paths relative to the root; values still open are null. */
  parameters: JsonObject;
  /** `${{ }}` values that need metrics of earlier steps: filled in and checked when those are done. */
  deferred: { pointer: string; template: string; place: Place }[];
  /** Input names in the type's order (or the workflow's, for types that take any) with what they are bound to. */
  inputs: { [name: string]: InputBinding };
  /** The table for each row of which it runs: it stands for steps that are known when that table is. */
  for_each?: InputBinding;
  /** Of such a step, those that it needs and that run for the rows of the same table: each for the same row. */
  sameRows?: string[];
  /** Of such a step, once it is known: the row. Then `matrix` has its id. */
  item?: JsonObject;
  /** The type's outputs, main output first. */
  outputs: { [name: string]: ArtefactSpec };
  /** The type takes whole steps (`anyInputs`): outputs and metrics of every input count. */
  takesSteps: boolean;
  seeded: boolean;
  rowWise: boolean;
  /** Every step that must be done first: from inputs, `after`, `when` and deferred values. */
  needs: string[];
  when: { source: string; place: Place } | null;
  if_skipped: 'skip' | 'run';
  retries: number;
  timeout_ms: number | null;
  on_error: 'stop' | 'continue';
  /** Failed rows allowed: a count, or a share of the rows. */
  max_row_failures: { count: number } | { share: number };
  cache: boolean;
  /** Steps and requests with a higher one go first; 0 if not given. */
  priority?: number;
  /** Files and globs whose content counts: `input-path` parameters, relative to the root. */
  files: { parameter: string; path: string; place: Place }[];
  /** `output-path` parameters: where the file of the main output is put. Relative to the root. */
  outputFiles: { parameter: string; path: string; place: Place }[];
  /** `model` parameters. */
  modelNames: { parameter: string; name: string; place: Place }[];
  /** `language-model` parameters, if there are any. */
  languageModels?: { parameter: string; name: string; place: Place }[];
  /** Where the lines of `sql` parameters stand, if there are any. */
  sqlTexts?: { parameter: string; place: Place; lines: { line: number; column: number }[] }[];
  /** Names of the environment variables that the step sees (the workflow's `env` and its own), with set values. */
  env: { [name: string]: EnvValue };
  /** Params that are not the workflow's: those of the template, or of the included file, that the step stands in. */
  params?: JsonObject;
  /** What it takes of the workflow's pools while it runs. */
  resources?: { [pool: string]: number };
  /** Where the step stands. */
  place: Place;
}

/** A set value; a variable of the process; a text with places for secrets, whose values are not kept. */
export type EnvValue = string | { from: string } | { template: string; secrets: string[] };

/** What a step may hold of a pool: so many at once, or so many starts in each period. */
export type Pool = { at_once: number } | { starts: number; per_ms: number };

/** What is done when the run is over and recorded. */
export interface Hook {
  when: { source: string; place: Place } | null;
  timeout_ms: number;
  /** A program and its arguments, or a line for the shell. */
  run?: string | string[];
  /** Where the run's summary is sent to. It may have places for secrets, as the values of `headers` and `env` may. */
  webhook?: string;
  headers?: { [name: string]: string };
  env?: { [name: string]: string };
  place: Place;
}

/** An input bound to one output of a step, or to that of every instance of a matrix. */
export interface InputBinding {
  /** Steps of which the artefact is read; more than one when a matrix is gathered. */
  parts: InputPart[];
  /** Its name; empty for the main output of a step of an earlier run, whose outputs are not known here. */
  output: string;
  /** `run:<run>/…`: the artefact comes from an earlier run. Then `parts` holds one step of that run. */
  run: string | null;
  place: Place;
  /** Nobody named it: where the step left no such output, there is nothing to read. */
  implied?: true;
}

export interface InputPart {
  step: string;
  /** What tells it apart from the other parts: the table gets a column for each. */
  axes: JsonObject | null;
  /** Of a step with `for_each`: all that it stands for, the one of the reader's own row, or that of the row with an id. */
  rows?: 'all' | 'same' | { id: string };
}

/** Answers of the front end: a workflow, or every problem of it at once. */
export type CompileResult =
  | { workflow: ResolvedWorkflow; problems: [] }
  | { workflow: null; problems: Problem[] };

/** What the user said on the command line that changes what a workflow means. */
export interface CompileOptions {
  /** Path of the workflow file: absolute, or relative to `cwd`. */
  file: string;
  /** Folder that places in problems are relative to. */
  cwd: string;
  /** `--param`, as typed; parsed by the param's declared type. */
  params?: { [name: string]: string | Json };
  /** Names of `--profile`: what the last one says wins. */
  profiles?: readonly string[];
  /** The environment: only what `env:` lists is read from it. */
  env: Readonly<Record<string, string | undefined>>;
}
