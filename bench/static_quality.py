"""Quality of static models that lie in folders of Model2Vec's form: STS-B, and neighbours and clusters of banking77.

    pip install model2vec scikit-learn scipy
    python3 bench/static_quality.py --stsb en-test.jsonl --train banking77/train.jsonl --test banking77/test.jsonl FOLDER ...

`reprise export latest static -o models/static/` writes the folder of a model that `train` made. Rows of STS-B have sentence1, sentence2 and
score, those of banking77 text and label.
"""

import argparse
import json

import numpy as np
from model2vec import StaticModel
from scipy.stats import spearmanr
from sklearn.cluster import KMeans
from sklearn.metrics import v_measure_score
from sklearn.neighbors import KNeighborsClassifier

arguments = argparse.ArgumentParser()
for name in ("stsb", "train", "test"):
    arguments.add_argument(f"--{name}", required=True)
arguments.add_argument("folders", nargs="+")
given = arguments.parse_args()


def rows(path):
    with open(path, encoding="utf8") as file:
        return [json.loads(line) for line in file]


pairs, train, test = rows(given.stsb), rows(given.train), rows(given.test)
labels = [row["label"] for row in test]
for folder in given.folders:
    model = StaticModel.from_pretrained(folder)

    def vectors(texts):
        return model.encode(texts).astype(np.float32)

    a, b = (vectors([row[side] for row in pairs]) for side in ("sentence1", "sentence2"))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = (a * b).sum(axis=1) / np.maximum(lengths, 1e-9)
    near = KNeighborsClassifier(10, metric="cosine")
    near.fit(vectors([row["text"] for row in train]), [row["label"] for row in train])
    asked = vectors([row["text"] for row in test])
    measures = [
        v_measure_score(labels, KMeans(len(set(labels)), n_init=1, random_state=seed).fit_predict(asked))
        for seed in range(5)
    ]
    print(
        json.dumps(
            {
                "folder": folder,
                "stsb": round(spearmanr(cosines, [row["score"] for row in pairs]).statistic, 4),
                "knn": round(near.score(asked, labels), 4),
                "v_measure": round(float(np.mean(measures)), 4),
            }
        )
    )
