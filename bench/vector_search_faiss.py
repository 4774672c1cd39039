"""The peer's half of bench/vector-search.ts: flat, IVF and HNSW indexes of faiss."""

import json
import math
import sys
import time

import faiss
import numpy as np

folder, columns = sys.argv[1], int(sys.argv[2])
queries = np.fromfile(f"{folder}/queries.f32", dtype="float32").reshape(-1, columns)
documents = np.fromfile(f"{folder}/documents.f32", dtype="float32").reshape(-1, columns)
exact = json.load(open(f"{folder}/exact.json"))
k = len(exact[0])


def measure(index):
    start = time.perf_counter()
    index.train(documents)
    index.add(documents)
    built = time.perf_counter()
    _, found = index.search(queries, k)
    done = time.perf_counter()
    recall = np.mean([len(set(a) & set(b)) / k for a, b in zip(found.tolist(), exact)])
    return {"build": built - start, "search": done - built, "recall": float(recall)}


flat = faiss.IndexFlatIP(columns)
lists = round(2 * math.sqrt(len(documents)))
ivf = faiss.IndexIVFFlat(faiss.IndexFlatIP(columns), columns, lists, faiss.METRIC_INNER_PRODUCT)
ivf.nprobe = 32
hnsw = faiss.IndexHNSWFlat(columns, 16, faiss.METRIC_INNER_PRODUCT)
hnsw.hnsw.efConstruction = 200
hnsw.hnsw.efSearch = 50
print(json.dumps({"flat": measure(flat), "ivf (32 lists)": measure(ivf), "hnsw": measure(hnsw)}))
