const epsilon = 1e-9;

/**
 * Whole numbers for the numbers of a table, of at least 0, whose rows add up to whole numbers: rows keep their sums, each number is less
 * than 1 from its own, and so is the sum of every column from its sum: controlled rounding (Cox 1987). What is left after rounding down goes to the parts that the whole lacks most; then a part with
 * too many gives to one with too few, by way of others if it must.
 */
export function roundedCounts(exact: readonly (readonly number[])[]): number[][] {
  const columns = exact[0]?.length ?? 0;
  const counts = exact.map((row) => row.map((value) => Math.floor(value + epsilon)));
  /** Whether there is anything to round. */
  const rounds = (stratum: number, part: number) =>
    exact[stratum]![part]! - Math.floor(exact[stratum]![part]! + epsilon) > epsilon;
  const isUp = (stratum: number, part: number) =>
    counts[stratum]![part]! > Math.floor(exact[stratum]![part]! + epsilon);
  const lacking = new Array<number>(columns).fill(0);
  const add = (stratum: number, part: number, by: number) => {
    counts[stratum]![part]! += by;
    lacking[part]! -= by;
  };
  for (const [stratum, numbers] of exact.entries()) {
    const own = counts[stratum]!;
    for (const [part, value] of numbers.entries()) lacking[part]! += value - own[part]!;
    const left = Math.round(numbers.reduce((sum, value, part) => sum + value - own[part]!, 0));
    const open = [...numbers.keys()].filter((part) => rounds(stratum, part));
    open.sort((a, b) => lacking[b]! - lacking[a]! || a - b);
    for (const part of open.slice(0, left)) add(stratum, part, 1);
  }
  // A row of a stratum moves from one part to another if the first was rounded up and the second was not.
  const step = (from: number, to: number) =>
    exact.findIndex((_, stratum) => isUp(stratum, from) && !isUp(stratum, to) && rounds(stratum, to));
  for (let tries = 0; tries < exact.length * columns; tries++) {
    const from = lacking.findIndex((value) => value <= -1 + epsilon);
    const to = lacking.findIndex((value) => value >= 1 - epsilon);
    if (from < 0 && to < 0) break;
    const path = shortestPath(
      from >= 0 ? from : lacking.indexOf(Math.min(...lacking)),
      to >= 0 ? to : lacking.indexOf(Math.max(...lacking)),
      columns,
      (one, other) => step(one, other) >= 0,
    );
    if (path === undefined) break;
    for (let at = 1; at < path.length; at++) {
      const stratum = step(path[at - 1]!, path[at]!);
      add(stratum, path[at - 1]!, -1);
      add(stratum, path[at]!, 1);
    }
  }
  return counts;
}

/** Numbers below `size` from one to another over steps that are allowed; undefined if there is no way. */
function shortestPath(
  from: number,
  to: number,
  size: number,
  isStep: (one: number, other: number) => boolean,
): number[] | undefined {
  const before = new Map<number, number>([[from, -1]]);
  const queue = [from];
  for (const at of queue) {
    if (at === to) break;
    for (let next = 0; next < size; next++)
      if (!before.has(next) && isStep(at, next)) {
        before.set(next, at);
        queue.push(next);
      }
  }
  if (!before.has(to)) return undefined;
  const path: number[] = [];
  for (let at = to; at >= 0; at = before.get(at)!) path.unshift(at);
  return path;
}
