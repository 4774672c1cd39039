import type { RunRecord } from '../../engine/record/record.ts';
import type { ResolvedWorkflow } from '../../engine/workflow/resolved.ts';
import type { Graph, GraphEdge } from './graph.ts';

/** The graph of a workflow before a run. An edge says which output flows if it is not the main one. */
export function graphOfWorkflow({ steps }: ResolvedWorkflow): Graph {
  const mainOf = new Map(steps.map(({ id, outputs }) => [id, Object.keys(outputs)[0]]));
  const edges = steps.flatMap((step): GraphEdge[] => {
    const data = Object.values(step.inputs).flatMap(({ parts, output, run }) =>
      run !== null ? [] : parts.map(({ step: from }) => ({ from, to: step.id, output })),
    );
    const fed = new Set(data.map(({ from }) => from));
    return [
      ...data.map(({ from, to, output }) => ({
        from,
        to,
        label: output === mainOf.get(from) ? undefined : output,
      })),
      ...step.needs.filter((id) => !fed.has(id)).map((from) => ({ from, to: step.id, label: 'after' })),
    ];
  });
  return { nodes: steps.map(({ id, use }) => ({ id, use })), edges };
}

/** The graph of a run, with what came of each step. */
export function graphOfRecord({ steps }: RunRecord): Graph {
  const mainOf = new Map(steps.map(({ id, outputs }) => [id, Object.keys(outputs)[0]]));
  const edges = steps.flatMap((step): GraphEdge[] => {
    const data = Object.values(step.inputs)
      .flat()
      .filter(({ run }) => run === null);
    const fed = new Set(data.map(({ step: from }) => from));
    return [
      ...data.map(({ step: from, output }) => ({
        from,
        to: step.id,
        label: output === mainOf.get(from) ? undefined : output,
      })),
      ...step.needs.filter((id) => !fed.has(id)).map((from) => ({ from, to: step.id, label: 'after' })),
    ];
  });
  const nodes = steps.map(({ id, use, status, rows, duration_ms }) => ({
    id,
    use,
    status,
    rows,
    duration_ms,
  }));
  return { nodes, edges };
}
