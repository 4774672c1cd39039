import type { Instance } from './draft.ts';
import { member, placeOf } from './located.ts';
import type { ProblemList } from './problem-list.ts';

/** Step types whose results would have seen the data: an evaluation on it would be worth nothing. */
const learners = new Set(['train', 'augment']);

/** Data marked `purpose: eval_only` must not reach a step that learns from it: refuses, and prints the way. */
export function reportLeaks(ordered: readonly Instance[], problems: ProblemList): void {
  const sources = ordered.filter(({ parameters }) => parameters['purpose'] === 'eval_only');
  for (const source of sources) {
    const cameFrom = new Map<string, { instance: Instance; before: string | null }>([
      [source.id, { instance: source, before: null }],
    ]);
    for (const instance of ordered) {
      if (cameFrom.has(instance.id)) continue;
      const read = [...Object.values(instance.inputs), ...(instance.forEach ? [instance.forEach] : [])];
      const parts = read.flatMap((input) => (input.run === null ? input.parts : []));
      const reached = parts.find(({ step }) => cameFrom.has(step));
      if (reached === undefined) continue;
      cameFrom.set(instance.id, { instance, before: reached.step });
      if (!learners.has(instance.draft.type!.type)) continue;
      const path: Instance[] = [];
      for (let at: string | null = instance.id; at !== null; at = cameFrom.get(at)!.before)
        path.unshift(cameFrom.get(at)!.instance);
      const ids = path.map(({ id }) => id).join(' → ');
      problems.error(
        'eval-only-leak',
        `data for evaluation only reaches step ${instance.id}, which learns from it: ${ids}`,
        instance.draft.key,
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
