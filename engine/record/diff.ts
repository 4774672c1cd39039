import type { Artefact, Metrics } from '../artefacts.ts';
import type { Digest } from '../digest.ts';
import { explainChange } from '../fingerprint/fingerprint.ts';
import { type JsonDifference, jsonDifferences, memberOf } from '../fingerprint/json-difference.ts';
import type { Json } from '../json.ts';
import type { OutputDifference } from './compare/output-diff.ts';
import type { PatchDiff } from './compare/patch-diff.ts';
import type { Cost, RunRecord, StepRecord } from './record.ts';
import { type DiffLine, diffTexts } from './text-diff.ts';

type ModulesOf = Parameters<typeof explainChange>[2];

/** A value on both sides; null where one side has none. */
export interface Pair<T> {
  old: T | null;
  now: T | null;
}

/** What is different between two runs. Lists are empty where nothing is. */
export interface RunDiff {
  runs: { old: string; now: string };
  status: Pair<RunRecord['status']>;
  duration_ms: Pair<number>;
  cost: Pair<Cost>;
  params: JsonDifference[];
  /** Null if the seed is the same. */
  seed: Pair<number> | null;
  /** Workflow, prompts and step files by path, with the lines that changed; of an added or removed one all lines. */
  sources: { path: string; change: Change; lines: DiffLine[] }[];
  /** Data files by path. */
  files: ({ path: string; change: Change } & Pair<{ digest: Digest; bytes: number }>)[];
  /** Commit, branch, whether there were uncommitted changes, and files that no commit has. */
  git: JsonDifference[];
  /** Uncommitted changes; null if they are the same. `diffRuns` leaves it null: it takes the store to tell. */
  patch: PatchDiff | null;
  environment: JsonDifference[];
  models: JsonDifference[];
  /** Steps that differ in more than their time, in the order of the later run. */
  steps: StepDiff[];
  /** Steps that are the same but for their time. */
  unchanged: number;
  /** How long each step took, in the order of the later run. */
  times: ({ id: string } & Pair<Pick<StepRecord, 'status' | 'duration_ms'>>)[];
}

export type Change = 'added' | 'removed' | 'changed';

export interface StepDiff {
  id: string;
  change: Change;
  status: Pair<StepRecord['status']>;
  /** Why the later one is not a hit of the earlier one: `with.k 77 → 50`. */
  reasons: string[];
  /** Outputs with other content. */
  outputs: OutputChange[];
  rows: Pair<number>;
  duration_ms: Pair<number>;
  metrics: MetricDiff[];
}

export interface OutputChange {
  name: string;
  change: Change;
  kind: Artefact['kind'];
  digest: Pair<Digest>;
  /** What is in them; null for an output that one side lacks. `diffRuns` leaves it null: it takes the store to tell. */
  difference: OutputDifference | null;
}

export interface MetricDiff extends Pair<Metrics[string]> {
  metric: string;
  /** `now - old` of two numbers; null else. */
  difference: number | null;
}

/**
 * Compares two runs, `old` the earlier one. A pure function of their records; `compareRuns` looks into what they made,
 * too.
 *
 * @param modulesOf modules of a code digest, to name files of code that changed; see `CodeDigests.modulesOf`
 */
export function diffRuns(old: RunRecord, now: RunRecord, modulesOf?: ModulesOf): RunDiff {
  const pairs = byName(old.steps, now.steps, ({ id }) => id);
  const steps = pairs.map(([before, after]) => diffSteps(before, after, modulesOf));
  return {
    runs: { old: old.id, now: now.id },
    status: { old: old.status, now: now.status },
    duration_ms: { old: old.duration_ms, now: now.duration_ms },
    cost: { old: old.summary.cost, now: now.summary.cost },
    params: jsonDifferences(old.params, now.params),
    seed: old.seed === now.seed ? null : { old: old.seed, now: now.seed },
    sources: byName(old.workflow.sources, now.workflow.sources, ({ path }) => path).flatMap(
      ([before, after]) =>
        before?.digest === after?.digest
          ? []
          : [
              {
                path: (after ?? before)!.path,
                change: changeOf(before, after),
                lines: diffTexts(before?.text, after?.text),
              },
            ],
    ),
    files: byName(old.files, now.files, ({ path }) => path).flatMap(([before, after]) =>
      before?.digest === after?.digest
        ? []
        : [
            {
              path: (after ?? before)!.path,
              change: changeOf(before, after),
              old: before ? { digest: before.digest, bytes: before.bytes } : null,
              now: after ? { digest: after.digest, bytes: after.bytes } : null,
            },
          ],
    ),
    git: jsonDifferences(gitState(old), gitState(now)),
    patch: null,
    environment: jsonDifferences(plain(old.environment), plain(now.environment)),
    models: jsonDifferences(byModel(old), byModel(now)),
    steps: steps.filter((step) => step !== null),
    unchanged: steps.filter((step) => step === null).length,
    times: pairs.map(([before, after]) => ({
      id: (after ?? before)!.id,
      old: before ? { status: before.status, duration_ms: before.duration_ms } : null,
      now: after ? { status: after.status, duration_ms: after.duration_ms } : null,
    })),
  };
}

