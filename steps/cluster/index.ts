import { defineStep } from '../../engine/step.ts';
import { type SilhouetteOptions, moduleUrl as silhouetteUrl } from '../../numerics/silhouette.ts';
import { gatherRows } from '../../numerics/vectors.ts';
import { requireFinite } from '../finite-vectors.ts';
import { sameRows } from '../same-rows.ts';
import { significant } from '../significant.ts';
import { readEarlier } from './earlier.ts';
import { buildHierarchy, dendrogramRows, hierarchyRows, levelFields } from './hierarchy.ts';
import { writeCurve } from './k-curve.ts';
import { historyRows, mergeClusters } from './merge.ts';
import { checkParameters, findClusters, metricOf } from './methods.ts';
import { outputs } from './outputs.ts';
import { parameters } from './parameters.ts';
import { describeClusters, rankedMembers, rowRanks } from './places.ts';
import { reduceOutliers } from './reduce-outliers.ts';
import { anomaliesOf, representativesOf } from './representatives.ts';
import { assignToEarlier, evolutionRows, lineageOf } from './update.ts';

/** Rows whose silhouette is averaged: enough for two digits. */
const silhouetteSample = 5000;

export default defineStep({
  type: 'cluster',
  summary: 'Groups rows by their vectors',
  description: `\`kmeans\` puts every row into the cluster with the nearest centre and moves the centres to the means of their rows until nothing changes
(Lloyd 1982), so that Σ|x − c|² is small. It starts from \`init\`:

- \`ward\` (default): about 4·k small clusters, merged by Ward's method. Ends lower than k-means++, and much more alike from seed to seed.
- \`k-means++\`: rows drawn far from each other, as scikit-learn's \`KMeans\` does it (greedy, 2 + ⌊ln k⌋ candidates).

The best of \`n_init\` starts is kept. A cluster that loses all its rows gets the row farthest from its centre; if fewer than \`k\` rows
differ there are fewer clusters, with a warning. \`spherical_kmeans\` is \`kmeans\` with \`spherical: true\`: it compares directions only
(cosine) and keeps the centres at length 1. \`minibatch_kmeans\` moves the centres by random batches (Sculley 2010): for very many rows.

\`hdbscan\` (Campello et al. 2015) finds dense places of any shape; how many there are follows from the data. A row in a sparse place is
noise: \`cluster\` is −1, \`distance\` and \`rank\` are null. \`probability\` says how firmly a row belongs to its cluster, \`outlier_score\`
(GLOSH) how far out it lies. It is exact, and gives what the Python package hdbscan gives (whose \`min_samples\` does not count the row
itself; scikit-learn's does) but for the order of equal distances. Time grows with the square of the rows: 13,000 take some seconds.
With \`reduce_outliers\` noise that is like a cluster joins it afterwards; its \`probability\` stays 0.

\`agglomerative\` merges the two nearest clusters again and again, until \`k\` are left or the next two are \`distance_threshold\` apart.
It keeps all distances: 4·n² bytes, 16,000 rows at most (\`linkage: single\` needs no such memory and has no such limit). Time grows with the
square of the rows.

\`leiden\` (Traag, Waltman & van Eck 2019) links each row to its \`n_neighbors\` nearest, the more neighbours they share the stronger (PhenoGraph, Levine et
al. 2015), and finds communities in this graph, each of them connected; \`resolution\` says how fine. Time grows with the square of the rows, for the
neighbours. \`louvain\` (Blondel et al. 2008) is the same without refinement: its communities may fall into parts that no link joins.

**How many.** \`k: auto\` tries up to 30 numbers of clusters from \`k_min\` to \`k_max\` on at most 5,000 rows (\`gap\`: 1,000) and takes one by
\`k_criterion\`: the greatest mean \`silhouette\` (Rousseeuw 1987); the \`elbow\`, where the curve of inertia is farthest below the line between its ends
(Satopää et al. 2011); or the first number whose \`gap\` to rows without clusters is as good as the next one's, less its standard error
(Tibshirani, Walther & Hastie 2001). The curve is the output \`k_curve\`. Criteria disagree: look at it. Rows that are all alike, and fewer than three,
are one cluster.

**Merging** clusters that are alike, with \`merge\`, leaves every row where it was but for the cluster's number; noise stays noise. The centre of a merged
cluster is the mean of its rows. What became of what is the output \`merges\`.

**A hierarchy**, with \`hierarchy\`, groups the clusters for drill-down: every level has each row once, and each group is part of one group above. By
\`agglomerative\` it is the rest of the same tree, so that heights are those of scipy's \`linkage\`; else Ward's method on the centres, weighted by their
rows (average linkage for cosine).

**New rows.** With \`update\` and an earlier run's outputs the step goes on from there: give it all rows of today, old and new.

\`\`\`yaml
topics:
  use: cluster
  from: { rows: unique, vectors: vectors, earlier: run:<id>/topics, earlier_clusters: run:<id>/topics.clusters, earlier_centers: run:<id>/topics.centers }
  with: { update: assign }
\`\`\`

\`assign\` leaves earlier rows where they were; a new row goes to the cluster with the nearest centre if it is no farther than 95 % of the cluster's earlier rows. The
others, and earlier noise, are pooled, and become new clusters where \`min_cluster_size\` of them (half of them new) are as close together as rows of earlier clusters, outside of all these; what is left goes to the nearest cluster. By \`hdbscan\` new rows
and earlier noise go where density puts them, which takes as long as clustering all rows; what is left is noise. \`predict\`, by
\`hdbscan\` too, leaves clusters and noise as they are, and puts each new row where the density of the earlier rows does, or among the noise (\`approximate_predict\` of the Python
package): its place does not hang on what else is new. \`recluster\` clusters all rows again, k-means from the earlier centres if \`k\` is as many. Either way a cluster keeps its number as long as it
shares half of its rows with itself of before, new clusters get numbers that none has had, and the output \`evolution\` says what became of each (after MONIC,
Spiliopoulou et al. 2006).

How near \`assign\` comes to clustering all rows anew hangs on how clear the clusters are: of 77 in banking77 two k-means with different seeds have an adjusted Rand index of 0.80, and \`assign\`, with a tenth more
rows, has 0.80 with a new one and 0.98 with \`recluster\`; by \`hdbscan\` it has 0.92 to 0.98 with a new one.

**What stands for a cluster** are its \`representatives\`; what is odd in it, its \`anomalies\`: the rows with the greatest \`outlier_score\`. This is GLOSH
by \`hdbscan\`, else the distance to the fifth nearest row (Ramaswamy, Rastogi & Shim 2000), above 20,000 rows the nearest of a random sample.

The same vectors and seed give the same clusters on every machine, whatever the number of threads. Clusters are numbered by size, 0 is the largest.`,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'Rows to group.' },
    vectors: { kind: 'matrix', description: 'A vector for each of the rows.' },
    earlier: { kind: 'table', optional: true, description: '`update`: the `rows` of an earlier run.' },
    earlier_clusters: { kind: 'table', optional: true, description: '`update`: its `clusters`.' },
    earlier_centers: { kind: 'matrix', optional: true, description: '`update`: its `centers`.' },
  },
  outputs,
  outputsOf({ k, merge, hierarchy, update }) {
    const { k_curve: curve, merges, hierarchy: groups, dendrogram, evolution, ...always } = outputs;
    return {
      ...always,
      ...(k === 'auto' && { k_curve: curve }),
      ...(merge !== undefined && { merges }),
      ...(hierarchy !== undefined && { hierarchy: groups, dendrogram }),
      ...(update !== undefined && { evolution }),
    };
  },
  metrics: {
    k: 'Number of clusters.',
    silhouette: `Mean silhouette by cosine, of at most ${silhouetteSample} rows, noise left out; −1 to 1.`,
    noise: 'Rows in no cluster; by `hdbscan` only.',
    reduced: 'Rows that were noise and have gone to a cluster; with `reduce_outliers` only.',
    merged: 'Clusters that have become part of another one; with `merge` only.',
    inertia: 'Sum of the squared distances of the rows to their centres; by k-means only.',
    modularity:
      'Share of the weight of links inside communities, less what chance would put there; by `leiden` and `louvain` only.',
    iterations: 'Iterations of the start that was kept; by k-means only.',
    smallest: 'Rows in the smallest cluster.',
    largest: 'Rows in the largest cluster.',
  },
  example: `topics:
  use: cluster
  from: { rows: unique, vectors: vectors }
  with: { method: kmeans, k: 77 }`,
  seeded: true,
  check: checkParameters,

  async run({ parameters, inputs, outputs, context }) {
    sameRows(inputs.rows, inputs.vectors);
    const matrix = await inputs.vectors.read();
    requireFinite(matrix);
    const metric = metricOf(parameters);
    const earlier = await readEarlier(inputs, parameters.update);
    const unreduced =
      earlier && parameters.update !== 'recluster'
        ? await assignToEarlier(matrix, earlier, { parameters, metric }, context)
        : await findClusters(matrix, parameters, context, earlier?.centres);
    const { found: first, reduced } =
      parameters.reduce_outliers === undefined
        ? { found: unreduced, reduced: undefined }
        : await reduceOutliers(matrix, unreduced, { threshold: parameters.reduce_outliers, metric }, context);
    const { found, history } =
      parameters.merge === undefined
        ? { found: first, history: undefined }
        : await mergeClusters(matrix, first, { merge: parameters.merge, metric }, context);
    const hierarchy =
      parameters.hierarchy && buildHierarchy(found, { hierarchy: parameters.hierarchy, metric });
    const clustered = [...found.labels.keys()].filter((row) => found.labels[row]! >= 0);
    const noise = matrix.rows - clustered.length;
    const silhouette = await context.pool.run<SilhouetteOptions, number>(silhouetteUrl, 'silhouette', {
      vectors: noise === 0 ? matrix : gatherRows(matrix, clustered),
      labels: noise === 0 ? found.labels : Int32Array.from(clustered, (row) => found.labels[row]!),
      metric: 'cosine',
      sampleSize: silhouetteSample,
      seed: context.random('silhouette').seed(),
    });

    const lineage = earlier && lineageOf(found, earlier);
    const numbers = lineage?.numbers ?? Array.from(found.sizes.keys());
    const members = rankedMembers(found);
    const ranks = rowRanks(members, matrix.rows);
    const chosen = await representativesOf(matrix, found, members, parameters, context);
    const odd = await anomaliesOf(matrix, found, members, { ...parameters, metric }, context);
    const representative = new Set(chosen.flat());
    const named = new Map([...representative, ...(odd.anomalies?.flat() ?? [])].map((row) => [row, '']));
    let index = 0;
    for await (const block of inputs.rows.blocks()) {
      for (const row of block) {
        const cluster = found.labels[index]!;
        if (named.has(index)) named.set(index, row.id);
        const pending = outputs.rows.write({
          ...row,
          cluster: numbers[cluster] ?? -1,
          distance: cluster < 0 ? null : significant(found.distances[index]!),
          rank: cluster < 0 ? null : ranks[index]!,
          is_representative: representative.has(index),
          ...(found.probabilities && { probability: significant(found.probabilities[index]!) }),
          ...(hierarchy && levelFields(hierarchy, cluster)),
          ...(odd.scores && { outlier_score: significant(odd.scores[index]!) }),
        });
        if (pending) await pending;
        index++;
      }
      context.signal.throwIfAborted();
    }
    const idsOf = (rows: readonly number[]) => rows.map((row) => named.get(row)!);
    const clusters = describeClusters(
      matrix,
      found,
      numbers,
      chosen.map((rows, cluster) => ({
        representatives: idsOf(rows),
        ...(odd.anomalies && { anomalies: idsOf(odd.anomalies[cluster]!) }),
        ...(lineage && { next_number: lineage.nextNumber }),
      })),
    );
    for (const row of clusters) await outputs.clusters.write(row);
    await outputs.centers.write(
      found.centres,
      clusters.map((row) => row.id),
    );
    await outputs.vectors.write(matrix, inputs.rows);
    if (found.choice) await writeCurve(found.choice, outputs.k_curve);
    if (history) for (const row of historyRows(history, numbers)) await outputs.merges.write(row);
    if (hierarchy) {
      for (const row of hierarchyRows(hierarchy, found.sizes, matrix.rows, numbers))
        await outputs.hierarchy.write(row);
      for (const row of dendrogramRows(hierarchy, numbers)) await outputs.dendrogram.write(row);
    }
    if (earlier && lineage)
      for (const row of evolutionRows(lineage, found, earlier)) await outputs.evolution.write(row);

    return {
      metrics: {
        k: found.k,
        ...(Number.isNaN(silhouette) ? {} : { silhouette: significant(silhouette) }),
        ...(found.inertia === undefined ? {} : { inertia: significant(found.inertia) }),
        ...(found.iterations === undefined ? {} : { iterations: found.iterations }),
        ...(found.modularity === undefined ? {} : { modularity: significant(found.modularity) }),
        ...(parameters.method === 'hdbscan' ? { noise } : {}),
        ...(reduced === undefined ? {} : { reduced }),
        ...(history ? { merged: history.merges.length } : {}),
        smallest: found.sizes.at(-1) ?? 0,
        largest: found.sizes[0] ?? 0,
      },
    };
  },
});
