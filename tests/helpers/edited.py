"""A graph to edit, and what an edit changes in its spec and in the keys of its weights."""

from __future__ import annotations

from difflib import ndiff

import mimgraph as mg

SPEC = """\
name: Both
params: {hidden: 64, kind: residual}
inputs: {image: [3, 16, 16], numeric: [5], words: [T, 8]}
blocks:
  residual:
    inputs: {x: [C, H, W]}
    nodes:
      conv: {layer: Conv2d, from: x, out_channels: $C, kernel_size: 3, padding: 1}
      sum: {merge: add, from: [conv, x], activation: ReLU}
    outputs: sum
  pair:
    inputs: [x]
    nodes:
      a: {block: residual, from: x}
      b: {block: $kind, from: a}
    outputs: b
  narrow: {inputs: [x], params: {width: null}, seq: [{Linear: $width}, ReLU]}
nodes:
  stem: {from: image, seq: [{Conv2d: {out_channels: 4, kernel_size: 3}}, ReLU, {MaxPool2d: 2}]}
  stage: {block: residual, from: stem, repeat: 2}
  deep: {block: pair, from: stage}
  flat: {layer: Flatten, from: deep}
  drop: {layer: Dropout, from: flat}
  fc1: {layer: Linear, from: numeric, out_features: $hidden, activation: ReLU}
  fc2: {share: fc1, from: numeric}
  small: {block: narrow, from: fc1, width: 8}
  lstm: {layer: LSTM, from: words, hidden_size: 8}
  read: {layer: MultiheadAttention, from: {query: lstm, key: words, value: words}, num_heads: 2}
  mean: {layer: Mean, from: read, dim: 1}
  emb: {layer: Linear, each: [small, lstm.last], with: {out_features: [3, 4]}}
  fused: {merge: concat, from: [drop, fc2, mean, emb.*]}
  head: {layer: Linear, from: fused, out_features: 2}
outputs: {score: head, last: drop}
"""
GRAPH = mg.loads(SPEC, name="both.yaml")


def changed_lines(new: mg.Graph, old: mg.Graph = GRAPH) -> list[str]:
    """Return the lines of the spec that are gone, after `-`, and those that are new, after `+`."""
    lines = ndiff(old.dumps().splitlines(), new.dumps().splitlines())
    return [f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "+-"]


def changed_keys(new: mg.Graph, old: mg.Graph = GRAPH) -> tuple[set[str], set[str]]:
    """Return the keys of weights that are gone, and those that are new or have another shape.

    The other weights of `old` are loaded into `new`, which torch refuses if one does not fit.
    """
    was, module = old.compile().state_dict(), new.compile()
    now = module.state_dict()
    same = {key for key in was.keys() & now.keys() if was[key].shape == now[key].shape}
    module.load_state_dict({**now, **{key: was[key] for key in same}})
    return {*was} - same, {*now} - same
