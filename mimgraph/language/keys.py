"""List the keys of a spec: where each may stand, what it means, where the README explains it."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.ir.names import (
    BLOCK,
    BLOCK_OUTPUT,
    INPUT,
    ITEM,
    NODE_WORDS,
    OUTPUT,
    REPEAT,
    TOP,
)

PLACES = {
    "a spec": TOP,
    "an input": INPUT,
    "a block": BLOCK,
    "a node": NODE_WORDS,
    "an item of a seq": ITEM,
    "repeat": REPEAT,
    "an output": OUTPUT,
    "an output of a block": BLOCK_OUTPUT,
}


class Key(NamedTuple):
    """Describes a key: its meaning in a sentence or two, the README's paragraph, a whole spec as
    example.

    In the text, what stands in backticks is code.
    """

    about: str
    paragraph: str
    example: str


SMALL = """\
mimgraph: 1
name: Score
doc: A score of ten numbers.
params: {width: 64}
inputs: {x: {shape: [10], doc: standardised}}
nodes:
  hidden: {layer: Linear, from: x, out_features: $width, activation: ReLU}
  score: {layer: Linear, from: hidden, out_features: 1}
outputs: score
"""
TABLE = """\
inputs:
  city: {vocab: 1000}
  job: {shape: [], dtype: int64, vocab: 50}
nodes:
  emb: {layer: Embedding, each: [city, job], with: {embedding_dim: [8, 4]}}
  row: {merge: concat, from: [emb.city, emb.job]}
outputs: row
"""
CHAIN = """\
inputs: {image: [3, 32, 32]}
nodes:
  vector: {from: image, seq: [{Conv2d: {out_channels: 8, kernel_size: 3}}, ReLU, Flatten]}
outputs: vector
"""
STEPS = """\
inputs: {x: [16]}
blocks:
  step: {params: {rate: null}, seq: [{Linear: 16}, ReLU, {Dropout: $rate}]}
nodes:
  thrice: {block: step, from: x, rate: 0.1, repeat: 3}
  once_more: {block: step, from: thrice, rate: 0.1, repeat: {times: 2, shared: true}}
  deeper: {block: step, from: once_more, repeat: {with: {rate: [0.1, 0.2, 0.3]}}}
outputs: deeper
"""
TWINS = """\
inputs: {left: [8], right: [8]}
nodes:
  a: {layer: Linear, from: left, out_features: 4}
  b: {share: a, from: right}
  distance: {merge: distance, from: [a, b]}
outputs: distance
"""
TOKENS = """\
inputs: {x: [T, 16]}
nodes:
  cls: {parameter: [1, 16], init: {normal: {std: 0.02}}, batched: true}
  waves: {buffer: [1, 512, 16], init: sinusoid}
  here: {layer: Slice, from: waves, dim: 1, end: $T}
  placed: {merge: add, from: [x, here], broadcast: true}
  tokens: {merge: concat, from: [cls, placed]}
outputs: tokens
"""
POSITIONS = """\
inputs: {x: [T, 16]}
nodes:
  steps: {arange: x, dim: 1}
  places: {layer: Embedding, from: steps, num_embeddings: 512, embedding_dim: 16}
  placed: {merge: add, from: [x, places], broadcast: true}
outputs: placed
"""
PORTS = """\
inputs: {text: [T, 16]}
nodes:
  read: {layer: LSTM, from: text, hidden_size: 8, take: last, freeze: true}
outputs: read
"""
MISSING = """\
inputs:
  text: [16]
  audio: {shape: [16], optional: true}
nodes:
  fused: {merge: average, from: [text, audio], missing: skip}
outputs: fused
"""
TRAINING = """\
inputs: {x: [16]}
nodes:
  logits: {layer: Linear, from: x, out_features: 10}
  aux: {layer: Linear, from: x, out_features: 2}
