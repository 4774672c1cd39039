import type { Json } from '../../engine/json.ts';
import type { TableInput } from '../../engine/step.ts';

/** Classes and clusters of the rows that have both, as numbers from 0 up in order of first appearance. */
export interface Labels {
  /** Indices, in the table, of the rows that have both. */
  rows: Int32Array;
  classes: Int32Array;
  clusters: Int32Array;
  classNames: string[];
  /** As they stand in the rows: mostly numbers. */
  clusterNames: Json[];
  withoutClass: number;
  withoutCluster: number;
}

/** Reads the two fields. Values that print alike (1 and "1") are one class; null, empty and blank ones are none. */
export async function readLabels(table: TableInput, truth: string, prediction: string): Promise<Labels> {
  const classNumbers = new Map<string, number>();
  const clusterNumbers = new Map<string, number>();
  const clusterNames: Json[] = [];
  const rows: number[] = [];
  const classes: number[] = [];
  const clusters: number[] = [];
  let withoutClass = 0;
  let withoutCluster = 0;
  let index = 0;
  for await (const block of table.blocks()) {
    for (const row of block) {
      const at = index++;
      const className = nameOf(row[truth] ?? null);
      const clusterName = nameOf(row[prediction] ?? null);
      if (className === '') withoutClass++;
      else if (clusterName === '') withoutCluster++;
      else {
        const cluster = numberOf(clusterNumbers, clusterName);
        if (cluster === clusterNames.length) clusterNames.push(row[prediction]!);
        rows.push(at);
        classes.push(numberOf(classNumbers, className));
        clusters.push(cluster);
      }
    }
  }
  return {
    rows: Int32Array.from(rows),
    classes: Int32Array.from(classes),
    clusters: Int32Array.from(clusters),
    classNames: [...classNumbers.keys()],
    clusterNames,
    withoutClass,
    withoutCluster,
  };
}

/** A class by its name; '' for none. */
export function nameOf(value: Json): string {
  if (value === null) return '';
  return typeof value === 'string' ? value.trim() : JSON.stringify(value);
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const number = numbers.get(name) ?? numbers.size;
  numbers.set(name, number);
  return number;
}
