import { hash } from 'node:crypto';
import type { Row } from '../../engine/artefacts.ts';
import type { Pool, StepInput, TableInput } from '../../engine/step.ts';
import { isCurve } from './curve-chart.ts';
import { clip } from './markup.ts';
import type { Cluster, Clustering, PointMap, Report, SampleTable, Scores } from './model.ts';
import { placesOf } from './point-map.ts';
import { type ClusterSource, type NameSource, recognize, type TableSource, textOf } from './recognize.ts';
import { readTimeline } from './timeline.ts';

export interface GatherOptions {
  title: string | null;
  /** The row field with the text; null takes `text`, or the field with the longest texts. */
  text: string | null;
  label: string | null;
  maxPoints: number;
  examples: number;
  /** Rows shown of a plain table. */
  rows: number;
}

/** Characters of text that the map may carry: the rest of the page is small beside it. */
const mapTextBudget = 1_200_000;
const clipLengths = [240, 160, 120, 90, 70, 50, 40];
/** Fields shown of a plain table. */
const maxFields = 12;

/** Reads the inputs and makes of them what the page shows. Tables are streamed twice; only the sample is held. */
export async function gather(
  inputs: { readonly [name: string]: StepInput },
  options: GatherOptions,
  pool: Pool,
): Promise<Report> {
  const found = await recognize(inputs);
  const clusterings: Clustering[] = [];
  for (const source of found.clusterings) {
    const names = found.names.length === 1 && found.clusterings.length === 1 ? found.names[0] : undefined;
    clusterings.push(await readClustering(source, names ? [names] : found.names, options, pool));
  }
  if (found.clusterings.length === 0) for (const names of found.names) clusterings.push(onlyNames(names));
  const tables: SampleTable[] = [];
  const [only] = clusterings;
  const names = clusterings.length === 1 && only!.namedBy !== null ? only!.clusters : [];
  const nameOf = new Map(names.map(({ cluster, name }) => [cluster, name]));
  for (const source of found.tables) tables.push(await readSample(source, options, nameOf));
  const timelines = await Promise.all(found.timelines.map((source) => readTimeline(source, nameOf)));
  return { title: options.title, clusterings, timelines, scores: scoresOf(inputs), tables };
}

function scoresOf(inputs: { readonly [name: string]: StepInput }): Scores[] {
  return Object.entries(inputs)
    .map(([name, input]) => ({
      name,
      step: input.step,
      use: input.use,
      metrics: Object.entries(input.metrics).map(([metric, value]) => ({ name: metric, value })),
    }))
    .filter((scores) => scores.metrics.length > 0);
}

async function readClustering(
  source: ClusterSource,
  candidates: NameSource[],
  options: GatherOptions,
  pool: Pool,
): Promise<Clustering> {
  const { rows } = source;
  const hasPlaces = source.vectors !== null || source.coordinates !== null;
  const sizes = new Map<number, number>();
  const labels = new Map<number, Map<string, number>>();
  const ranks: number[] = [];
  const field = options.text ?? (await textField(rows));
  let total = 0;
  for await (const block of rows.blocks()) {
    for (const row of block) {
      total++;
      const cluster = clusterOf(row);
      sizes.set(cluster, (sizes.get(cluster) ?? 0) + 1);
      if (hasPlaces) ranks.push(Number.parseInt(hash('sha256', row.id, 'hex').slice(0, 13), 16));
      if (options.label !== null) {
        const label = textOf(row[options.label] ?? null);
        const known = labels.get(cluster) ?? new Map<string, number>();
        labels.set(cluster, known.set(label, (known.get(label) ?? 0) + 1));
      }
    }
  }
  const unclustered = sizes.get(-1) ?? 0;
  sizes.delete(-1);

  const named = candidates.length === 1 ? candidates[0]! : candidates.find((names) => fits(names, sizes));
  const chosen = hasPlaces ? sample(ranks, options.maxPoints) : [];
  const wanted = new Set<number>();
  for (const cluster of sizes.keys())
    if ((named?.names.get(cluster)?.examples.length ?? 0) === 0) wanted.add(cluster);
  const { texts, clusterOfPoint, examples } = await readTexts(rows, field, chosen, wanted, options.examples);

  const clusters = [...sizes]
    .map(([cluster, size]): Cluster => {
      const name = named?.names.get(cluster);
      return {
        cluster,
        size,
        name: name?.name.trim() || `Cluster ${cluster}`,
        keywords: name?.keywords ?? [],
        examples: (name && name.examples.length > 0 ? name.examples : (examples.get(cluster) ?? []))
          .slice(0, options.examples)
          .map((text) => clip(text, 400)),
        label: topLabel(labels.get(cluster), size),
      };
    })
    .sort((a, b) => b.size - a.size || a.cluster - b.cluster);

  const places = await placesOf(chosen, source, pool);
  const map: PointMap | null =
    'reason' in places ? null : { ...places, cluster: clusterOfPoint, text: fitTexts(texts), of: total };
  return {
    name: source.name,
    rows: total,
    clusters,
    unclustered,
    map,
    noMap: 'reason' in places ? places.reason : null,
    namedBy: named?.name ?? null,
  };
}

