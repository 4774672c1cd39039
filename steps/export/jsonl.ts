import type { Row } from '../../engine/artefacts.ts';
import type { JsonObject } from '../../engine/json.ts';
import type { TableColumns } from './columns.ts';

/** A block of rows is written in pieces of about so many UTF-16 code units, so that none of them lives long. */
export const pieceLength = 64 * 1024;

/** JSON Lines: an object a line, its members in the order of the columns. A field that a row lacks is left out. */
export async function* writeJsonl(
  blocks: AsyncIterable<readonly Row[]>,
  columns: TableColumns,
): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    let text = '';
    for (const row of block) {
      text += `${JSON.stringify(inOrder(row, columns))}\n`;
      if (text.length < pieceLength) continue;
      yield Buffer.from(text);
      text = '';
    }
    if (text !== '') yield Buffer.from(text);
  }
}

function inOrder(row: Row, columns: TableColumns): JsonObject {
  const ordered: JsonObject = {};
  for (const name of columns.names) if (Object.hasOwn(row, name)) define(ordered, name, row);
  if (!columns.complete)
    for (const name of Object.keys(row)) if (!Object.hasOwn(ordered, name)) define(ordered, name, row);
  return ordered;
}

/** Assigning to `__proto__` would set the prototype instead of a member. */
function define(target: JsonObject, name: string, row: Row): void {
  if (name !== '__proto__') target[name] = row[name]!;
  else Object.defineProperty(target, name, { value: row[name], enumerable: true, configurable: true });
}
