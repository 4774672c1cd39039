/**
 * Edits (insertions, deletions, substitutions, swaps of neighbours) that turn one word into another: the
 * Damerau–Levenshtein distance in its restricted form (optimal string alignment). Stops counting above `limit`.
 */
export function editDistance(a: string, b: string, limit = Infinity): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1);
      current.push(cost);
      if (cost < best) best = cost;
    }
    if (best > limit) return limit + 1;
    before = previous;
    previous = current;
  }
  return Math.min(previous[b.length]!, limit + 1);
}

/** Case and the ways to join words do not count. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ .]/g, '');
}

/**
 * The name that somebody who wrote `word` probably meant; undefined if none is close. A third of the letters may be
 * wrong. Of equally close names the first wins; a name that `word` abbreviates counts as close.
 */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  const wanted = plain(word);
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  let abbreviated: string | undefined;
  for (const name of names) {
    if (name === word) continue;
    const candidate = plain(name);
    const distance = editDistance(wanted, candidate, Math.min(limit, bestDistance));
    // Two letters that share none are not a slip of the fingers.
    if (distance < bestDistance && distance < Math.max(wanted.length, candidate.length)) {
      best = name;
      bestDistance = distance;
    }
    if (
      abbreviated === undefined &&
      wanted.length >= 3 &&
      (candidate.startsWith(wanted) || wanted.startsWith(candidate))
    )
      abbreviated = candidate.length >= 3 ? name : undefined;
  }
  return best ?? abbreviated;
}

/** `did you mean "x"?` if a name is close, else the names there are (if few), else nothing. */
export function suggestion(word: string, names: readonly string[], kind = 'known'): string | undefined {
  const close = nearest(word, names);
  if (close !== undefined) return `did you mean "${close}"?`;
  if (names.length === 0) return undefined;
  const shown = names.slice(0, 12).join(', ');
  return `${kind}: ${shown}${names.length > 12 ? `, … (${names.length})` : ''}`;
}
