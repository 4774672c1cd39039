import { ProblemError } from '../engine/problems.ts';
import type { StepRecord } from '../engine/record/record.ts';
import type { StepRegistry } from '../engine/registry.ts';
import { type InputUse, useOf, waysToLearners } from '../engine/workflow/leaks.ts';
import type { InputBinding, ResolvedWorkflow } from '../engine/workflow/resolved.ts';

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
  const marked = new Map<string, string[]>();
  for (const { run, parts } of workflow.steps.flatMap(({ inputs }) => Object.values(inputs))) {
    if (run === null) continue;
    for (const { step } of parts) {
      const way = await wayFromMarked(run, step, { find, registry });
      if (way !== null) marked.set(sourceName(run, step), way);
    }
  }
  if (marked.size === 0) return;
  const uses = new Map<string, (input: string) => InputUse>();
  for (const { id, use, parameters } of workflow.steps) {
    const type = await registry.find(use)?.load();
    uses.set(id, (input) => (type === undefined ? 'passed' : useOf(type, parameters, input)));
  }
  const readers = workflow.steps.map(({ id, inputs, for_each: forEach }) => ({
    id,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, binding]) => [name, asSource(binding)])),
    forEach: forEach && asSource(forEach),
    useOf: uses.get(id)!,
  }));
  const found = waysToLearners(readers, marked);
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

/** What is read of an earlier run, as if a step of this workflow had made it: it has the name of no step. */
function asSource({ run, parts }: Pick<InputBinding, 'run' | 'parts'>): Pick<InputBinding, 'run' | 'parts'> {
  if (run === null) return { run, parts };
  return { run: null, parts: parts.map((part) => ({ ...part, step: sourceName(run, part.step) })) };
}

function sourceName(run: string, step: string): string {
  return `run:${run}/${step}`;
}

/** The way from a `load` marked `eval_only` to a step of an earlier run; null if there is none. */
async function wayFromMarked(
  run: string,
  step: string,
  past: { find: Find; registry: StepRegistry },
  seen = new Set<string>(),
): Promise<string[] | null> {
  const record = past.find(run, step);
  if (record === undefined || seen.has(`${record.run}/${step}`)) return null;
  seen.add(`${record.run}/${step}`);
  const own = `run:${record.run}/${record.id}`;
  const parameters = record.fingerprint?.parameters ?? {};
  if (parameters['purpose'] === 'eval_only') return [own];
  // A type that is not there any more passes on all that it read.
  const type = await past.registry.find(record.use)?.load();
  for (const [input, parts] of Object.entries(record.inputs)) {
    if (type !== undefined && useOf(type, parameters, input) === 'withheld') continue;
    for (const part of parts) {
      const way = await wayFromMarked(part.run ?? record.run, part.step, past, seen);
      if (way !== null) return [...way, own];
    }
  }
  return null;
}
