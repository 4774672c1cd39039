import { type Artefact, blobsOf, type TableArtefact } from '../artefacts.ts';
import type { Digest } from '../digest.ts';
import type { RunStatus, SkipCause, StepOutcome, StepStatus } from '../events.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import type { JsonObject } from '../json.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';
import type { EnvironmentRecord } from './environment.ts';
import type { GitRecord } from './git.ts';
import { headFlaw, headMembers, recordFlaw } from './record-shape.ts';
import type { Redaction } from './redaction.ts';

/** Version of run.json. */
export const recordFormat = 1;

/** What a list of runs shows: the first line of run.json, so that a list need not read the rest. */
export interface RunHead {
  format: typeof recordFormat;
  /** `20261121-091502-support_topics-3f9a`: time (UTC), workflow, four hex digits. */
  id: string;
  /** `running` until the end is written; see `statusOf` for runs whose process is gone. */
  status: RunStatus | 'running';
  /** ISO 8601, UTC. */
  started: string;
  finished: string | null;
  duration_ms: number | null;
  process: RunProcess;
  summary: {
    /** Name and path of the workflow. */
    workflow: string;
    path: string;
    /** How many steps ended in each way. */
    steps: { [status in StepStatus]: number };
    cost: Cost;
  };
}

/** The process that makes the run: how another one tells whether it is still alive. */
export interface RunProcess {
  pid: number;
  host: string;
  /** When the process started, as Linux counts it: a later process with the same number has another. Null elsewhere. */
  start: string | null;
}

export interface Cost {
  usd: number;
  input_tokens: number;
  output_tokens: number;
  /** What cached answers would have cost. */
  saved_usd: number;
}

export const noCost: Cost = { usd: 0, input_tokens: 0, output_tokens: 0, saved_usd: 0 };

/** run.json: everything about a run that is needed to understand it and to do it again. Schema: schemas/run.schema.json. */
export interface RunRecord extends RunHead {
  /** Blobs that reproducing the run needs: they are never evicted. Sorted. Outputs are not among them. */
  pins: Digest[];
  /** The command as it was called: `["run", "workflows/support-topics.yaml", "--param", "topics=50"]`. */
  command: string[];
  /** Absolute path of the project's root when the run was made: what absolute paths in the workflow are mapped by. */
  root: string;
  /** The folder that the command was called in, relative to the root: what `./x` in a `--param` is relative to. */
  cwd: string;
  workflow: {
    name: string;
    description: string | null;
    /** Relative to the project's root. */
    path: string;
    digest: Digest;
    /** The workflow's file first, then the files that it includes, and what it names: prompts, step files, reprise.yaml. */
    sources: { path: string; digest: Digest; text: string }[];
  };
  params: JsonObject;
  /** Names of the profiles that were chosen, if any: what the workflow means hangs on them. */
  profiles?: string[];
  seed: number;
  git: GitRecord | null;
  environment: EnvironmentRecord;
  models: ModelRecord[];
  /** Data that steps read. A file above the limit is recorded by digest only: `pinned` is false. */
  files: { path: string; digest: Digest; bytes: number; pinned: boolean }[];
  /** In the order of the plan. Empty while the run is running. */
  steps: StepRecord[];
  warnings: string[];
}

/** A model that steps used. */
export interface ModelRecord {
  /** The name in the workflow: an alias or a built-in model. */
  name: string;
  /** For a hosted model, what was asked for; null for files. */
  asked: string | null;
  /** What the provider says it served, each once. */
  served: string[];
  /** Of a model on disk, the digest of its files. */
  digest: Digest | null;
}

export interface StepRecord extends StepOutcome {
  /** The id in the file, without the matrix. */
  base: string;
  matrix: JsonObject | null;
  needs: string[];
  /** Null for a step that was skipped, or whose fingerprint could not be computed: `uncached` says why. */
  key: Digest | null;
  fingerprint: Fingerprint | null;
  uncached: string | null;
  /** What it read, by input: one artefact, or one for each instance of a gathered matrix. */
  inputs: { [name: string]: InputRecord[] };
  cost: Cost;
}

export interface InputRecord {
  /** Id of the earlier run that the artefact was taken from; null for this one. */
  run: string | null;
  /** Id of the step in that run. */
  step: string;
  output: string;
  digest: Digest;
}

/**
 * A step as the record has it.
 *
 * @param productsOf what a step of this run, or of the run that an address names, left; its `run` and `id` go into the record
 */
