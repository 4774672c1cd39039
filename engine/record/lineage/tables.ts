import type { Artefact, Row, TableArtefact } from '../../artefacts.ts';
import type { Store } from '../../store/store.ts';

/** Reads the tables that a lineage leads through, and remembers what kind of tables they are. */
export class LineageTables {
  readonly #store: Store;
  readonly #groups = new Map<string, boolean>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Calls `visit` with every row. Throws DamagedBlobError if the table is gone. */
  async scan(table: TableArtefact, visit: (row: Row) => void): Promise<void> {
    for await (const block of this.#store.readTable(table).blocks()) for (const row of block) visit(row);
  }

  /**
   * Whether the rows stand for groups of rows: they have a field `cluster`, and it is their id. Such an id must not be
   * taken for the id of a row of the data that happens to be the same.
   */
  async isOfGroups(table: TableArtefact): Promise<boolean> {
    if (table.rows === 0 || !table.fields.includes('cluster')) return false;
    let known = this.#groups.get(table.digest);
    if (known === undefined) {
      known = true;
      reading: for await (const block of this.#store.readTable(table).blocks()) {
        for (const { id, cluster } of block) {
          if (id === String(cluster)) continue;
          known = false;
          break reading;
        }
      }
      this.#groups.set(table.digest, known);
    }
    return known;
  }
}

/** The tables among the outputs of a step, by name. */
export function tablesOf(outputs: { readonly [name: string]: Artefact }): [string, TableArtefact][] {
  return Object.entries(outputs).filter(
    (entry): entry is [string, TableArtefact] => entry[1].kind === 'table',
  );
}

/** A text member of a row, such as `parent_id`. */
export function textOf(row: Row, field: string): string | undefined {
  const value = Object.hasOwn(row, field) ? row[field] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The group that a row is in, as the id of that group; undefined without one. */
export function groupOf(row: Row): string | undefined {
  return Object.hasOwn(row, 'cluster') && row['cluster'] !== null ? String(row['cluster']) : undefined;
}
