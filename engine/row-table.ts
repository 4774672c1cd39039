import type { Row } from './artefacts.ts';
import { digestOf, digestOfJson } from './digest.ts';
import type { TableInput } from './step.ts';

/** Rows as JSON Lines. */
export function linesOf(rows: readonly Row[]): Uint8Array {
  return Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** Rows in memory as a table: what `rowsOf` of a row-wise type gives. */
export function rowTable(rows: readonly Row[]): TableInput {
  async function* each<T>(items: Iterable<T>): AsyncIterable<T> {
    yield* items;
  }
  return {
    kind: 'table',
    digest: digestOfJson(rows as unknown as Row[]),
    rows: rows.length,
    ids: digestOf(rows.map(({ id }) => `${id}\n`).join('')),
    fields: [...new Set(rows.flatMap((row) => Object.keys(row)))],
    read: () => each(rows),
    blocks: () => each(rows.length > 0 ? [[...rows]] : []),
    lines: () => each(rows.length > 0 ? [linesOf(rows)] : []),
    all: async () => [...rows],
  };
}