/** The texts of the sampled rows, and the first examples of the clusters that nobody gave examples of. */
async function readTexts(
  rows: TableInput,
  field: string,
  chosen: readonly number[],
  wanted: ReadonlySet<number>,
  perCluster: number,
) {
  const texts: string[] = [];
  const clusterOfPoint: number[] = [];
  const nearest = new Map<number, { text: string; distance: number }[]>();
  let index = 0;
  let next = 0;
  for await (const block of rows.blocks()) {
    for (const row of block) {
      const cluster = clusterOf(row);
      const isPoint = chosen[next] === index++;
      if (isPoint) {
        next++;
        texts.push(clip(textOf(row[field] ?? row.id), clipLengths[0]!));
        clusterOfPoint.push(cluster);
      }
      if (!wanted.has(cluster)) continue;
      const kept = nearest.get(cluster) ?? [];
      nearest.set(cluster, kept);
      const distance = typeof row['distance'] === 'number' ? row['distance'] : 0;
      if (kept.length === perCluster && distance >= (kept.at(-1)?.distance ?? -1)) continue;
      const place = kept.findLastIndex((other) => other.distance <= distance) + 1;
      kept.splice(place, 0, { text: textOf(row[field] ?? row.id), distance });
      if (kept.length > perCluster) kept.pop();
    }
  }
  const examples = new Map([...nearest].map(([cluster, kept]) => [cluster, kept.map(({ text }) => text)]));
  return { texts, clusterOfPoint, examples };
}

/** Names without the rows that they were made from: sizes are what the names say. */
function onlyNames(source: NameSource): Clustering {
  const clusters = [...source.names]
    .filter(([cluster]) => cluster >= 0)
    .map(
      ([cluster, { name, size, keywords, examples }]): Cluster => ({
        cluster,
        size: size ?? 0,
        name: name.trim() || `Cluster ${cluster}`,
        keywords,
        examples: examples.map((text) => clip(text, 400)),
        label: null,
      }),
    )
    .sort((a, b) => b.size - a.size || a.cluster - b.cluster);
  const unclustered = source.names.get(-1)?.size ?? 0;
  return {
    name: source.name,
    rows: clusters.reduce((sum, { size }) => sum + size, unclustered),
    clusters,
    unclustered,
    map: null,
    noMap: 'There is no map: the clustered rows are not among the inputs.',
    namedBy: source.name,
  };
}

function clusterOf(row: Row): number {
  const cluster = row['cluster'];
  return typeof cluster === 'number' && Number.isInteger(cluster) && cluster >= 0 ? cluster : -1;
}

function fits(names: NameSource, sizes: ReadonlyMap<number, number>): boolean {
  if (names.names.size < sizes.size) return false;
  return [...sizes].every(([cluster, size]) => names.names.get(cluster)?.size === size);
}

