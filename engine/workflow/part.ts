import type { JsonObject } from '../json.ts';
import type { StepDraft } from './draft.ts';
import type { Located, LocatedMap, LocatedScalar, Span } from './located.ts';
import type { Names } from './names.ts';
import type { ParamValues } from './params.ts';
import type { SourceFile } from './source.ts';

/** Steps with what their names and params mean: a file of the workflow as it is included, or a template as it is used. */
export interface Part {
  source: SourceFile;
  root: LocatedMap;
  /** The file that includes it, or that declares the template; null for the workflow file. */
  parent: Part | null;
  names: Names;
  /** What stands before the names of its steps to make their ids. */
  prefix: string;
  /** Values that its `include` gives to its params; null if it gives none. */
  given: LocatedMap | null;
  /** Values of the params that its expressions can name. */
  params: ParamValues;
  /** The params are not, or not all, those of the workflow: steps must be told of them. */
  ownParams: boolean;
  /** What the chosen profiles say, the one that wins first. The same for all parts. */
  profiles: readonly LocatedMap[];
  /** Its steps by the name that it says. */
  steps: Map<string, StepDraft>;
  /** The step that uses a template; null for a file. */
  caller: Caller | null;
  /** The combination, of the matrices of the steps that use the templates around it, for which it stands; null without one. */
  axes: JsonObject | null;
  /** The table for each row of which the steps stand that use the templates around it; null without one. */
  rows: PartRows | null;
}

/** `for_each` of a step that uses a template. */
export interface PartRows {
  node: Located;
  /** Where that step stands: its names and params hold for the address. */
  part: Part;
}

/** A step that uses a template. */
export interface Caller {
  /** Without a combination. */
  id: string;
  key: Span;
  node: LocatedMap;
  part: Part;
  /** The template's name. */
  template: string;
  /** The template on its own. */
  declaration: Part;
  /** The step of the template that has the caller's id. */
  output: string;
}

/** The steps that use the templates around a step, the outermost first. */
export function callersOf(part: Part): Caller[] {
  const callers: Caller[] = [];
  for (let at: Part | undefined = part; at?.caller; at = at.caller.part) callers.unshift(at.caller);
  return callers;
}

/** The same value as another file says it: for what is included, or used, more than once. */
export function relocated<N extends Located | LocatedScalar | LocatedMap>(node: N, file: SourceFile): N;
export function relocated(node: Located, file: SourceFile): Located {
  if (node.kind === 'scalar') return { ...node, file };
  if (node.kind === 'list') return { ...node, file, items: node.items.map((item) => relocated(item, file)) };
  const entries: LocatedMap['entries'] = new Map();
  for (const [name, { key, value }] of node.entries)
    entries.set(name, { key: { ...key, file }, value: relocated(value, file) });
  return { ...node, file, entries };
}
