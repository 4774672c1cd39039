import type { StepInput, TableInput } from '../../engine/step.ts';
import type { Series, Timeline } from './model.ts';

/** What `trends` made: clusters by slices of time, and what was told of each cluster. */
export interface TimelineSource {
  name: string;
  slices: TableInput;
  trends: TableInput | null;
}

/** Clusters drawn, at most: those that something is told of before the others, the largest first. */
const mostSeries = 20;

/** The timeline among a step's outputs: a table with `cluster`, `slice` and `share`; one with `direction` says how they go. */
export function timelineIn(name: string, step: StepInput): TimelineSource | null {
  const withFields = (fields: readonly string[]) =>
    Object.values(step.outputs).find(
      (output) => output.kind === 'table' && fields.every((field) => output.fields.includes(field)),
    ) as TableInput | undefined;
  const slices = withFields(['cluster', 'slice', 'share']);
  return slices ? { name, slices, trends: withFields(['cluster', 'direction', 'slope']) ?? null } : null;
}

/** Reads a timeline. `nameOf`: what clusters are called. */
export async function readTimeline(
  { name, slices, trends }: TimelineSource,
  nameOf: ReadonlyMap<number, string>,
): Promise<Timeline> {
  const series = new Map<number, Series>();
  const names: string[] = [];
  const places = new Map<string, number>();
  for await (const block of slices.blocks())
    for (const row of block) {
      const cluster = Number(row['cluster']);
      const slice = String(row['slice']);
      if (!places.has(slice)) places.set(slice, names.push(slice) - 1);
      const own = series.get(cluster) ?? newSeries(cluster, nameOf.get(cluster) ?? `Cluster ${cluster}`);
      series.set(cluster, own);
      own.points[places.get(slice)!] = {
        share: typeof row['share'] === 'number' ? row['share'] : null,
        rows: Number(row['rows'] ?? 0),
        burst: row['burst'] === true,
        keywords: Array.isArray(row['keywords']) ? row['keywords'].map(String) : [],
      };
      own.rows += Number(row['rows'] ?? 0);
    }
  if (trends)
    for await (const block of trends.blocks())
      for (const row of block) {
        const own = series.get(Number(row['cluster']));
        if (!own) continue;
        if (row['direction'] === 'rising' || row['direction'] === 'falling') own.direction = row['direction'];
        own.slope = Number(row['slope'] ?? 0);
      }
  const ordered = [...series.values()].sort(
    (a, b) => Number(isTold(b)) - Number(isTold(a)) || b.rows - a.rows || a.cluster - b.cluster,
  );
  return { name, slices: names, series: ordered.slice(0, mostSeries), of: ordered.length };
}

function isTold({ direction, points }: Series): boolean {
  return direction !== 'steady' || points.some((point) => point.burst);
}

function newSeries(cluster: number, name: string): Series {
  return { cluster, name, rows: 0, direction: 'steady', slope: 0, points: [] };
}
