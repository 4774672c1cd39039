import type { Json } from '../json.ts';
import type { Expander } from './expression.ts';
import type { Instances } from './instances.ts';
import { type LocatedMap, member, type Span } from './located.ts';
import { type GivenParams, innerParams, type ParamValues } from './params.ts';
import type { Part } from './part.ts';
import type { ProblemList } from './problem-list.ts';
import type { Scope } from './scope.ts';

/** Gives a file, or a template as it is used, the params that its expressions can name. Outer parts have theirs. */
export function scopeParams(
  part: Part,
  workflow: ParamValues,
  scopes: Pick<Instances, 'scope'>,
  expander: Expander,
  problems: ProblemList,
): void {
  const { parent, caller } = part;
  if (caller !== null) {
    const node = member(caller.node, 'with');
    const scope: Scope = {
      ...scopes.scope(caller.part, part.axes),
      ...(part.rows && { item: 'in template' }),
    };
    const given = node?.kind === 'map' ? valuesOf(node, scope, expander) : new Map();
    const options = { given, at: caller.key, who: `the template ${caller.template}`, all: true };
    part.params = innerParams(part, parent!.params, options, problems);
  } else if (part.given !== null && parent !== null) {
    const given = valuesOf(part.given, scopes.scope(parent), expander);
    const options = { given, at: part.given, who: 'the included file', all: false };
    part.params = innerParams(part, parent.params, options, problems);
    part.ownParams = true;
  } else {
    part.params = parent?.params ?? workflow;
    part.ownParams = parent?.ownParams ?? false;
  }
}

/** What is given, with its expressions expanded; undefined for a value that cannot be had, which is reported. */
function valuesOf(node: LocatedMap, scope: Scope, expander: Expander): GivenParams {
  const values = new Map<string, { key: Span; at: Span; value: Json | undefined }>();
  for (const [name, { key, value: at }] of node.entries) {
    const { value, unknown } = expander.expand(at, scope);
    values.set(name, { key, at, value: unknown.length > 0 ? undefined : value });
  }
  return values;
}
