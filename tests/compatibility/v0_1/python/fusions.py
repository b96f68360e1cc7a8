"""Swaps five fusions on one model, by a param of its spec, and trains it with each.

    pip install -e . scikit-learn
    python examples/fusions.py

The command line does the same: mimgraph summary specs/digits.yaml --set fusion=gated
"""

from time import perf_counter

import torch
from digits import SPEC, accuracy, digits, train

import mimgraph as mg

FUSIONS = ("joined", "gated", "bilinear", "low_rank", "film")  # blocks of the spec

if __name__ == "__main__":
    ours, theirs = digits()
    print("fusion      weights  accuracy  seconds")
    for fusion in FUSIONS:
        torch.manual_seed(0)
        graph = mg.load(SPEC, params={"fusion": fusion})
        model = graph.compile()
        start = perf_counter()
        train(model, ours, epochs=15)
        seconds = perf_counter() - start
        reached = accuracy(model, theirs)
        print(f"{fusion:10} {graph.summary().params:8,} {reached:9.3f} {seconds:8.1f}")
