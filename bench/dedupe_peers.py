"""The peers' half of bench/dedupe.ts: argv are the package, a JSON file of texts and the threshold. Prints seconds and removed rows."""

import json
import sys
import time

peer, path, threshold = sys.argv[1], sys.argv[2], float(sys.argv[3])
texts = json.load(open(path))


def shingles(text):
    return {text[at : at + 5] for at in range(max(1, len(text) - 4))}


if peer == "rensa":
    from rensa import RMinHash, RMinHashLSH

    start = time.perf_counter()
    # 16 bands of 8, as in the rensa manual, with its own check of candidates.
    index = RMinHashLSH(threshold=threshold, num_perm=128, num_bands=16)
    kept = {}
    removed = 0
    for at, text in enumerate(texts):
        signature = RMinHash(num_perm=128, seed=1)
        signature.update(list(shingles(text)))
        if any(signature.jaccard(kept[other]) >= threshold for other in index.query(signature)):
            removed += 1
        else:
            index.insert(at, signature)
            kept[at] = signature
    seconds = time.perf_counter() - start
else:
    from datasketch import MinHash, MinHashLSH

    start = time.perf_counter()
    index = MinHashLSH(threshold=threshold, num_perm=128)
    removed = 0
    for at, text in enumerate(texts):
        signature = MinHash(num_perm=128, seed=1)
        signature.update_batch([shingle.encode() for shingle in shingles(text)])
        if index.query(signature):
            removed += 1
        else:
            index.insert(at, signature)
    seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "removed": removed}))
