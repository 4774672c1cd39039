"""scikit-learn's half of bench/classify.ts: LogisticRegression on the same vectors. Prints one JSON line."""

import json
import sys
import time

import numpy as np
from sklearn.linear_model import LogisticRegression

train_path, test_path, strength = sys.argv[1:]
train, test = np.load(train_path), np.load(test_path)
labels = json.load(sys.stdin)
start, used = time.perf_counter(), time.process_time()
model = LogisticRegression(C=float(strength), max_iter=1000).fit(train, labels["train"])
seconds, cpu = time.perf_counter() - start, time.process_time() - used
print(
    json.dumps(
        {
            "seconds": seconds,
            "cpu": cpu,
            "accuracy": model.score(test, labels["test"]),
            "iterations": int(model.n_iter_[0]),
        }
    )
)
