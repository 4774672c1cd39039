import type { StepStatus } from '../../engine/events.ts';
import { counted, duration } from '../format.ts';

/** A workflow's steps and what flows between them, as the drawings take it: before a run, or with what a run knows. */
export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface GraphNode {
  /** `answers`, or `answers[model=a]` for an instance of a matrix. Unique. */
  id: string;
  use: string;
  /** Shown in place of the id. */
  label?: string | undefined;
  status?: GraphStatus | undefined;
  rows?: number | null;
  duration_ms?: number | null;
}

export interface GraphEdge {
  from: string;
  to: string;
  /** The output that flows, if it is not the main one; or what else ties the steps (`after`, `when`). */
  label?: string | undefined;
}

export type GraphStatus = StepStatus | 'running';

/** A node's two lines: `answers` and `model=a · prompt=x` for an instance of a matrix, else the id and its type. */
export function nodeLines(node: GraphNode): { title: string; subtitle: string } {
  const name = node.label ?? node.id;
  const instance = /^([^[\]]+)\[(.*)\]$/s.exec(name);
  if (!instance) return { title: name, subtitle: node.use };
  return { title: instance[1]!, subtitle: instance[2]!.replaceAll(',', ' · ') };
}

/** `9,996 rows · 1.2 s`, `9,996 rows · cached`; empty if neither is known. */
export function nodeFacts({ rows, duration_ms, status }: GraphNode): string {
  const facts: string[] = [];
  if (rows != null) facts.push(counted(rows, 'row'));
  if (status === 'cached') facts.push('cached');
  else if (duration_ms != null) facts.push(duration(duration_ms));
  return facts.join(' · ');
}

/** Edges between nodes that exist, each pair once with its labels joined; loops are left out. */
export function plainEdges({ nodes, edges }: Graph): { from: number; to: number; label: string }[] {
  const index = new Map(nodes.map(({ id }, position) => [id, position]));
  const merged = new Map<string, { from: number; to: number; labels: string[] }>();
  for (const { from, to, label } of edges) {
    const [a, b] = [index.get(from), index.get(to)];
    if (a === undefined || b === undefined || a === b) continue;
    const known = merged.get(`${a} ${b}`) ?? { from: a, to: b, labels: [] };
    if (label && !known.labels.includes(label)) known.labels.push(label);
    merged.set(`${a} ${b}`, known);
  }
  return [...merged.values()].map(({ from, to, labels }) => ({ from, to, label: labels.join(', ') }));
}
