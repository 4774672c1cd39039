import type { Row } from '../../engine/artefacts.ts';
import { canonicalJson } from '../../engine/json.ts';
import type { TableInput } from '../../engine/step.ts';
import { KeyTable } from '../dedupe/key-table.ts';
import { normalize } from '../dedupe/normalize.ts';
import { partNames } from './assign.ts';

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
 * test after both): `part`, and `in` the part that has it too, with that row's id as `leak_of`.
 */
export async function* findLeaks(
  table: TableInput,
  field: string,
  parts: Uint8Array,
): AsyncGenerator<Row & { part: string }> {
  const keys = new KeyTable();
  /** The earliest part that has a text, and its first row there. */
  const first: { part: number; id: string }[] = [];
  // A text need not come first in the part that counts as first, so there are two passes.
  for (const pass of ['learn', 'tell'] as const) {
    let index = 0;
    for await (const block of table.blocks()) {
      for (const row of block) {
        const part = parts[index++]!;
        const value = row[field] ?? null;
        if (value === null || value === '') continue;
        const key = keys.number(typeof value === 'string' ? normalize(value, form) : canonicalJson(value));
        const known = first[key];
        if (pass === 'learn') {
          if (known === undefined || part < known.part) first[key] = { part, id: row.id };
        } else if (known !== undefined && known.part < part) {
          const { id } = row;
          yield { id, part: partNames[part]!, in: partNames[known.part]!, leak_of: known.id, [field]: value };
        }
      }
    }
  }
}
