import type { Metrics } from '../artefacts.ts';
import { explainChange } from '../fingerprint/fingerprint.ts';
import { type JsonDifference, jsonDifferences, memberOf } from '../fingerprint/json-difference.ts';
import type { Json } from '../json.ts';
import type { Cost, RunRecord, StepRecord } from './record.ts';
import { type DiffLine, diffLines } from './text-diff.ts';

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
  /** Workflow, prompts and step files by path, with the lines that changed. */
  sources: { path: string; change: Change; lines: DiffLine[] }[];
  /** Data files by path. */
  files: { path: string; change: Change }[];
  /** Commit, branch, uncommitted changes. */
  git: JsonDifference[];
  environment: JsonDifference[];
  models: JsonDifference[];
  /** Steps that differ in more than their time, in the order of the later run. */
  steps: StepDiff[];
  /** Steps that are the same but for their time. */
  unchanged: number;
}

export type Change = 'added' | 'removed' | 'changed';

export interface StepDiff {
  id: string;
  change: Change;
  status: Pair<StepRecord['status']>;
  /** Why the later one is not a hit of the earlier one: `with.k 77 → 50`. */
  reasons: string[];
  /** Names of outputs with other content. */
  outputs: string[];
  rows: Pair<number>;
  duration_ms: Pair<number>;
  metrics: MetricDiff[];
}

export interface MetricDiff extends Pair<Metrics[string]> {
  metric: string;
  /** `now - old` of two numbers; null else. */
  difference: number | null;
}

/**
 * Compares two runs, `old` the earlier one. A pure function of their records.
 *
 * @param modulesOf modules of a code digest, to name files of code that changed; see `CodeDigests.modulesOf`
 */
export function diffRuns(old: RunRecord, now: RunRecord, modulesOf?: ModulesOf): RunDiff {
  const steps = byName(old.steps, now.steps, ({ id }) => id).map(([before, after]) =>
    diffSteps(before, after, modulesOf),
  );
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
                lines: before && after ? diffLines(before.text, after.text) : [],
              },
            ],
    ),
    files: byName(old.files, now.files, ({ path }) => path).flatMap(([before, after]) =>
      before?.digest === after?.digest
        ? []
        : [{ path: (after ?? before)!.path, change: changeOf(before, after) }],
    ),
    git: jsonDifferences(plain(old.git), plain(now.git)),
    environment: jsonDifferences(plain(old.environment), plain(now.environment)),
    models: jsonDifferences(byModel(old), byModel(now)),
    steps: steps.filter((step) => step !== null),
    unchanged: steps.filter((step) => step === null).length,
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
    .map(([before, after]) => (after ?? before)![0]);
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

function changeOf(old: unknown, now: unknown): Change {
  return old === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
}

/** Records are JSON; their types just do not say so. */
function plain(value: object | null): Json {
  return value as Json;
}