function topLabel(labels: Map<string, number> | undefined, size: number): Cluster['label'] {
  if (!labels) return null;
  const [value, times] = [...labels].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]!;
  return value === '' ? null : { value: clip(value, 60), share: times / size };
}

/**
 * Row numbers of at most `limit` rows, rising: those whose ids have the smallest hashes. So the choice hangs on the
 * ids alone, and a table that grows a little keeps most of its sample.
 */
export function sample(ranks: readonly number[], limit: number): number[] {
  const order = ranks.map((_, index) => index);
  if (order.length <= limit) return order;
  order.sort((a, b) => ranks[a]! - ranks[b]! || a - b);
  return order.slice(0, limit).sort((a, b) => a - b);
}

/** The texts, all clipped to the same length when together they are too much for a page. */
export function fitTexts(texts: string[], budget = mapTextBudget): string[] {
  for (const length of clipLengths) {
    if (texts.reduce((sum, text) => sum + Math.min(text.length, length) + 3, 0) <= budget)
      return texts.map((text) => clip(text, length));
  }
  return texts.map((text) => clip(text, clipLengths.at(-1)!));
}

/** `text`, or else the field whose texts are longest in the table's first block. */
async function textField(rows: TableInput): Promise<string> {
  if (rows.fields.includes('text')) return 'text';
  const lengths = new Map<string, number>();
  for await (const block of rows.blocks()) {
    for (const row of block.slice(0, 200)) {
      for (const [field, value] of Object.entries(row))
        if (typeof value === 'string' && field !== 'id')
          lengths.set(field, (lengths.get(field) ?? 0) + value.length);
    }
    break;
  }
  return [...lengths].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'id';
}

/** Fields that hold the number of a cluster: a person reads its name more easily. */
const clusterFields = new Set(['cluster', 'best_cluster', 'nearest_cluster']);

/**
 * Fields for which there is room. What a step adds stands behind what it read, and is what a reader looks for: it follows the id and
 * the text. A table that is read as a whole keeps its order.
 */
function shownFields(fields: readonly string[], whole: boolean): string[] {
  if (whole || fields.length <= maxFields) return fields.slice(0, maxFields);
  const first = ['id', 'text'].filter((field) => fields.includes(field));
  const others = fields.filter((field) => !first.includes(field));
  return [...first, ...others.slice(first.length - maxFields)];
}

async function readSample(
  source: TableSource,
  options: GatherOptions,
  nameOf: ReadonlyMap<number, string>,
): Promise<SampleTable> {
  const { table } = source;
  const fields = shownFields(table.fields, source.step.use === 'evaluate' || isCurve(table.fields));
  // An evaluation is read as a whole: a class that is left out may be the one that matters. So is a curve.
  const limit =
    source.step.use === 'evaluate' || isCurve(fields) ? Math.max(options.rows, 200) : options.rows;
  const head: SampleTable['head'] = [];
  for await (const block of table.blocks()) {
    for (const row of block) {
      if (head.length === limit) break;
      head.push(
        fields.map((field) => {
          const value = row[field] ?? null;
          const name = clusterFields.has(field) ? nameOf.get(value as number) : undefined;
          if (name !== undefined) return clip(name, 300);
          return typeof value === 'number' || typeof value === 'boolean' || value === null
            ? value
            : clip(textOf(value), 300);
        }),
      );
    }
    if (head.length === limit) break;
  }
  // An id that only says again what another column says is left out.
  const id = fields.indexOf('id');
  const twin = fields.findIndex((_, other) => other !== id && head.every((row) => row[other] === row[id]));
  const repeated = id >= 0 && twin >= 0 && head.length > 0;
  return {
    name: source.name,
    output: source.output,
    use: source.step.use,
    rows: table.rows,
    fields: repeated ? fields.toSpliced(id, 1) : fields,
    head: repeated ? head.map((row) => row.toSpliced(id, 1)) : head,
    moreFields: table.fields.length - fields.length,
  };
}
