import type { Json, JsonObject } from '../../engine/json.ts';

/** A class that a text can have, perhaps with classes below it. */
export interface Label {
  name: string;
  description: string | null;
  below: Label[];
}

/** Names of classes on the way down are put together by this. */
export const separator = '/';
const members = new Set(['name', 'description', 'labels']);

/**
 * Reads labels as a workflow says them: names, or `{ name, description, labels }` with the classes below.
 * Gives what is wrong with them instead, if something is.
 */
export function readLabels(
  given: readonly Json[],
  path: readonly string[] = [],
): Label[] | { wrong: string } {
  const where = path.length === 0 ? 'labels' : `labels of ${path.join(separator)}`;
  const labels: Label[] = [];
  for (const item of given) {
    const said = typeof item === 'string' ? { name: item } : item;
    if (typeof said !== 'object' || said === null || Array.isArray(said))
      return { wrong: `${where}: a label is a name or { name, description, labels }` };
    const { name, description = null, labels: below = [] } = said as JsonObject;
    const unknown = Object.keys(said).find((key) => !members.has(key));
    if (unknown !== undefined) return { wrong: `${where}: a label has no "${unknown}"` };
    if (typeof name !== 'string' || name.trim() === '') return { wrong: `${where}: a label has no name` };
    if (description !== null && typeof description !== 'string')
      return { wrong: `${where}: the description of ${name} is no text` };
    if (!Array.isArray(below)) return { wrong: `${where}: the labels of ${name} are no list` };
    if (labels.some((label) => label.name === name)) return { wrong: `${where}: ${name} stands twice` };
    const own = readLabels(below, [...path, name]);
    if ('wrong' in own) return own;
    labels.push({ name, description, below: own });
  }
  return labels;
}

/** The labels at the end of a way down; undefined if the way does not lead there. */
export function labelsAt(labels: readonly Label[], path: readonly string[]): readonly Label[] | undefined {
  let level: readonly Label[] = labels;
  for (const name of path) {
    const found = level.find((label) => label.name === name);
    if (found === undefined) return undefined;
    level = found.below;
  }
  return level;
}
