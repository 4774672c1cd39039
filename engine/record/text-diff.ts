/** A line of a difference between two texts. Numbers count from 1; null where the line is not in that text. */
export interface DiffLine {
  kind: 'same' | 'removed' | 'added';
  text: string;
  old: number | null;
  now: number | null;
}

/** Lines around a change that are shown with it. */
const context = 2;
/** Above so many edits the texts have little in common: then the one is shown as replaced by the other. */
const maxEdits = 2000;

/**
 * What changed between two texts, line by line, with two lines around each change; empty if they are equal. Between
 * hunks lines are left out, which the numbers show. The shortest edit script, by E. W. Myers, "An O(ND) Difference
 * Algorithm and Its Variations", Algorithmica 1 (1986).
 */
export function diffLines(old: string, now: string): DiffLine[] {
  if (old === now) return [];
  const [a, b] = [old.split('\n'), now.split('\n')];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end])
    end++;

  const lines: DiffLine[] = [];
  let [x, y] = [0, 0];
  const same = (count: number) => {
    for (; count > 0; count--) lines.push({ kind: 'same', text: a[x]!, old: ++x, now: ++y });
  };
  same(start);
  for (const edit of shortestEdits(a.slice(start, a.length - end), b.slice(start, b.length - end))) {
    if (edit === 'same') same(1);
    else if (edit === 'removed') lines.push({ kind: 'removed', text: a[x]!, old: ++x, now: null });
    else lines.push({ kind: 'added', text: b[y]!, old: null, now: ++y });
  }
  same(end);
  const near = new Set<number>();
  lines.forEach(({ kind }, index) => {
    if (kind === 'same') return;
    for (let around = index - context; around <= index + context; around++) near.add(around);
  });
  return lines.filter((_, index) => near.has(index));
}

/** The same for a text that one side may not have: then all lines of the other one. */
export function diffTexts(old: string | undefined, now: string | undefined): DiffLine[] {
  if (old !== undefined && now !== undefined) return diffLines(old, now);
  const lines = (old ?? now ?? '').replace(/\n$/, '').split('\n');
  return lines.map((text, index) =>
    old === undefined
      ? { kind: 'added', text, old: null, now: index + 1 }
      : { kind: 'removed', text, old: index + 1, now: null },
  );
}

function shortestEdits(a: string[], b: string[]): DiffLine['kind'][] {
  const limit = Math.min(a.length + b.length, maxEdits);
  // furthest[k]: how far into `a` the diagonal k = x - y gets with the edits so far; kept for each number of edits.
  const offset = limit + 1;
  const furthest = new Int32Array(2 * limit + 3);
  const history: Int32Array[] = [];
  for (let edits = 0; edits <= limit; edits++) {
    history.push(furthest.slice(offset - edits - 1, offset + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && furthest[offset + k - 1]! < furthest[offset + k + 1]!);
      let x = down ? furthest[offset + k + 1]! : furthest[offset + k - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(history, a.length, b.length);
    }
  }
  return [...a.map(() => 'removed' as const), ...b.map(() => 'added' as const)];
}

function walkBack(history: Int32Array[], x: number, y: number): DiffLine['kind'][] {
  const steps: DiffLine['kind'][] = [];
  for (let edits = history.length - 1; edits >= 0; edits--) {
    const before = history[edits]!;
    const at = (k: number) => before[k + edits + 1]!;
    const k = x - y;
    const down = k === -edits || (k !== edits && at(k - 1) < at(k + 1));
    const beforeX = edits === 0 ? 0 : down ? at(k + 1) : at(k - 1);
    const beforeY = edits === 0 ? 0 : beforeX - (down ? k + 1 : k - 1);
    for (; x > beforeX && y > beforeY; x--, y--) steps.push('same');
    if (edits > 0) steps.push(down ? 'added' : 'removed');
    [x, y] = [beforeX, beforeY];
  }
  return steps.reverse();
}
