import type { Json, JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import { parseAddress } from './address.ts';
import type { Expander } from './expression.ts';
import { type LocatedMap, type LocatedScalar, member, placeOf } from './located.ts';
import type { ProblemList } from './problem-list.ts';
import type { Measured } from './resolved.ts';
import type { Scope } from './scope.ts';

/** What conditions of a route may name: traits of a request. */
const traits = ['tokens', 'json', 'images', 'text', 'row'];

/** What a route may have measured of its models. */
export const measuredKinds = ['quality', 'latency'] as const;

interface RouteOptions {
  scope: Scope;
  expander: Expander;
  problems: ProblemList;
  /** Aliases that a route may go to: language models that are no routes. */
  targets: readonly string[];
}

/**
 * Checks where a route goes, and writes what is known of params and environment into its conditions. Gives where it names
 * metrics of earlier runs.
 */
export function readRoute(
  alias: string,
  model: JsonObject,
  node: LocatedMap,
  options: RouteOptions,
): Measured[] {
  const route = member(node, 'route');
  const value = model['route'] as JsonObject | undefined;
  const addresses: Measured[] = [];
  if (route?.kind !== 'map' || typeof value !== 'object') return addresses;
  const { scope, expander, problems, targets } = options;
  const check = (at: LocatedScalar, known: readonly string[], there: string) => {
    const name = String(at.value);
    if (known.includes(name)) return;
    const hint = suggestion(name, known, there);
    problems.error('unknown-model', `a route goes to "${name}", which is no language model here`, at, {
      ...(hint && { hint }),
    });
  };
  const among = member(route, 'among');
  const names: string[] = [];
  for (const item of among?.kind === 'list' ? among.items : []) {
    if (item.kind !== 'scalar') continue;
    check(item, targets, 'there are');
    names.push(String(item.value));
  }
  for (const kind of measuredKinds) {
    const measured = member(route, kind);
    const kept = value[kind];
    const noteMeasured = (text: Json | undefined, of: string | null, at: LocatedScalar) => {
      if (typeof text !== 'string') return;
      checkMeasured(text, at, problems);
      addresses.push({ route: alias, kind, model: of, place: placeOf(at) });
    };
    if (measured?.kind === 'scalar') noteMeasured(kept, null, measured);
    if (measured?.kind !== 'map') continue;
    for (const [name, { key, value: number }] of measured.entries) {
      if (!names.includes(name))
        problems.error('unknown-model', `the route does not go to "${name}"`, key, {
          hint: `it goes to: ${names.join(', ')}`,
        });
      if (number.kind === 'scalar') noteMeasured((kept as JsonObject | null)?.[name], name, number);
    }
  }
  const rules = member(route, 'rules');
  if (rules?.kind !== 'list' || !Array.isArray(value['rules'])) return addresses;
  for (const [index, rule] of rules.items.entries()) {
    const use = rule.kind === 'map' ? member(rule, 'use') : undefined;
    const when = rule.kind === 'map' ? member(rule, 'when') : undefined;
    if (use?.kind === 'scalar') check(use, names, 'the route goes to');
    const kept = value['rules'][index];
    if (when?.kind !== 'scalar' || typeof when.value !== 'string') continue;
    const folded = expander.bare(when, when.value, scope, traits);
    if (folded === undefined || typeof kept !== 'object' || kept === null || Array.isArray(kept)) continue;
    kept['when'] = folded.source;
    const rows = folded.program.paths.filter(({ names }) => names[0] === 'row');
    if (rows.some(({ names }) => names.length < 2))
      problems.error('expression-type', 'a rule reads fields of the row by their names', when, {
        hint: 'write row.<field>',
      });
    const fields = [...new Set(rows.flatMap(({ names }) => names[1] ?? []))];
    const tested = rows.filter((path) => path.tested).flatMap(({ names }) => names[1] ?? []);
    if (fields.length > 0) kept['fields'] = fields;
    if (tested.length > 0) kept['tested_fields'] = [...new Set(tested)];
  }
  return addresses;
}

/** A text is the address of a metric of an earlier run. */
function checkMeasured(value: string, at: LocatedScalar, problems: ProblemList): void {
  const address = parseAddress(value);
  const hint = 'write run:<run>/step.metric, with a tag for the run (reprise runs tag)';
  if ('error' in address) problems.error('address', address.error.message, at, { hint });
  else if (address.run === null || address.output === null)
    problems.error('address', `"${value}" is no metric of an earlier run`, at, { hint });
}
