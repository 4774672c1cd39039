/** Outputs of `cluster`. */
export const outputs = {
  rows: {
    kind: 'table',
    description:
      'The rows with `cluster` (−1 is noise), `distance` (to its centre: Euclidean, or 1 − cosine if spherical), `rank` (1 is nearest the centre) and `is_representative`; by `hdbscan` also `probability`; by `hdbscan` or with `anomalies` also `outlier_score`.',
  },
  clusters: {
    kind: 'table',
    description:
      'A row for each cluster: `cluster`, `size`, `share`, `cohesion` (mean cosine of its rows with its centre), `mean_distance`, `nearest_cluster` and the ids of its `representatives` and `anomalies` (oddest first); by `hdbscan` also `persistence` (0 to 1: how clearly it stands out).',
  },
  centers: { kind: 'matrix', description: 'The centre of each cluster; ids are those of `clusters`.' },
  vectors: { kind: 'matrix', description: 'The vectors as they came, for the steps that follow.' },
  k_curve: {
    kind: 'table',
    description:
      'With `k: auto` only: a row for each number of clusters that was tried: `k`, `inertia`, `silhouette` or `gap` with `gap_error`, and whether it was `chosen`.',
  },
} as const;