function diffSteps(
  old: StepRecord | undefined,
  now: StepRecord | undefined,
  modulesOf: ModulesOf | undefined,
): StepDiff | null {
  const outputs = byName(
    Object.entries(old?.outputs ?? {}),
    Object.entries(now?.outputs ?? {}),
    ([name]) => name,
  )
    .filter(([before, after]) => before?.[1].digest !== after?.[1].digest)
    .map(([before, after]): OutputChange => {
      const [name, { kind }] = (after ?? before)!;
      const digest = { old: before?.[1].digest ?? null, now: after?.[1].digest ?? null };
      return { name, change: changeOf(before, after), kind, digest, difference: null };
    });
  const unknown = old && now && outputs.length > 0 ? (old.uncached ?? now.uncached) : null;
  const reasons =
    old?.fingerprint && now?.fingerprint
      ? explainChange(old.fingerprint, now.fingerprint, modulesOf)
      : unknown
        ? [`not comparable: ${unknown}`]
        : [];
  const metrics = diffMetrics(old?.metrics ?? {}, now?.metrics ?? {});
  // That one was computed and the other taken from the cache is no difference between the runs.
  const ended = (step: StepRecord | undefined) => (step?.status === 'cached' ? 'ran' : step?.status);
  if (old && now && ended(old) === ended(now) && reasons.length + outputs.length + metrics.length === 0)
    return null;
  return {
    id: (now ?? old)!.id,
    change: changeOf(old, now),
    status: { old: old?.status ?? null, now: now?.status ?? null },
    reasons,
    outputs,
    rows: { old: old?.rows ?? null, now: now?.rows ?? null },
    duration_ms: { old: old?.duration_ms ?? null, now: now?.duration_ms ?? null },
    metrics,
  };
}

function diffMetrics(old: Metrics, now: Metrics): MetricDiff[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((metric) => {
    const before = memberOf(old, metric) ?? null;
    const after = memberOf(now, metric) ?? null;
    if (before === after) return [];
    const difference = typeof before === 'number' && typeof after === 'number' ? after - before : null;
    return [{ metric, old: before, now: after, difference }];
  });
}

/** Pairs what has the same name, in the order of the later list; what only the earlier one has comes last. */
function byName<T>(old: readonly T[], now: readonly T[], nameOf: (item: T) => string): [T?, T?][] {
  const before = new Map(old.map((item) => [nameOf(item), item]));
  const names = new Set(now.map(nameOf));
  return [
    ...now.map((item): [T?, T?] => [before.get(nameOf(item)), item]),
    ...old.filter((item) => !names.has(nameOf(item))).map((item): [T?, T?] => [item, undefined]),
  ];
}

function byModel({ models }: RunRecord): Json {
  return plain(Object.fromEntries(models.map(({ name, ...model }) => [name, model])));
}

/** Files that no commit has count by path; the patch is compared by itself. */
function gitState({ git }: RunRecord): Json {
  if (git === null) return null;
  const { patch: _, untracked, ...state } = git;
  return { ...state, untracked: Object.fromEntries(untracked.map(({ path, digest }) => [path, digest])) };
}

function changeOf(old: unknown, now: unknown): Change {
  return old === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
}

/** Records are JSON; their types just do not say so. */
function plain(value: object | null): Json {
  return value as Json;
}
