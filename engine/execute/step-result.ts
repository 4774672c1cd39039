import type { StepEntry } from '../store/step-index.ts';
import type { Workspace } from '../workspace.ts';
import { mainRows } from './io.ts';
import type { PreparedStep } from './prepare.ts';
import type { StepWork } from './run-step.ts';

/** What an outcome has from the work that was done. */
export function outcomeOf(work: StepWork, durationMs: number) {
  return {
    duration_ms: durationMs,
    rows: mainRows(work.outputs),
    rows_computed: work.computed,
    rows_cached: work.cached,
    rows_failed: work.failed,
    metrics: work.metrics,
    outputs: work.outputs,
    warnings: work.warnings,
    attempts: work.attempts,
  };
}

/** What the step cache keeps of it. */
export function entryOf(
  prepared: PreparedStep,
  work: StepWork,
  durationMs: number,
  now: number,
  workflow: string,
): StepEntry {
  return {
    fingerprint: (prepared.fingerprint ?? {}) as StepEntry['fingerprint'],
    outputs: work.outputs,
    metrics: work.metrics,
    warnings: work.warnings,
    rows_failed: work.failed,
    ...(work.asked && { asked: work.asked }),
    duration_ms: Math.round(durationMs),
    created: new Date(now).toISOString(),
    made_by: { workflow, step: prepared.step.id },
  };
}

/** The first input file whose content is no longer what the fingerprint says, or the step's code. */
export async function changedInput(
  { files, fingerprint }: PreparedStep,
  workspace: Workspace,
): Promise<string | null> {
  if (fingerprint === null) return null;
  const use = fingerprint.step_type;
  if (!workspace.registry.names.includes(use)) {
    // What ran is what was imported when the step started: it may be newer than what was looked at first.
    const code = workspace.codeNow(workspace.registry.find(use)!.module, use);
    if (!('digest' in code) || code.digest !== fingerprint.code) return use;
  }
  const paths = [...files.values()].flat();
  const now = await workspace.files.many(paths);
  const names = paths.map((path) => workspace.relative(path));
  return (
    names.find((name, index) => {
      const found = now[index]!;
      return found instanceof Error || found.digest !== fingerprint.files[name];
    }) ?? null
  );
}
