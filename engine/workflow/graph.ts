import graphology from 'graphology';
import dag from 'graphology-dag';
import type { Instance } from './draft.ts';
import { placeOf } from './located.ts';
import type { ProblemList } from './problem-list.ts';

/**
 * The steps in an order in which every step stands behind those that it needs; of two that are free to go, the one
 * that the file says first. Undefined if there is a cycle: each is a problem that prints it whole.
 */
export function orderSteps(instances: readonly Instance[], problems: ProblemList): Instance[] | undefined {
  const graph = new graphology.DirectedGraph();
  const byId = new Map(instances.map((instance) => [instance.id, instance]));
  for (const { id } of instances) graph.addNode(id);
  let loops = false;
  for (const instance of instances)
    for (const needed of instance.needs.keys()) {
      if (needed === instance.id) loops = true;
      else if (byId.has(needed)) graph.mergeDirectedEdge(needed, instance.id);
    }
  if (!loops && !dag.hasCycle(graph)) return dag.topologicalSort(graph).map((id) => byId.get(id)!);
  const reported = new Set<string>();
  for (const component of stronglyConnected(instances, byId)) {
    const cycle = shortestCycle(component, byId);
    const bases = [...new Set(cycle.map(({ draft }) => draft.id))].sort().join(' ');
    if (!reported.has(bases)) reportCycle(cycle, problems);
    reported.add(bases);
  }
  return undefined;
}

/** Each step of the cycle needs the one behind it; the last needs the first. */
function reportCycle(cycle: readonly Instance[], problems: ProblemList): void {
  const next = (index: number): Instance => cycle[(index + 1) % cycle.length]!;
  const names = [...cycle, cycle[0]!].map(({ id }) => id);
  const first = cycle[0]!;
  const message =
    cycle.length === 1
      ? `step ${first.id} needs itself`
      : `the steps need each other in a circle: ${names.join(' → ')} (each needs the next)`;
  problems.error('cycle', message, first.needs.get(next(0).id)!.span, {
    hint: 'take one of these references out',
    trail: cycle.map((instance, index) => {
      const { span, how } = instance.needs.get(next(index).id)!;
      return { place: placeOf(span), message: `${instance.id} ${how} ${next(index).id}` };
    }),
  });
}

/** Sets of steps that all need each other (Tarjan 1972, without recursion); single steps only if they need themselves. */
function stronglyConnected(
  instances: readonly Instance[],
  byId: ReadonlyMap<string, Instance>,
): Instance[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const components: Instance[][] = [];
  for (const root of instances) {
    if (index.has(root.id)) continue;
    const work: { id: string; needs: string[]; next: number }[] = [];
    const open = (id: string): void => {
      index.set(id, index.size);
      low.set(id, index.get(id)!);
      stack.push(id);
      onStack.add(id);
      work.push({ id, needs: [...byId.get(id)!.needs.keys()].filter((needed) => byId.has(needed)), next: 0 });
    };
    open(root.id);
    while (work.length > 0) {
      const frame = work.at(-1)!;
      const needed = frame.needs[frame.next++];
      if (needed !== undefined) {
        if (!index.has(needed)) open(needed);
        else if (onStack.has(needed)) low.set(frame.id, Math.min(low.get(frame.id)!, index.get(needed)!));
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent !== undefined) low.set(parent.id, Math.min(low.get(parent.id)!, low.get(frame.id)!));
      if (low.get(frame.id) !== index.get(frame.id)) continue;
      const members = new Set<string>();
      let member: string;
      do {
        member = stack.pop()!;
        onStack.delete(member);
        members.add(member);
      } while (member !== frame.id);
      if (members.size > 1 || byId.get(frame.id)!.needs.has(frame.id))
        components.push(instances.filter(({ id }) => members.has(id)));
    }
  }
  return components;
}

/** The shortest way from the component's first step back to it. */
function shortestCycle(component: readonly Instance[], byId: ReadonlyMap<string, Instance>): Instance[] {
  const members = new Set(component.map(({ id }) => id));
  const start = component[0]!;
  const from = new Map<string, string>();
  const queue = [start.id];
  for (const id of queue) {
    for (const needed of byId.get(id)!.needs.keys()) {
      if (needed === start.id) {
        const path: Instance[] = [];
        for (let at: string | undefined = id; at !== undefined; at = from.get(at))
          path.unshift(byId.get(at)!);
        return path;
      }
      if (!members.has(needed) || from.has(needed)) continue;
      from.set(needed, id);
      queue.push(needed);
    }
  }
  return [start];
}
