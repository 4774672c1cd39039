import type { StepDraft } from './draft.ts';
import { type LocatedMap, member, textOf } from './located.ts';
import type { Part } from './part.ts';

/** The `defaults` of the chosen profiles, of a file and of those that include it: the first that says something counts. */
export function defaultsOf(part: Part): LocatedMap[] {
  const chain = part.profiles.flatMap((profile) => {
    const defaults = member(profile, 'defaults');
    return defaults?.kind === 'map' ? [defaults] : [];
  });
  for (let at: Part | null = part; at !== null; at = at.parent) {
    const defaults = member(at.root, 'defaults');
    if (defaults?.kind === 'map') chain.push(defaults);
  }
  return chain;
}

/** The `with` of a step over what `defaults` say for its type. Values keep their places. */
export function mergedWith(draft: StepDraft): LocatedMap {
  const use = textOf(member(draft.node, 'use')) ?? '';
  const entries: LocatedMap['entries'] = new Map();
  const own = member(draft.node, 'with');
  const said = defaultsOf(draft.part).map((defaults) => member(member(defaults, 'with'), use));
  for (const node of [...said.reverse(), own])
    if (node?.kind === 'map') for (const [key, entry] of node.entries) entries.set(key, entry);
  const { file, start, end } = own ?? draft.key;
  return { kind: 'map', file, start, end, entries };
}
