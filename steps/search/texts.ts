import type { Row } from '../../engine/artefacts.ts';
import type { TableInput } from '../../engine/step.ts';

/** The texts of some rows of a table. */
export interface Texts {
  ids: string[];
  texts: string[];
  /** Where the rows stand in their table. */
  places: number[];
}

/** The texts of the rows that fit, in their order. */
export async function readTexts(
  table: TableInput,
  field: string,
  fits: (row: Row, place: number) => boolean = () => true,
): Promise<Texts> {
  const found: Texts = { ids: [], texts: [], places: [] };
  let place = -1;
  for await (const block of table.blocks()) {
    for (const row of block) {
      place++;
      if (!fits(row, place)) continue;
      found.ids.push(row.id);
      found.texts.push(textIn(row, field));
      found.places.push(place);
    }
  }
  return found;
}

/** What is searched of a row: null is empty, what is no text its JSON. */
export function textIn(row: Row, field: string): string {
  const value = row[field] ?? null;
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}
