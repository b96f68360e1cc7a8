"""Searches the space of a spec with Ray Tune: widths, depths and fusions of a classifier of digits.

    pip install -e . 'ray[tune]' scikit-learn
    python examples/ray_search.py

Ray draws every param. Those that a fusion does not read are ignored, and a point that cannot be, or that
is over the limits of the spec, ends before a module exists. Each trial prints the spec that it trained.
"""

from typing import Any

import torch
from digits import accuracy, digits, train
from ray import tune

import mimgraph as mg

SPEC = """\
name: Searched
limits: {parameters: 12K}
params:
  width: {search: [8, 16, 32, 64], default: 16}
  depth: {search: {int: [1, 3]}}
  fusion: {search: [concat, gated, low_rank]}
  rank: {search: [1, 2, 4]}
inputs: {image: [1, 8, 8], numbers: [21]}
blocks:
  conv:
    seq: [{Conv2d: {out_channels: $width, kernel_size: 3, padding: same}}, BatchNorm2d, ReLU]
nodes:
  image_vec: {from: image, seq: [{conv: {repeat: $depth}}, {MaxPool2d: 4}, Flatten]}
  numbers_vec: {layer: Linear, from: numbers, out_features: $width, activation: ReLU}
  fused: {merge: $fusion, from: [image_vec, numbers_vec], out_features: $width, rank: $rank}
  logits: {layer: Linear, from: fused, out_features: 10}
outputs: logits
"""
TRIALS, EPOCHS = 6, 4


def objective(config: dict[str, Any]) -> dict[str, Any]:
    """Train the graph of a point for a moment."""
    try:
        graph = mg.loads(SPEC).with_params(config)
    except mg.SpecError as error:
        return {"accuracy": 0.0, "weights": 0, "said": error.diagnostics[0].message}
    torch.set_num_threads(1)
    torch.manual_seed(0)
    training, held_out = digits()
    model = graph.compile()
    train(model, training, EPOCHS)
    found = accuracy(model, held_out)
    return {"accuracy": found, "weights": graph.summary().params, "said": graph.dumps()}


if __name__ == "__main__":
    config = tune.TuneConfig(
        metric="accuracy", mode="max", num_samples=TRIALS, max_concurrent_trials=2
    )
    tuner = tune.Tuner(objective, param_space=mg.loads(SPEC).space.ray(), tune_config=config)
    results = tuner.fit()
    found = [results[i].metrics or {} for i in range(len(results))]
    rejected = sum(not one["weights"] for one in found)
    print(f"{len(results)} points, of which {rejected} cannot be or are over the limits")
    best = results.get_best_result().metrics or {}
    print(f"best: {best['accuracy']:.3f} with {best['weights']:,} weights\n{best['said']}")
