"""The peers' half of bench/clustering.ts: one task, twice, on the same vectors. Prints one line of JSON."""

import json
import sys
import time

import numpy as np

task, path, rows = sys.argv[1:]
vectors = np.load(path)[: int(rows)]

if task == "neighbours":
    from sklearn.neighbors import NearestNeighbors

    def run():
        return NearestNeighbors(n_neighbors=15, algorithm="brute").fit(vectors).kneighbors()[0]

    def tell(distances):
        return f"sum of distances {distances.sum():.2f}"

elif task == "hdbscan":
    from hdbscan import HDBSCAN

    def run():
        return HDBSCAN(min_cluster_size=10, min_samples=5).fit(vectors).labels_

    def tell(labels):
        return f"{labels.max() + 1} clusters, {(labels < 0).sum()} noise"

elif task == "ward":
    from sklearn.cluster import AgglomerativeClustering

    def run():
        return AgglomerativeClustering(77, linkage="ward", compute_distances=True).fit(vectors).distances_

    def tell(distances):
        return f"last merge at {distances[-1]:.3f}"

else:
    from sklearn.manifold import trustworthiness
    from umap import UMAP

    def run():
        return UMAP(n_neighbors=15, min_dist=0.1, metric="cosine", random_state=1).fit_transform(vectors)

    def tell(places):
        return f"trustworthiness {trustworthiness(vectors, places, n_neighbors=15):.4f}"


start = time.perf_counter()
run()
between = time.perf_counter()
found = run()
end = time.perf_counter()
print(json.dumps({"first": between - start, "again": end - between, "result": tell(found)}))
