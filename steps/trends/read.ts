import type { Json } from '../../engine/json.ts';
import { StepError } from '../../engine/problems.ts';
import type { TableInput } from '../../engine/step.ts';
import { requireInstant } from '../times.ts';

export interface TimedRows {
  /** Milliseconds since 1970 of each row; NaN if it has no time. */
  times: Float64Array;
  /** Place of its cluster in `numbers`; −1 if it is in none. */
  clusters: Int32Array;
  /** Numbers of the clusters, rising. */
  numbers: number[];
  /** Empty if they are not asked for. */
  texts: string[];
  withoutTime: number;
}

/** Reads times, clusters and texts; a time that is none is an error, a missing one is not. */
export async function readTimedRows(
  table: TableInput,
  fields: { time: string; cluster: string; text: string | null },
): Promise<TimedRows> {
  const times = new Float64Array(table.rows);
  const labels = new Int32Array(table.rows).fill(-1);
  const texts: string[] = [];
  let withoutTime = 0;
  let index = 0;
  for await (const block of table.blocks()) {
    for (const row of block) {
      const value = row[fields.time] ?? null;
      if (isMissing(value)) withoutTime++;
      times[index] = isMissing(value)
        ? Number.NaN
        : requireInstant(value, { id: row.id, field: fields.time });
      const label = row[fields.cluster] ?? null;
      if (label !== null && (typeof label !== 'number' || !Number.isInteger(label)))
        throw new StepError(
          'bad-cluster',
          `row ${row.id}: ${fields.cluster} is ${JSON.stringify(label)}, not a whole number`,
          'clusters are numbered, as the step `cluster` does it',
        );
      if (label !== null && label >= 0) labels[index] = label;
      if (fields.text !== null) {
        const text = row[fields.text] ?? '';
        texts.push(typeof text === 'string' ? text : JSON.stringify(text));
      }
      index++;
    }
  }
  const numbers = [...new Set(labels)].filter((label) => label >= 0).sort((a, b) => a - b);
  const places = new Map(numbers.map((number, place) => [number, place]));
  return { times, clusters: labels.map((label) => places.get(label) ?? -1), numbers, texts, withoutTime };
}

function isMissing(value: Json): boolean {
  return value === null || value === '';
}
