import type { Instance } from './draft.ts';
import { useOf, waysToLearners } from './leaks.ts';
import { member, placeOf } from './located.ts';
import type { ProblemList } from './problem-list.ts';

/** Data marked `purpose: eval_only` must not reach a step that learns from it: refuses, and prints the way. */
export function reportLeaks(ordered: readonly Instance[], problems: ProblemList): void {
  const sources = ordered.filter(({ parameters }) => parameters['purpose'] === 'eval_only');
  if (sources.length === 0) return;
  const byId = new Map(ordered.map((instance) => [instance.id, instance]));
  const readers = ordered.map(({ id, inputs, forEach, draft, parameters }) => ({
    id,
    inputs,
    forEach: forEach ?? undefined,
    useOf: (input: string) => useOf(draft.type!, parameters, input),
  }));
  for (const source of sources) {
    for (const { step, way } of waysToLearners(readers, new Map([[source.id, [source.id]]]))) {
      problems.error(
        'eval-only-leak',
        `data for evaluation only reaches step ${step}, which learns from it: ${way.join(' → ')}`,
        byId.get(step)!.draft.key,
        {
          hint: 'split the data first, or give the step other rows',
          trail: [
            {
              place: placeOf(member(member(source.draft.node, 'with'), 'purpose') ?? source.draft.key),
              message: 'marked here',
            },
          ],
        },
      );
    }
  }
}
