import { StepError } from '../../engine/problems.ts';
import type { Matrix, MatrixInput, TableInput } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { sameRows } from '../same-rows.ts';

/** What an earlier run of the step left. Clusters by their places in its table. */
export interface Earlier {
  /** The clusters' numbers, which stay with them. */
  numbers: number[];
  sizes: number[];
  centres: Matrix;
  /** The first number that no cluster has ever had. */
  nextNumber: number;
  /** By row of today: place of its cluster then, −1 for noise, −2 for a row that was not there. */
  labels: Int32Array;
  /** By cluster: the distances of its rows to its centre, rising. */
  distances: number[][];
}

interface Inputs {
  rows: TableInput;
  vectors: MatrixInput;
  earlier: TableInput | undefined;
  earlier_clusters: TableInput | undefined;
  earlier_centers: MatrixInput | undefined;
}

/** Reads the outputs of an earlier run; undefined if nothing is to be updated. */
export async function readEarlier(inputs: Inputs, update: string | undefined): Promise<Earlier | undefined> {
  const { earlier, earlier_clusters: clusters, earlier_centers: centers } = inputs;
  if (update === undefined && !earlier && !clusters && !centers) return undefined;
  if (update === undefined || !earlier || !clusters || !centers)
    throw new StepError(
      'no-earlier-clusters',
      'update, and the inputs earlier, earlier_clusters and earlier_centers, go together',
      'write from: { rows: …, vectors: …, earlier: run:latest/topics, earlier_clusters: run:latest/topics.clusters, earlier_centers: run:latest/topics.centers } and with: { update: assign }',
    );
  requireFields(earlier, ['cluster', 'distance'], 'earlier');
  requireFields(clusters, ['cluster', 'size'], 'earlier_clusters');
  sameRows(clusters, centers);
  if (centers.rows > 0 && inputs.vectors.rows > 0 && centers.columns !== inputs.vectors.columns)
    throw new StepError(
      'dimensions-differ',
      `the vectors have ${inputs.vectors.columns} dimensions, the earlier centres ${centers.columns}`,
      'take the encoder that the earlier clusters were made with',
    );
  const table = await clusters.all();
  const numbers = table.map((row) => Number(row['cluster']));
  const places = new Map(numbers.map((number, place) => [number, place]));
  const distances: number[][] = numbers.map(() => []);
  const placeOf = new Map<string, number>();
  for await (const block of earlier.blocks())
    for (const row of block) {
      const place = places.get(Number(row['cluster'])) ?? -1;
      placeOf.set(row.id, place);
      if (place >= 0) distances[place]!.push(Number(row['distance']));
    }
  for (const own of distances) own.sort((a, b) => a - b);
  const labels = new Int32Array(inputs.rows.rows);
  let index = 0;
  for await (const block of inputs.rows.blocks())
    for (const row of block) labels[index++] = placeOf.get(row.id) ?? -2;
  return {
    numbers,
    sizes: table.map((row) => Number(row['size'])),
    centres: await centers.read(),
    nextNumber: Math.max(-1, ...numbers, Number(table[0]?.['next_number'] ?? 0) - 1) + 1,
    labels,
    distances,
  };
}
