"""The peer's half of bench/search.ts: writes its time and the scores of its hits."""

import json
import sys
import time

import bm25s

corpus, out = sys.argv[1:]
texts = json.load(open(corpus))

start = time.perf_counter()
tokens = bm25s.tokenize(texts["documents"], stopwords=None, show_progress=False)
index = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
index.index(tokens, show_progress=False)
asked = bm25s.tokenize(texts["queries"], stopwords=None, show_progress=False)
hits, scores = index.retrieve(asked, k=10, show_progress=False)
seconds = time.perf_counter() - start

json.dump(
    {"seconds": seconds, "scores": [[float(s) for s in row if s > 0] for row in scores]}, open(out, "w")
)