export function stepRecord(
  step: ResolvedStep,
  outcome: StepOutcome,
  prepared: { key: Digest | null; fingerprint: Fingerprint | null; uncached: string | null } | undefined,
  productsOf: (
    step: string,
    run: string | null,
  ) => { run: string | null; id: string; outputs: { readonly [name: string]: Artefact } } | undefined,
): StepRecord {
  const inputs: StepRecord['inputs'] = {};
  for (const [name, { parts, output, run }] of Object.entries(step.inputs)) {
    inputs[name] = parts.flatMap((part) => {
      const made = productsOf(part.step, run);
      // An address of an earlier run need not name the output.
      const name = output === '' ? Object.keys(made?.outputs ?? {})[0] : output;
      const artefact = name === undefined ? undefined : made?.outputs[name];
      return made && artefact
        ? [{ run: made.run, step: made.id, output: name!, digest: artefact.digest }]
        : [];
    });
  }
  return {
    ...outcome,
    base: step.base,
    matrix: step.matrix,
    needs: step.needs,
    key: prepared?.key ?? null,
    fingerprint: prepared?.fingerprint ?? null,
    uncached: prepared?.uncached ?? null,
    inputs,
    cost: outcome.asked?.cost ?? noCost,
  };
}

/** The answers that a step was made from; null of one that asked nobody. Only of steps that name a model is the output the engine's. */
export function answersOf({ outputs, fingerprint }: StepRecord): TableArtefact | null {
  const { answers } = outputs;
  return answers?.kind === 'table' && Object.keys(fingerprint?.models ?? {}).length > 0 ? answers : null;
}

/** Why a step was skipped; null of one that was not. Records of early versions say it in the words of the reason only. */
export function skipCauseOf({
  status,
  reason,
  skip_cause: said,
}: Pick<StepRecord, 'status' | 'reason' | 'skip_cause'>): SkipCause | null {
  if (status !== 'skipped') return null;
  if (said !== undefined) return said;
  if (/^(another step failed|interrupted)$/.test(reason)) return 'stopped';
  return /^needs .*, which failed$/s.test(reason) ? 'failed' : 'when';
}

/** How many steps ended in each way. */
export function countSteps(steps: readonly { status: StepStatus }[]): RunHead['summary']['steps'] {
  const counts = { ran: 0, cached: 0, skipped: 0, failed: 0, interrupted: 0 };
  for (const { status } of steps) counts[status]++;
  return counts;
}

/** Blobs of the outputs of a run: what looking into it needs. They may be evicted, and computed again. */
export function outputBlobs(record: Pick<RunRecord, 'steps'>): Digest[] {
  const blobs = new Set<Digest>();
  for (const { outputs } of record.steps)
    for (const output of Object.values(outputs)) for (const { digest } of blobsOf(output)) blobs.add(digest);
  return [...blobs].sort();
}

/**
 * run.json's text: the head on the first line, the pins on the second, then a line for each member and each step. So
 * lists of runs and of pinned blobs are read without the rest, and two records compare line by line.
 */
export function serializeRecord(record: RunRecord, redaction: Redaction): string {
  const { steps, ...members } = redaction.json(record);
  const head = headMembers.map((name) => `${JSON.stringify(name)}:${JSON.stringify(members[name])}`);
  const lines = [`{${head.join(',')}`, `"pins":${JSON.stringify(members.pins)}`];
  for (const [name, value] of Object.entries(members)) {
    if (name !== 'pins' && !(headMembers as readonly string[]).includes(name))
      lines.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  }
  const list = steps.map((step) => `\n${JSON.stringify(step)}`).join(',');
  return `${lines.join(',\n')},\n"steps":[${list}\n]}\n`;
}

/** The value that the first `count` lines of run.json make; undefined if this is no text of `serializeRecord`. */
export function parseFirstLines(text: string, count: 1): RunHead | undefined;
export function parseFirstLines(text: string, count: 2): (RunHead & Pick<RunRecord, 'pins'>) | undefined;
export function parseFirstLines(text: string, count: number): RunHead | undefined {
  let end = -1;
  for (let line = 0; line < count; line++) {
    end = text.indexOf('\n', end + 1);
    if (end < 0) return undefined;
  }
  try {
    return headOf(JSON.parse(`${text.slice(0, end).replace(/,$/, '')}}`));
  } catch {
    return undefined;
  }
}

/** The value itself if it can be the head of a record. */
export function headOf(value: unknown): RunHead | undefined {
  return headFlaw(value) === null ? (value as RunHead) : undefined;
}

/** A record as its text says it, or why the text is none: it was damaged, or a later version wrote it. */
export type ParsedRecord = { record: RunRecord } | { flaw: string } | { later: number };

export function parseRecord(text: string): ParsedRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { flaw: `it is no JSON: ${(error as Error).message}` };
  }
  const format = (value as Partial<RunHead> | null)?.format;
  if (typeof format === 'number' && format > recordFormat) return { later: format };
  const flaw = recordFlaw(value);
  return flaw === null ? { record: value as RunRecord } : { flaw };
}
