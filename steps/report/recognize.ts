import type { Json } from '../../engine/json.ts';
import type { MatrixInput, StepInput, TableInput } from '../../engine/step.ts';
import { isCurve } from './curve-chart.ts';
import { type TimelineSource, timelineIn } from './timeline.ts';

/** A clustered table with the vectors of its rows, if there are any. */
export interface ClusterSource {
  name: string;
  step: StepInput;
  rows: TableInput;
  vectors: MatrixInput | null;
  /** Places in the plane that another input has for the same rows. */
  coordinates: MatrixInput | null;
}

/** A table with a row for each cluster: what it is called, and why. */
export interface NameSource {
  name: string;
  names: Map<number, { name: string; size: number | null; keywords: string[]; examples: string[] }>;
}

export interface TableSource {
  name: string;
  step: StepInput;
  output: string;
  table: TableInput;
}

/** The inputs, sorted by what they are. */
export interface Recognized {
  clusterings: ClusterSource[];
  names: NameSource[];
  timelines: TimelineSource[];
  tables: TableSource[];
}

/**
 * Finds out what the inputs are by their shapes, whatever their steps are called:
 * - one row for each cluster, with `cluster`, `name` and any of `keywords`, `examples`, `size`: names of clusters
 * - rows with `cluster`: a clustering; a matrix of the same rows gives its map
 * - rows with `x` and `y`, and a matrix of them: places for the map of the clustering of the same rows
 * - rows with `cluster`, `slice` and `share`: how clusters go with time
 * - a table that is read along one of its fields, such as the numbers of clusters that were tried: a curve
 * - any other table that the address selects: shown as a sample
 */
export async function recognize(inputs: { readonly [name: string]: StepInput }): Promise<Recognized> {
  const found: Recognized = { clusterings: [], names: [], timelines: [], tables: [] };
  const seen = new Set<string>();
  const maps = new Map<string, MatrixInput>();
  // Clustered rows with places: a clustering of their own only if no other input has the same rows.
  const placed: ClusterSource[] = [];
  for (const [name, step] of Object.entries(inputs)) {
    const timeline = timelineIn(name, step);
    if (timeline) {
      found.timelines.push(timeline);
      continue;
    }
    const selected = step.outputs[step.output];
    if (selected?.kind === 'table' && isCurve(selected.fields)) {
      found.tables.push({ name, step, output: step.output, table: selected });
      continue;
    }
    const entries = Object.entries(step.outputs);
    // The selected output comes first: what it is decides over what stands beside it.
    entries.sort(([a], [b]) => Number(b === step.output) - Number(a === step.output));
    let known = false;
    for (const [output, artefact] of entries) {
      if (artefact.kind !== 'table' || output === 'failed') continue;
      const names = looksLikeNames(artefact) ? await readNames(artefact) : null;
      if (names) {
        found.names.push({ name, names });
        known = true;
      } else if (!known) {
        const places = placesIn(step, artefact);
        if (places) maps.set(artefact.ids, places);
        // Rows that say how sure a difference is are of groups, not of texts.
        const clustered = artefact.fields.includes('cluster') && !artefact.fields.includes('q_value');
        known = clustered || places !== null;
        if (!clustered || seen.has(artefact.ids + artefact.digest)) continue;
        seen.add(artefact.ids + artefact.digest);
        const vectors = vectorsOf(step, artefact);
        const source = { name, step, rows: artefact, vectors, coordinates: null };
        (places ? placed : found.clusterings).push(source);
      }
    }
    if (known) continue;
    for (const [output, table] of entries) {
      if (table.kind === 'table' && output === step.output) found.tables.push({ name, step, output, table });
    }
  }
  const ids = new Set(found.clusterings.map(({ rows }) => rows.ids));
  found.clusterings.push(...placed.filter(({ rows }) => !ids.has(rows.ids)));
  for (const clustering of found.clusterings) clustering.coordinates = maps.get(clustering.rows.ids) ?? null;
  return found;
}

/** The coordinates of rows that `project` placed in the plane. */
function placesIn(step: StepInput, rows: TableInput): MatrixInput | null {
  if (!rows.fields.includes('x') || !rows.fields.includes('y')) return null;
  const matrix = vectorsOf(step, rows);
  return matrix?.columns === 2 ? matrix : null;
}

function looksLikeNames(table: TableInput): boolean {
  const has = (field: string) => table.fields.includes(field);
  return has('cluster') && has('name') && (has('keywords') || has('examples') || has('size'));
}

/** The matrix whose rows are those of the table: `vectors`, or any other that has the same ids. */
function vectorsOf(step: StepInput, rows: TableInput): MatrixInput | null {
  const fits = Object.entries(step.outputs)
    .filter(([, artefact]) => artefact.kind === 'matrix' && artefact.ids === rows.ids)
    .sort(([a], [b]) => Number(b === 'vectors') - Number(a === 'vectors'));
  return (fits[0]?.[1] as MatrixInput | undefined) ?? null;
}

/** Null when a cluster has more than one row: then it is a table of rows that happen to have names. */
async function readNames(table: TableInput): Promise<NameSource['names'] | null> {
  const names: NameSource['names'] = new Map();
  for await (const block of table.blocks()) {
    for (const row of block) {
      const cluster = row['cluster'];
      if (typeof cluster !== 'number' || names.has(cluster)) return null;
      names.set(cluster, {
        name: textOf(row['name'] ?? null),
        size: typeof row['size'] === 'number' ? row['size'] : null,
        keywords: listOf(row['keywords'] ?? null),
        examples: listOf(row['examples'] ?? null),
      });
    }
  }
  return names;
}

/** Words and examples come as texts, as objects that hold one, or as one text with commas. */
function listOf(value: Json): string[] {
  if (typeof value === 'string')
    return value
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean);
  if (!Array.isArray(value)) return [];
  return value.map((item) => textOf(Array.isArray(item) ? (item[0] ?? null) : item)).filter(Boolean);
}

/** A value as a text for a person. */
export function textOf(value: Json): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  if (!Array.isArray(value)) {
    for (const field of ['text', 'term', 'word', 'keyword', 'name', 'id'])
      if (typeof value[field] === 'string') return value[field];
  }
  return JSON.stringify(value);
}
