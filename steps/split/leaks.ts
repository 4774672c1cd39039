import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson } from '../../engine/json.ts';
import type { TableInput } from '../../engine/step.ts';
import { UnionFind } from '../../numerics/union-find.ts';
import { KeyTable } from '../dedupe/key-table.ts';
import { normalize } from '../dedupe/normalize.ts';

/** What does not tell two texts apart: a model that learnt the one knows the other. */
const form = {
  unicode: 'NFKC',
  lowercase: true,
  whitespace: true,
  punctuation: true,
  diacritics: false,
  numbers: false,
} as const;

/**
 * Rows whose text, but for case, punctuation and white space, is that of a row in an earlier part (valid after train,
 * test after both), or that are duplicates of one (`duplicateOf`, by place): `part`, and `in` the part that has it too, with that
 * row's id as `leak_of`.
 */
export async function* findLeaks(
  table: TableInput,
  field: string,
  parts: Uint8Array,
  partNames: readonly string[],
  duplicateOf?: Int32Array,
): AsyncGenerator<Row & { part: string }> {
  const keys = new KeyTable();
  const groups = duplicateOf && new UnionFind(table.rows);
  duplicateOf?.forEach((original, row) => void (original >= 0 && groups!.union(original, row)));
  /** The earliest part that has a text or a group of duplicates, and its first row there. */
  const firstByText: First[] = [];
  const firstByGroup: First[] = [];
  const learn = (list: First[], key: number, part: number, id: string) => {
    const known = list[key];
    if (known === undefined || part < known.part) list[key] = { part, id };
  };
  // A text need not come first in the part that counts as first, so there are two passes.
  for (const pass of ['learn', 'tell'] as const) {
    let index = 0;
    for await (const block of table.blocks()) {
      for (const row of block) {
        const group = groups?.find(index);
        const part = parts[index++]!;
        const value = row[field] ?? null;
        const key =
          value === null || value === ''
            ? undefined
            : keys.number(typeof value === 'string' ? normalize(value, form) : canonicalJson(value));
        const { id } = row;
        if (pass === 'learn') {
          if (key !== undefined) learn(firstByText, key, part, id);
          if (group !== undefined) learn(firstByGroup, group, part, id);
          continue;
        }
        const known = [
          key === undefined ? undefined : firstByText[key],
          group === undefined ? undefined : firstByGroup[group],
        ].find((first) => first !== undefined && first.part < part);
        if (known !== undefined)
          yield { id, part: partNames[part]!, in: partNames[known.part]!, leak_of: known.id, [field]: value };
      }
    }
  }
}

interface First {
  part: number;
  id: string;
}
