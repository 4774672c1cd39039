/** Outputs of `cluster`. */
export const outputs = {
  rows: {
    kind: 'table',
    description:
      'The rows with `cluster` (−1 is noise), `distance` (to its centre: Euclidean, or 1 − cosine if spherical), `rank` (1 is nearest the centre) and `is_representative`; by `hdbscan` also `probability`; by `hdbscan` or with `anomalies` also `outlier_score`; with `hierarchy` the group on each level: `level_1` (the coarsest), `level_2`, …',
  },
  clusters: {
    kind: 'table',
    description:
      'A row for each cluster: `cluster`, `size`, `share`, `cohesion` (mean cosine of its rows with its centre), `mean_distance`, `nearest_cluster` and the ids of its `representatives` and `anomalies` (oddest first); with `update` also `next_number`, the first that no cluster has had; by `hdbscan` also `persistence` (0 to 1: how clearly it stands out).',
  },
  centers: { kind: 'matrix', description: 'The centre of each cluster; ids are those of `clusters`.' },
  vectors: { kind: 'matrix', description: 'The vectors as they came, for the steps that follow.' },
  k_curve: {
    kind: 'table',
    description:
      'With `k: auto` only: a row for each number of clusters that was tried: `k`, `inertia`, `silhouette` or `gap` with `gap_error`, and whether it was `chosen`.',
  },
  merges: {
    kind: 'table',
    description:
      'With `merge` only: what was merged, in order. `left` and `right` are nodes: clusters as they were before (numbered by size), or the `node` of an earlier merge; `similarity` is the cosine of their centres, `size` their rows, `cluster` what they are part of now.',
  },
  hierarchy: {
    kind: 'table',
    description:
      'With `hierarchy` only: a row for each group of each level (1 is the coarsest): `level`, `group`, `size`, `share`, the `parent` above it, its `children` on the level below (groups, or clusters at the end) and all its `clusters`.',
  },
  dendrogram: {
    kind: 'table',
    description:
      'With `hierarchy` only: how clusters go together, up to one. `left` and `right` are clusters, or the `node` of an earlier merge; `height` is their distance, `size` their rows.',
  },
  evolution: {
    kind: 'table',
    description:
      'With `update` only: a row for each cluster that there is or was: its `status` (stable, grown, shrunk, split, merged, new, gone), `size_before`, `size`, rows `kept`, those that `came` and `left`, the clusters that it was made `from` and those that it went `into`.',
  },
} as const;