outputs: {logits: logits, aux: {from: aux, only: training, doc: for the second loss}}
"""

KEYS = {
    "mimgraph": Key("The version of the language, 1.", "A spec", SMALL),
    "name": Key("The class name of the emitted module; `Model` if left out.", "A spec", SMALL),
    "doc": Key("What it is, in words: a docstring of the emitted module.", "A spec", SMALL),
    "params": Key(
        "Values that stand in the spec as `$name` and can be overridden: `--set hidden=128`. "
        "Those of a block are given at each use; `null` must be.",
        "Params",
        SMALL,
    ),
    "inputs": Key(
        "Tensors by name: a shape without the batch, or `{shape, dtype, vocab, doc, optional}`. "
        "Of a block: names, or patterns of sizes by name.",
        "Inputs",
        SMALL,
    ),
    "blocks": Key("Sub-graphs with parameters, or chains, to be used again.", "Blocks", STEPS),
    "nodes": Key("What is computed, by name, in any order.", "Nodes", SMALL),
    "outputs": Key("A source, a list of them, or `{public_name: source}`.", "Outputs", TRAINING),
    "layer": Key("A layer of torch.nn, a reshape or a function of torch.", "Layers", SMALL),
    "merge": Key("What joins several sources.", "Merges", TABLE),
    "seq": Key("A chain of layers and blocks: one `nn.Sequential`.", "Nodes", CHAIN),
    "block": Key("A block of this spec by its name; its params are the options.", "Blocks", STEPS),
    "share": Key(
        "A node whose module, with its weights, is used again on another source.", "Nodes", TWINS
    ),
    "parameter": Key("A learned tensor of this shape.", "Tensors of the model", TOKENS),
    "buffer": Key("A fixed tensor of this shape.", "Tensors of the model", TOKENS),
    "arange": Key("The positions along an axis of this source.", "Tensors of the model", POSITIONS),
    "from": Key(
        "The source, a list of sources, or sources by argument: an input, a node, or `node.port`.",
        "Nodes",
        TWINS,
    ),
    "each": Key(
        "Sources, to each of which this is applied with weights of its own.", "Nodes", TABLE
    ),
    "with": Key(
        "Options that differ from source to source of an `each`, or from time to time of a "
        "`repeat`: a list for each.",
        "Nodes",
        TABLE,
    ),
    "take": Key(
        "The port that is meant where this node is named alone: `take: last`.", "Ports", PORTS
    ),
    "freeze": Key("No gradients, and evaluation mode while the rest trains.", "Nodes", PORTS),
    "activation": Key(
        "An activation applied to the result: a layer's name, or `{name: options}`.",
        "Nodes",
        SMALL,
    ),
    "repeat": Key(
        "How often the block stands in a row, each time with weights of its own; or "
        "`{times, shared, with}`.",
        "Blocks",
        STEPS,
    ),
    "shape": Key(
        "Sizes or names of sizes, without the batch: `[3, 32, 32]`, `[T, 64]`.", "Inputs", TABLE
    ),
    "dtype": Key(
        "The type of an element: float32 if left out, int64 with a vocab.", "Inputs", TABLE
    ),
    "vocab": Key(
        "The number of categories, of which an Embedding makes its table.", "Inputs", TABLE
    ),
    "optional": Key("The caller may leave it out: it is then None.", "Optional inputs", MISSING),
    "only": Key("`training`: left out in evaluation.", "Outputs", TRAINING),
    "times": Key("How often the block stands in a row: `repeat: {times: 3}`.", "Blocks", STEPS),
    "shared": Key(
        "One module, used each time: `repeat: {times: 3, shared: true}`.", "Blocks", STEPS
    ),
}

# Options that say what many ops have in common.
OPTIONS = {
    "batched": Key(
        "The tensor is kept as `(1, ...)` and expanded to the batch, `(N, ...)`.",
        "Tensors of the model",
        TOKENS,
    ),
    "init": Key(
        "How the tensor begins: a function of torch.nn.init by name, `{normal: {std: 0.02}}`, "
        "`sinusoid`, or the values.",
        "Tensors of the model",
        TOKENS,
    ),
    "broadcast": Key(
        "Axes of size 1, and tensors of the model without a batch, are expanded as torch does.",
        "Tensors of the model",
        TOKENS,
    ),
    "missing": Key(
        "`skip`: what is missing, an optional input or what it feeds, does not count.",
        "Optional inputs",
        MISSING,
    ),
}
