import type { ErrorObject } from 'ajv/dist/2020.js';

/** Of a union's branches only the one that was meant speaks; words that only frame others are dropped. */
export function oneForEachMistake(found: readonly ErrorObject[]): ErrorObject[] {
  const kept: ErrorObject[] = [];
  for (const error of found) {
    if (error.keyword === 'if' || error.propertyName !== undefined) continue;
    if (error.keyword !== 'anyOf' && error.keyword !== 'oneOf') {
      kept.push(error);
      continue;
    }
    const branches = new Map<string, ErrorObject[]>();
    const inside = `${error.schemaPath}/`;
    while (kept.length > 0) {
      const last = kept.at(-1)!;
      if (!last.instancePath.startsWith(error.instancePath) || !last.schemaPath.startsWith(inside)) break;
      kept.pop();
      const branch = last.schemaPath.slice(inside.length).split('/')[0]!;
      branches.set(branch, [last, ...(branches.get(branch) ?? [])]);
    }
    const fitting = [...branches.values()]
      .filter(
        (list) => !list.some((one) => one.keyword === 'type' && one.instancePath === error.instancePath),
      )
      .sort((a, b) => misses(a, error) - misses(b, error) || a.length - b.length);
    const best = fitting[0];
    // A word beside other forms (`5` or `auto`): what was meant is not known.
    const [only] = best ?? [];
    const isWord =
      best?.length === 1 && only?.keyword === 'const' && only.instancePath === error.instancePath;
    if (isWord && branches.size > 1) kept.push(error);
    else if (best !== undefined && (fitting.length === 1 || misses(best, error) < misses(fitting[1]!, error)))
      kept.push(...best);
    else if (best !== undefined && fitting.length < branches.size) kept.push(...best);
    else kept.push(error);
  }
  return kept;
}

/** A branch is far from the value if its tag (a const or enum) or its required keys do not fit. */
function misses(errors: ErrorObject[], union: ErrorObject): number {
  let count = 0;
  for (const error of errors) {
    if (error.keyword === 'const') count += 4;
    // A number out of range is nearer to numbers than to words.
    else if (error.keyword === 'enum' && error.instancePath === union.instancePath) count += 2;
    else if (error.keyword === 'required' && error.instancePath === union.instancePath) count += 2;
    else count += 1;
  }
  return count;
}
