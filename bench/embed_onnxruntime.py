"""The peer of bench/embed.ts: one encoder over texts on standard input. Prints the seconds from opening to the last vector.

Arguments: the folder, the network in it, rows in a batch."""

import json
import sys
import time

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

folder, network, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
texts = json.load(sys.stdin)
start = time.perf_counter()
used = time.process_time()
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
tokenizer.no_padding()
tokenizer.enable_truncation(256)
session = onnxruntime.InferenceSession(f"{folder}/{network}", providers=["CPUExecutionProvider"])
names = {item.name for item in session.get_inputs()}
order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
vectors = [None] * len(texts)
for begin in range(0, len(order), rows):
    batch = order[begin : begin + rows]
    ids = [encoding.ids for encoding in tokenizer.encode_batch([texts[row] for row in batch])]
    width = max(map(len, ids))
    feeds = {
        "input_ids": np.array([row + [0] * (width - len(row)) for row in ids], dtype=np.int64),
        "attention_mask": np.array([[1] * len(row) + [0] * (width - len(row)) for row in ids], dtype=np.int64),
        "token_type_ids": np.zeros((len(ids), width), dtype=np.int64),
    }
    output = session.run(["sentence_embedding"], {name: feeds[name] for name in names})[0]
    for row, vector in zip(batch, output):
        vectors[row] = vector
print(json.dumps({"wall": time.perf_counter() - start, "cpu": time.process_time() - used}))
