"""scikit-learn's half of bench/kmeans.ts: the same vectors, seeds and number of starts. Prints one JSON line a run."""

import json
import sys
import time

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, v_measure_score

vectors_path, k, seeds, n_init = sys.argv[1:]
vectors = np.load(vectors_path)
labels = json.load(sys.stdin)
for seed in range(int(seeds)):
    start = time.perf_counter()
    model = KMeans(int(k), n_init=n_init if n_init == "auto" else int(n_init), random_state=seed).fit(vectors)
    seconds = time.perf_counter() - start
    print(
        json.dumps(
            {
                "seed": seed,
                "seconds": seconds,
                "v_measure": v_measure_score(labels, model.labels_),
                "ari": adjusted_rand_score(labels, model.labels_),
                "inertia": float(model.inertia_),
                "iterations": int(model.n_iter_),
            }
        ),
        flush=True,
    )
