import type { Json } from '../../engine/json.ts';
import type { TableInput } from '../../engine/step.ts';
import { valueName } from '../value-name.ts';

export interface Sources {
  /** Rows of each data set, by its name, in order of first rows. */
  members: Map<string, number[]>;
  /** What each data set's field says, as it stands in the rows. */
  sources: Map<string, Json>;
  /** By row: the place of its cluster in `clusters`; rows of no data set included. */
  clusterOf: Int32Array;
  /** Clusters as they stand in the rows; null for rows without one, −1 and other negative numbers as −1. */
  clusters: Json[];
  excluded: number;
}

/** Reads which data set and which cluster each row is of. */
export async function readSources(table: TableInput, source: string, cluster: string): Promise<Sources> {
  const members = new Map<string, number[]>();
  const sources = new Map<string, Json>();
  const places = new Map<string, number>();
  const clusters: Json[] = [];
  const clusterOf = new Int32Array(table.rows);
  let excluded = 0;
  let index = 0;
  for await (const block of table.blocks())
    for (const row of block) {
      const at = index++;
      const label = clusterIn(row[cluster] ?? null);
      const key = valueName(label);
      if (!places.has(key)) places.set(key, clusters.push(label) - 1);
      clusterOf[at] = places.get(key)!;
      const value = row[source] ?? null;
      if (value === null || value === '') {
        excluded++;
        continue;
      }
      const name = valueName(value);
      const own = members.get(name);
      if (own) own.push(at);
      else members.set(name, [at]);
      if (!sources.has(name)) sources.set(name, value);
    }
  return { members, sources, clusterOf, clusters, excluded };
}

function clusterIn(value: Json): Json {
  return typeof value === 'number' && value < 0 ? -1 : value;
}
