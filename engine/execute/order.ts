import { declaredId, rowInstanceId, rowOf } from '../workflow/address.ts';
import type { ResolvedStep } from '../workflow/resolved.ts';

/**
 * For each step the length of the longest chain of steps that hangs on it, itself included: what is started first
 * when several are ready (critical path first). `steps` stand in topological order.
 */
export function chainLengths(steps: readonly ResolvedStep[]): Map<string, number> {
  const lengths = new Map<string, number>();
  for (let index = steps.length - 1; index >= 0; index--) {
    const step = steps[index]!;
    const own = lengths.get(step.id) ?? 1;
    lengths.set(step.id, own);
    for (const need of step.needs) lengths.set(need, Math.max(lengths.get(need) ?? 1, own + 1));
  }
  return lengths;
}

/** The steps that hang on each step directly. */
export function dependentsOf(steps: readonly ResolvedStep[]): Map<string, string[]> {
  const dependents = new Map<string, string[]>(steps.map((step) => [step.id, []]));
  for (const step of steps) for (const need of step.needs) dependents.get(need)?.push(step.id);
  return dependents;
}

/**
 * The steps with these ids and all that they need. An id may be that of one that a step with `for_each` will stand for: of
 * these only those named are done, unless something else needs them all.
 */
export function withNeeds(steps: readonly ResolvedStep[], ids: Iterable<string>): Set<string> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const chosen = new Set<string>();
  const visit = (id: string) => {
    if (chosen.has(id)) return;
    chosen.add(id);
    for (const need of byId.get(id)?.needs ?? []) visit(need);
  };
  for (const id of ids) if (byId.has(id)) visit(id);
  const whole = new Set(chosen);
  const visitOne = (id: string) => {
    const declared = declaredId(id);
    const step = byId.get(declared);
    if (step === undefined || whole.has(declared) || chosen.has(id)) return;
    chosen.add(declared).add(id);
    const row = rowOf(id);
    for (const need of step.needs) {
      if (step.sameRows?.includes(need)) visitOne(rowInstanceId(need, row));
      else visit(need);
    }
  };
  for (const id of ids) if (!byId.has(id)) visitOne(id);
  return chosen;
}
