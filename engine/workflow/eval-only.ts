import { anyInputs } from '../step.ts';
import { typeWith } from '../type-with.ts';
import type { Instance } from './draft.ts';
import { member, placeOf } from './located.ts';
import type { ProblemList } from './problem-list.ts';

/** Step types that learn from all that they read, whatever they say of their inputs. */
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
      const inputs = Object.entries(instance.inputs);
      const reached = [...inputs, ...(instance.forEach ? [['', instance.forEach] as const] : [])].flatMap(
        ([input, { run, parts }]) => {
          const part = run === null ? parts.find(({ step }) => cameFrom.has(step)) : undefined;
          return part ? [{ input, from: part.step }] : [];
        },
      );
      if (reached.length === 0) continue;
      const leak = reached.find(({ input }) => learnsFrom(instance, input));
      cameFrom.set(instance.id, { instance, before: (leak ?? reached[0]!).from });
      if (leak === undefined) continue;
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

function learnsFrom({ draft, parameters }: Instance, input: string): boolean {
  const { type, inputs } = typeWith(draft.type!, parameters);
  if (learners.has(type)) return true;
  if (inputs === anyInputs) return false;
  const spec = Object.hasOwn(inputs, input) ? inputs[input]! : null;
  return spec !== null && 'learnt' in spec && spec.learnt === true;
}
