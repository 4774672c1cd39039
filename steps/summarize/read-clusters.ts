import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { TableInput } from '../../engine/step.ts';

/** The rows that belong to a cluster, field by field. */
export interface ClusteredTexts {
  /** Index of each in the table. */
  rows: number[];
  ids: string[];
  /** Empty if the row has none. */
  texts: string[];
  /** Place of its cluster in `numbers`. */
  clusters: Int32Array;
  /** Numbers of the clusters, ascending. */
  numbers: number[];
  /** The smaller, the nearer to the centre: `rank` or else `distance`; undefined if not all rows have it. */
  places: Float64Array | undefined;
  withoutText: number;
}

/** Reads texts and clusters. Rows without a cluster or with a negative one are left out. */
export async function readClusters(
  table: TableInput,
  fields: { text: string; cluster: string },
): Promise<ClusteredTexts> {
  const place = ['rank', 'distance'].find((field) => table.fields.includes(field));
  const rows: number[] = [];
  const ids: string[] = [];
  const texts: string[] = [];
  const labels: number[] = [];
  const places: number[] = [];
  let withoutText = 0;
  let index = 0;
  for await (const block of table.blocks()) {
    for (const row of block) {
      const at = index++;
      const label = row[fields.cluster] ?? null;
      if (label === null || (typeof label === 'number' && label < 0)) continue;
      if (typeof label !== 'number' || !Number.isInteger(label)) {
        throw new StepError(
          'bad-cluster',
          `row ${row.id}: ${fields.cluster} is ${JSON.stringify(label)}, not a whole number`,
          'clusters are numbered, as the step `cluster` does it',
        );
      }
      const text = textOf(row[fields.text] ?? null);
      if (text.trim() === '') withoutText++;
      rows.push(at);
      ids.push(row.id);
      texts.push(text);
      labels.push(label);
      const value = place === undefined ? null : row[place];
      places.push(typeof value === 'number' ? value : Number.NaN);
    }
  }
  const numbers = [...new Set(labels)].sort((a, b) => a - b);
  const indexOf = new Map(numbers.map((number, at) => [number, at]));
  return {
    rows,
    ids,
    texts,
    clusters: Int32Array.from(labels, (label) => indexOf.get(label)!),
    numbers,
    places: places.some(Number.isNaN) ? undefined : Float64Array.from(places),
    withoutText,
  };
}

function textOf(value: Json): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
