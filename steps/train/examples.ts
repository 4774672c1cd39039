import type { TableInput } from '../../engine/step.ts';

/** What there is to learn from. */
export interface Examples {
  /** Places in the table of the rows that have a label. */
  rows: Int32Array;
  /** Class of each of them: its place in `labels`. */
  classes: Int32Array;
  /** Class names, sorted by code units. */
  labels: string[];
  without: number;
}

/** Reads the labels. Numbers and true/false are classes too, by their text; missing and empty ones are none. */
export async function readExamples(table: TableInput, field: string): Promise<Examples> {
  const rows: number[] = [];
  const names: string[] = [];
  let index = 0;
  for await (const block of table.blocks()) {
    for (const row of block) {
      const at = index++;
      const value = row[field] ?? null;
      const name = typeof value === 'string' ? value.trim() : value === null ? '' : JSON.stringify(value);
      if (name === '') continue;
      rows.push(at);
      names.push(name);
    }
  }
  const labels = [...new Set(names)].sort();
  const numbers = new Map(labels.map((label, number) => [label, number]));
  return {
    rows: Int32Array.from(rows),
    classes: Int32Array.from(names, (name) => numbers.get(name)!),
    labels,
    without: index - rows.length,
  };
}

/** What to warn of where classes have fewer rows than a cross-validation has folds; undefined if none has. */
export function smallClasses({ classes, labels }: Examples, folds: number): string | undefined {
  // Of one class there is nothing to tell apart.
  if (labels.length < 2) return undefined;
  const sizes = new Int32Array(labels.length);
  for (const own of classes) sizes[own]!++;
  const small = labels.filter((_, own) => sizes[own]! < folds);
  if (small.length === 0) return undefined;
  const shown = small.slice(0, 5).map((label) => `"${label}" (${sizes[labels.indexOf(label)]!})`);
  const which = `${shown.join(', ')}${small.length > 5 ? ', …' : ''}`;
  return `${small.length} of ${labels.length} classes have fewer rows than there are folds (${folds}): ${which}; what cross-validation says of them means little`;
}
