import type { Json, JsonObject } from '../json.ts';
import { suggestion } from '../nearest.ts';
import type { Expander } from './expression.ts';
import type { Located, LocatedMap } from './located.ts';
import type { ProblemList } from './problem-list.ts';
import type { Scope } from './scope.ts';

const maxInstances = 10_000;

/**
 * The combinations of a step's matrix, in the order of the axes: the product, less what `exclude` matches, plus what
 * `include` says, as GitHub Actions does it: an entry of `include` adds its values to every combination that it does
 * not contradict, and is a combination of its own if there is none. Undefined after a problem.
 */
export function expandMatrix(
  node: LocatedMap,
  step: string,
  scope: Scope,
  expander: Expander,
  problems: ProblemList,
): JsonObject[] | undefined {
  let failed = false;
  const expanded = (part: Located): Json | undefined => {
    const { value, unknown } = expander.expand(part, scope);
    if (unknown.length > 0) failed = true;
    return unknown.length > 0 ? undefined : value;
  };
  const axes = new Map<string, Json[]>();
  let size = 1;
  for (const [axis, entry] of node.entries) {
    if (axis === 'include' || axis === 'exclude') continue;
    const values = expanded(entry.value);
    if (values === undefined) continue;
    if (!Array.isArray(values) || values.some((value) => typeof value === 'object')) {
      problems.error(
        'wrong-type',
        `the axis ${axis} must be a list of texts, numbers or true and false`,
        entry.value,
      );
      failed = true;
      continue;
    }
    if (values.length === 0) {
      problems.error(
        'empty-matrix',
        `the axis ${axis} has no values, so step ${step} would never run`,
        entry.value,
        {
          hint: 'give it a value, or take the axis out',
        },
      );
      failed = true;
    }
    const texts = values.map(String);
    const repeated = texts.findIndex((text, index) => texts.indexOf(text) !== index);
    if (repeated !== -1) {
      const item = entry.value.kind === 'list' ? entry.value.items[repeated]! : entry.value;
      problems.error('duplicate-value', `the axis ${axis} has the value ${texts[repeated]} twice`, item);
      failed = true;
    }
    axes.set(axis, values);
    size *= Math.max(1, values.length);
  }
  if (failed) return undefined;
  if (size > maxInstances) {
    const hint = 'take values out, or exclude combinations by hand in several steps';
    problems.error(
      'matrix-too-large',
      `the matrix of step ${step} has ${size.toLocaleString('en')} combinations`,
      node,
      { hint },
    );
    return undefined;
  }
  let combinations: JsonObject[] = axes.size === 0 ? [] : [{}];
  for (const [axis, values] of axes)
    combinations = combinations.flatMap((combination) =>
      values.map((value) => ({ ...combination, [axis]: value })),
    );

  for (const item of itemsOf(node, 'exclude')) {
    const pattern = expanded(item) as JsonObject | undefined;
    if (pattern === undefined || item.kind !== 'map') continue;
    const stranger = Object.keys(pattern).find((axis) => !axes.has(axis));
    if (stranger !== undefined) {
      const hint = suggestion(stranger, [...axes.keys()], 'axes');
      problems.error(
        'unknown-axis',
        `exclude names an axis "${stranger}" that the matrix does not have`,
        item.entries.get(stranger)!.key,
        hint ? { hint } : {},
      );
      failed = true;
      continue;
    }
    const left = combinations.filter((combination) => !matches(combination, pattern));
    if (left.length === combinations.length)
      problems.warning('no-such-combination', 'this exclude matches no combination', item);
    combinations = left;
  }
  const original = combinations.map((combination) => ({ ...combination }));
  for (const item of itemsOf(node, 'include')) {
    const extra = expanded(item) as JsonObject | undefined;
    if (extra === undefined) continue;
    let used = false;
    original.forEach((combination, index) => {
      const contradicts = Object.entries(extra).some(
        ([axis, value]) => axis in combination && combination[axis] !== value,
      );
      if (contradicts) return;
      combinations[index] = { ...combinations[index], ...extra };
      used = true;
    });
    if (!used) combinations.push(extra);
  }
  if (failed) return undefined;
  if (combinations.length === 0) {
    problems.error(
      'empty-matrix',
      `the matrix of step ${step} has no combination, so the step would never run`,
      node,
    );
    return undefined;
  }
  return combinations;
}

function itemsOf(node: LocatedMap, key: string): Located[] {
  const list = node.entries.get(key)?.value;
  return list?.kind === 'list' ? list.items : [];
}

function matches(combination: JsonObject, pattern: JsonObject): boolean {
  return Object.entries(pattern).every(([axis, value]) => combination[axis] === value);
}
