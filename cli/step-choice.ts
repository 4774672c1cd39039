import { suggestion } from '../engine/nearest.ts';
import { ProblemError } from '../engine/problems.ts';
import { instanceId, isSelected, parseAddress } from '../engine/workflow/address.ts';
import type { ResolvedWorkflow } from '../engine/workflow/resolved.ts';

/**
 * Ids of the steps that an option's addresses name: `answers` is every instance of a matrix, `answers[model=a]` those
 * with that value, and an output stands for its step. What is not there is a problem of the call.
 */
export function findSteps(
  workflow: ResolvedWorkflow,
  addresses: readonly string[],
  flag: string,
): Set<string> {
  const ids = new Set<string>();
  for (const text of addresses) {
    const address = parseAddress(text);
    if ('error' in address) {
      throw ProblemError.of('address', `${flag} ${text}: ${address.error.message}`, {
        hint: address.error.hint,
      });
    }
    const later = workflow.steps.filter(({ base, for_each: rows }) => rows && base === address.step);
    const row = address.select.find(({ axis }) => axis === 'id');
    if (later.length > 0 && row !== undefined) {
      const axes = address.select.filter((chosen) => chosen !== row);
      const these = later.filter(({ matrix }) => isSelected(matrix ?? {}, axes));
      for (const { base, matrix } of these) ids.add(instanceId(base, { ...matrix, id: row.value }));
      if (these.length > 0) continue;
    }
    const found = workflow.steps.filter(
      ({ base, matrix }) =>
        base === address.step && (address.select.length === 0 || isSelected(matrix ?? {}, address.select)),
    );
    if (found.length === 0) {
      const known = [...new Set(workflow.steps.map(({ base }) => base))];
      throw ProblemError.of('unknown-step', `${flag} ${text}: the workflow has no such step`, {
        hint: suggestion(address.step, known, 'it has') ?? 'it has none',
      });
    }
    for (const { id } of found) ids.add(id);
  }
  return ids;
}
