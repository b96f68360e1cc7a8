"""Searches over architectures: builds 100 graphs at random, and trains the best few of the small ones.

    pip install -e . scikit-learn
    python examples/search.py

A graph tells how many weights it has before a tensor exists, so what is too large costs nothing. Those
under the budget are trained for a moment; the three best on digits set aside go on, and are tested.
"""

import random
from time import perf_counter

import torch
from digits import Samples, accuracy, digits, train

import mimgraph as mg
from mimgraph import layers, merges

BUDGET = 12_000  # weights
GRAPHS, KEPT, EPOCHS = 100, 3, 8


def drawn(seed: int) -> tuple[mg.Graph, str]:
    """A graph at random, and what it is in short."""
    pick = random.Random(seed).choice
    image, numbers = mg.Input("image", (1, 8, 8)), mg.Input("numbers", (21,))
    x, y, said = image, numbers, []
    for _ in range(pick((1, 2, 3))):
        channels, kernel, is_dense = pick((8, 16, 32)), pick((3, 5)), pick((True, False))
        new = layers.Conv2d(channels, kernel_size=kernel, padding="same")(x)
        new = mg.Sequential(layers.BatchNorm2d(), layers.ReLU())(new)
        x = merges.concat(x, new) if is_dense else new
        said.append(f"{channels}x{kernel}{'+' if is_dense else ''}")
    x = mg.Sequential(layers.MaxPool2d(pick((2, 4))), layers.Flatten())(x)
    width = pick((16, 32, 64))
    if pick((True, False)):
        y = layers.Linear(width, activation="ReLU")(y)
        said.append(f"numbers {width}")
    fusion = pick(("concat", "gated", "low_rank"))
    if fusion == "concat":
        fused = merges.concat(x, y)
    elif fusion == "gated":
        fused = merges.gated(x, y, out_features=width)
    else:
        fused = merges.low_rank(x, y, out_features=width, rank=2)
    logits = layers.Linear(10)(fused, name="logits")
    return mg.Graph(logits, name="Found"), ", ".join([*said, fusion])


def parted(samples: Samples, size: int) -> tuple[Samples, Samples]:
    """The samples from `size` on, and those before, set aside."""
    inputs, labels = samples
    first, second = (
        ({n: t[part] for n, t in inputs.items()}, labels[part])
        for part in (slice(size, None), slice(size))
    )
    return first, second


if __name__ == "__main__":
    torch.manual_seed(0)
    ours, theirs = digits()
    ours, aside = parted(ours, 300)
    start = perf_counter()
    graphs = [(graph, graph.summary().params, said) for graph, said in map(drawn, range(GRAPHS))]
    small = [found for found in graphs if found[1] <= BUDGET]
    print(
        f"{GRAPHS} graphs in {perf_counter() - start:.1f} s, {len(small)} of at most {BUDGET:,} weights"
    )
    tried = []
    for graph, params, said in small:
        model = graph.compile()
        train(model, ours, epochs=1)
        tried.append((accuracy(model, aside), params, said, model))
    tried.sort(key=lambda found: -found[0])
    print("weights  aside  held out  graph")
    for _, params, said, model in tried[:KEPT]:
        train(model, ours, EPOCHS)
        print(f"{params:7,} {accuracy(model, aside):6.3f} {accuracy(model, theirs):9.3f}  {said}")
