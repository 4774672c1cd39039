import type { ASTNode } from '@marcbachmann/cel-js';

/** A name and the members taken from it, as far as they are written out: `steps.topics.metrics.k`. */
export interface CelPath {
  names: string[];
  start: number;
  end: number;
  /** `has(…)` asks whether it is there. */
  tested?: true;
}

/** `a.b["c"]` as names; undefined for anything else. */
export function pathOf(node: ASTNode): CelPath | undefined {
  if (node.op === 'id') return { names: [node.args], start: node.range.start, end: node.range.end };
  if (node.op === '.' || node.op === '.?') {
    const owner = pathOf(node.args[0]);
    return owner && { names: [...owner.names, node.args[1]], start: owner.start, end: node.range.end };
  }
  if (node.op === '[]') {
    const [object, index] = node.args;
    const owner = index.op === 'value' && typeof index.args === 'string' ? pathOf(object) : undefined;
    return (
      owner && { names: [...owner.names, index.args as string], start: owner.start, end: node.range.end }
    );
  }
  return undefined;
}

const macros = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** Everything that an expression reads, in the order of its text; variables of macros are not in it. */
export function pathsOf(ast: ASTNode): CelPath[] {
  const paths: CelPath[] = [];
  const visit = (node: ASTNode, bound: ReadonlySet<string>, tested?: true): void => {
    const path = pathOf(node);
    if (path !== undefined) {
      if (!bound.has(path.names[0]!)) paths.push(tested ? { ...path, tested } : path);
      return;
    }
    if (node.op === 'rcall') {
      const [name, object, args] = node.args;
      const variable = args[0];
      const binds =
        variable?.op === 'id' &&
        (macros.has(name) || (name === 'bind' && object.op === 'id' && object.args === 'cel'));
      if (!(name === 'bind' && binds)) visit(object, bound);
      const inner = binds ? new Set([...bound, variable.args as string]) : bound;
      for (const argument of binds ? args.slice(1) : args) visit(argument, inner);
      return;
    }
    const asks = node.op === 'call' && node.args[0] === 'has' ? true : undefined;
    for (const child of childrenOf(node.args)) visit(child, bound, asks);
  };
  visit(ast, new Set());
  return paths.sort((a, b) => a.start - b.start);
}

function childrenOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf);
  return typeof args === 'object' && args !== null && 'op' in args && 'args' in args ? [args as ASTNode] : [];
}

/** `steps.<id>.metrics.<name>`, or `steps.<id>` where no metric is named; nothing for other paths. */
export function stepReference({ names }: CelPath): string[] {
  if (names[0] !== 'steps' || names[1] === undefined) return [];
  if (names[2] === 'metrics' && names[3] !== undefined) return [`steps.${names[1]}.metrics.${names[3]}`];
  return [`steps.${names[1]}`];
}
