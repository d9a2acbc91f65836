"""The rules as numpy does them, for `npm run bench:aggregation`. Reads the names of parts from stdin, one a line, runs each
once (eight times what takes less than 5 ms) and answers with its least CPU seconds, so that both sides are measured in turn.

As numpy allows at best: mean, norms, median, trimmedMean, product (all distances by one matrix product).
As Flower's strategies do it: flowerMean, flowerKept, flowerMedian, flowerTrimmedMean, loop (distances pair by pair).
"""
import json
import sys
import time
from functools import reduce

import numpy as np


def scores(distances, f):
    return np.sort(distances, axis=1)[:, 1 : len(distances) - f - 1].sum(axis=1)


def product(rows):
    gram = rows @ rows.T
    norms = np.diag(gram)
    return norms[:, None] + norms[None, :] - 2 * gram


def loop(rows):
    flat = np.array([np.concatenate([row], axis=None).ravel() for row in rows])
    distances = np.zeros((len(flat), len(flat)))
    for i, a in enumerate(flat):
        for j, b in enumerate(flat):
            distances[i, j] = np.linalg.norm(a - b) ** 2
    return distances


def summed(rows):
    return reduce(np.add, [row * 7 for row in rows]) / (7 * len(rows))


def trimmed(rows, f):
    return np.partition(rows, (f, len(rows) - f - 1), axis=0)[f : len(rows) - f].mean(axis=0)


def least(part):
    seconds, count = float("inf"), 0
    while count < (8 if seconds < 0.005 else 1):
        start = time.process_time()
        part()
        seconds = min(seconds, time.process_time() - start)
        count += 1
    return seconds


def main(n, d):
    rows = np.random.default_rng(1).standard_normal((n, d), dtype=np.float32)
    weights = np.full(n, 1 / n, np.float32)
    f = n // 5
    parts = {
        "mean": lambda: weights @ rows,
        "norms": lambda: np.einsum("ij,ij->i", rows, rows),
        "median": lambda: np.median(rows, axis=0),
        "trimmedMean": lambda: trimmed(rows, f),
        "product": lambda: scores(product(rows), f),
        "flowerMean": lambda: summed(rows),
        "flowerKept": lambda: summed(rows[: n - f]),
        "flowerMedian": lambda: np.median(np.asarray(list(rows)), axis=0),
        "flowerTrimmedMean": lambda: trimmed(np.asarray(list(rows)), f),
        "loop": lambda: scores(loop(rows), f),
    }
    print(json.dumps(np.__version__), flush=True)
    for line in sys.stdin:
        print(least(parts[line.strip()]), flush=True)


main(int(sys.argv[1]), int(sys.argv[2]))
