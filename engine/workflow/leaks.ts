import type { JsonObject } from '../json.ts';
import { type AnyStepType, anyInputs } from '../step.ts';
import { typeWith } from '../type-with.ts';
import type { InputBinding } from './resolved.ts';

/** A step, as far as it says what reaches it, and which of it it learns from. */
export interface Reader {
  readonly id: string;
  readonly inputs: { readonly [name: string]: Pick<InputBinding, 'run' | 'parts'> };
  readonly forEach?: Pick<InputBinding, 'run' | 'parts'> | undefined;
  useOf(input: string): InputUse;
}

/** `learnt`: also what is shown to a model as examples. `withheld`: of what is read here nothing comes out. */
export type InputUse = 'learnt' | 'passed' | 'withheld';

/** What a type does with what it reads at an input. */
export function useOf(type: AnyStepType, parameters: JsonObject, input: string): InputUse {
  const { inputs } = typeWith(type, parameters);
  if (inputs === anyInputs || !Object.hasOwn(inputs, input)) return 'passed';
  const spec = inputs[input]!;
  if (spec.kind === 'files') return 'passed';
  if (spec.learnt === true) return 'learnt';
  return spec.withheld === true ? 'withheld' : 'passed';
}

/**
 * Follows data to steps that learn from it.
 *
 * @param ordered in a topological order
 * @param reached steps that have the data, each with the way by which it came there, the step itself last
 * @returns each step that learns from it, with the way
 */
export function waysToLearners(
  ordered: readonly Reader[],
  reached: ReadonlyMap<string, readonly string[]>,
): { step: string; way: string[] }[] {
  const ways = new Map(reached);
  const found: { step: string; way: string[] }[] = [];
  for (const reader of ordered) {
    if (ways.has(reader.id)) continue;
    const bound = [
      ...Object.entries(reader.inputs),
      ...(reader.forEach ? [['', reader.forEach] as const] : []),
    ];
    const came = bound.flatMap(([input, { run, parts }]) => {
      const part = run === null ? parts.find(({ step }) => ways.has(step)) : undefined;
      const use = reader.useOf(input);
      return part && use !== 'withheld' ? [{ learns: use === 'learnt', way: ways.get(part.step)! }] : [];
    });
    const by = came.find(({ learns }) => learns) ?? came[0];
    if (by === undefined) continue;
    const way = [...by.way, reader.id];
    ways.set(reader.id, way);
    if (by.learns) found.push({ step: reader.id, way });
  }
  return found;
}
