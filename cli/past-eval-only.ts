import { ProblemError } from '../engine/problems.ts';
import type { StepRecord } from '../engine/record/record.ts';
import type { StepRegistry } from '../engine/registry.ts';
import { learnsFrom, waysToLearners } from '../engine/workflow/leaks.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';

/** Finds what a step of an earlier run left. */
type Find = (run: string, step: string) => (StepRecord & { run: string }) | undefined;

/**
 * What came out of an earlier run may be data for evaluation only, too: refuses a workflow in which it reaches a step that
 * learns from it, and says the way through both.
 */
export async function refusePastLeaks(
  workflow: ResolvedWorkflow,
  registry: StepRegistry,
  find: Find,
): Promise<void> {
  const reading = workflow.steps.filter(({ inputs }) =>
    Object.values(inputs).some(({ run }) => run !== null),
  );
  if (reading.length === 0) return;
  const learns = new Map<string, (input: string) => boolean>();
  for (const { id, use, parameters } of workflow.steps) {
    const type = await registry.find(use)?.load();
    learns.set(id, (input) => type !== undefined && learnsFrom(type, parameters, input));
  }
  const reached = new Map<string, string[]>();
  const found: { step: string; way: string[] }[] = [];
  for (const { id, inputs } of reading) {
    for (const [input, { run, parts }] of Object.entries(inputs)) {
      const behind =
        run === null ? undefined : parts.map(({ step }) => wayFromMarked(run, step, find)).find(Boolean);
      if (!behind) continue;
      const way = [...behind, id];
      reached.set(id, way);
      if (learns.get(id)!(input)) found.push({ step: id, way });
    }
  }
  const readers = workflow.steps.map(({ id, inputs, for_each: forEach }) => ({
    id,
    inputs,
    forEach,
    learnsFrom: learns.get(id)!,
  }));
  if (reached.size > 0) found.push(...waysToLearners(readers, reached));
  if (found.length === 0) return;
  throw new ProblemError(
    found.map(({ step, way }) => ({
      code: 'eval-only-leak',
      severity: 'error',
      message: `data for evaluation only reaches step ${step}, which learns from it: ${way.join(' → ')}`,
      place: workflow.steps.find(({ id }) => id === step)!.place,
      hint: 'it was marked so in the earlier run: give the step other rows',
    })),
  );
}

/** The way from a `load` marked `eval_only` to a step of an earlier run; null if there is none. */
function wayFromMarked(run: string, step: string, find: Find, seen = new Set<string>()): string[] | null {
  const record = find(run, step);
  if (record === undefined || seen.has(`${record.run}/${step}`)) return null;
  seen.add(`${record.run}/${step}`);
  const own = `run:${record.run}/${record.id}`;
  if (record.fingerprint?.parameters['purpose'] === 'eval_only') return [own];
  for (const part of Object.values(record.inputs).flat()) {
    const way = wayFromMarked(part.run ?? record.run, part.step, find, seen);
    if (way !== null) return [...way, own];
  }
  return null;
}
