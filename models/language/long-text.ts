/** How parts of a text that is too long for one request become one answer. */
export const longTextMethods = ['map_reduce', 'refine'] as const;
export type LongTextMethod = (typeof longTextMethods)[number];

/**
 * Map and reduce: each part is asked about by itself, and the answers are put together, in groups that fit into one
 * request, until one is left. Of one part the answer stands as it is.
 *
 * @param parts in the order of the text, at least one
 * @param fits whether so many answers go into one request; two always do
 */
export async function mapReduce<A>(options: {
  parts: readonly string[];
  map(part: string, index: number): Promise<A>;
  reduce(answers: readonly A[]): Promise<A>;
  fits(answers: readonly A[]): boolean;
}): Promise<A> {
  const { parts, map, reduce, fits } = options;
  let answers = await inOrder(parts.map(map));
  while (answers.length > 1) {
    const groups: A[][] = [];
    for (const answer of answers) {
      const group = groups.at(-1);
      if (group !== undefined && (group.length < 2 || fits([...group, answer]))) group.push(answer);
      else groups.push([answer]);
    }
    answers = await inOrder(groups.map(async (group) => (group.length === 1 ? group[0]! : reduce(group))));
  }
  return answers[0]!;
}

/** Refine: the first part is asked about, and each one after it with the answer so far. */
export async function refine<A>(options: {
  parts: readonly string[];
  first(part: string): Promise<A>;
  next(answer: A, part: string, index: number): Promise<A>;
}): Promise<A> {
  const [head, ...rest] = options.parts;
  let answer = await options.first(head!);
  for (const [index, part] of rest.entries()) answer = await options.next(answer, part, index + 1);
  return answer;
}

/** All answers; if one is missing, the others are waited for: they are paid for, and recorded. */
async function inOrder<A>(work: readonly Promise<A>[]): Promise<A[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
