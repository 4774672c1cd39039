import type { Json } from '../../engine/json.ts';

/**
 * What a page shows, as plain data: gathered from the inputs by `gather.ts`, turned into HTML by `page.ts`. Equal
 * models give equal bytes.
 */
export interface Report {
  /** Null: the page makes a headline from what it holds. */
  title: string | null;
  clusterings: Clustering[];
  timelines: Timeline[];
  scores: Scores[];
  tables: SampleTable[];
}

/** A clustered table: counts by cluster, and points for the map. */
export interface Clustering {
  /** Name of the input. */
  name: string;
  /** Rows in all, those without a cluster included. */
  rows: number;
  /** By falling size, then by number. */
  clusters: Cluster[];
  /** Rows that belong to no cluster: -1, as HDBSCAN marks noise, or no whole number at all. */
  unclustered: number;
  map: PointMap | null;
  /** Why there is no map, for the reader of the page. */
  noMap: string | null;
  /** Name of the input that the names come from. */
  namedBy: string | null;
}

export interface Cluster {
  cluster: number;
  name: string;
  size: number;
  keywords: string[];
  examples: string[];
  /** The most frequent known label in the cluster and its share, if the page was asked to compare. */
  label: { value: string; share: number } | null;
}

/** Rows as points in the plane; the lists are parallel. */
export interface PointMap {
  /** Whole numbers from 0 to `width` and `height`; y grows downwards. */
  x: number[];
  y: number[];
  width: number;
  height: number;
  cluster: number[];
  text: string[];
  /** The rows stand for this many. */
  of: number;
  /** Share of the variance that the two axes hold, in [0, 1]; null for coordinates that a step made. */
  explained: number | null;
}

/** Clusters over time. */
export interface Timeline {
  /** Name of the input. */
  name: string;
  /** What the slices of time are called, in their order. */
  slices: string[];
  series: Series[];
  /** Clusters that there are; not all may be drawn. */
  of: number;
}

export interface Series {
  cluster: number;
  name: string;
  rows: number;
  direction: 'rising' | 'falling' | 'steady';
  /** Share a slice. */
  slope: number;
  /** By slice; a share is null where no cluster has any row. */
  points: { share: number | null; rows: number; burst: boolean; keywords: string[] }[];
}

/** The numbers that a step reported. */
export interface Scores {
  name: string;
  step: string;
  use: string;
  metrics: { name: string; value: number | string | boolean }[];
}

/** The head of a table. */
export interface SampleTable {
  name: string;
  output: string;
  use: string;
  rows: number;
  fields: string[];
  /** Values of the shown rows, by field. */
  head: Json[][];
  /** Fields that the table has beyond those shown. */
  moreFields: number;
}
