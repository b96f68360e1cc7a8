"""The keys of a spec: the meaning of each, its type, its default, its page of the manual, and an example.

`mimgraph layers KEY`, the JSON Schema and the manual show these texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Key(NamedTuple):
    """The meaning of a key, its type and default (with code in backticks), the page of `docs/language/` that
    explains it, and a spec that has it, with the other files that the spec needs."""

    about: str
    type: str
    default: str
    page: str
    example: str
    files: Mapping[str, str] = {}


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
SEARCHED = """\
params:
  hidden: {search: [64, 128, 256], default: 128}
  depth: {search: {int: [2, 8], step: 2}}
  rate: {search: {float: [0.01, 0.5], log: true}, default: 0.1}
inputs: {x: [16]}
blocks:
  step: {seq: [{Linear: $hidden}, ReLU, {Dropout: $rate}]}
nodes:
  wide: {layer: Linear, from: x, out_features: $hidden}
  deep: {block: step, from: wide, repeat: $depth}
outputs: deep
"""
LIMITED = """\
limits: {parameters: 20K, macs: 2M, activations: 1M, sizes: {T: 128}}
inputs: {words: [T, 16]}
nodes:
  read: {layer: LSTM, from: words, hidden_size: 32, take: last}
outputs: read
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
COPIES = """\
params: {experts: 4}
inputs: {x: [16], city: {vocab: 9}, home: {vocab: 9}}
nodes:
  place: {layer: Embedding, each: [city, home], shared: true, embedding_dim: 8}
  row: {merge: concat, from: [x, place.*]}
  experts: {layer: Linear, each: $experts, from: row, out_features: 8}
  mean: {merge: average, from: experts.*}
outputs: mean
"""
CHAIN = """\
inputs: {image: [3, 32, 32]}
nodes:
  vector: {from: image, seq: [{Conv2d: {out_channels: 8, kernel_size: 3}}, ReLU, Flatten]}
  halves: {from: vector, seq: [{Linear: 32}, {Chunk: {chunks: 2, dim: 1}}]}
  gated: {merge: multiply, from: [halves.0, halves.1]}
outputs: gated
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
SCAN = """\
inputs: {x: [T, 8], h0: [16]}
blocks:
  cell:
    inputs: [x, h]
    nodes:
      joined: {merge: concat, from: [x, h]}
      next: {layer: Linear, from: joined, out_features: 16, activation: Tanh}
      y: {layer: Linear, from: next, out_features: 4}
    outputs: {y: y, h: next}
nodes:
  states: {scan: cell, over: x, carry: {h: h0}}
outputs: {states: states, last: states.h}
"""
LOOPS = """\
inputs: {x: [T, 16]}
blocks:
  refine:
    inputs: {x: [T, D], i: []}
    nodes:
      time: {layer: Embedding, from: i, num_embeddings: 512, embedding_dim: $D}
      placed: {merge: add, from: [x, time], broadcast: true}
      out: {layer: Linear, from: placed, out_features: $D, activation: ReLU}
    outputs: out
nodes:
  refined: {block: refine, from: x, repeat: {times: $T, shared: true, index: i}}
  deep: {block: refine, from: refined, repeat: {times: 6, index: i, collect: out}}
outputs: {last: deep, every: deep.steps}
"""
PARTS = """\
parts: {tower: towers/text.yaml}
inputs: {tokens: {shape: [T], vocab: 1000}, numbers: [5]}
nodes:
  text_vec: {block: tower, from: tokens, width: 64}
  fused: {merge: concat, from: [text_vec, numbers]}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""
TOWER = """\
params: {width: 32}
inputs: {tokens: {shape: [T], vocab: 1000}}
nodes:
  emb: {layer: Embedding, from: tokens, embedding_dim: $width}
  read: {layer: GRU, from: emb, hidden_size: $width, take: last}
outputs: read
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
NOISE = """\
inputs: {x: [16]}
nodes:
  mean: {layer: Linear, from: x, out_features: 4}
  noise: {random: normal, like: mean, only: training}
  one: {ones: true, like: mean}
  scale: {zeros: [4], batched: true}
  z: {merge: formula, expr: mean + exp(scale) * noise / one, from: [mean, scale, noise, one]}
outputs: z
"""
PORTS = """\
inputs: {text: [T, 16]}
nodes:
  read: {layer: LSTM, from: text, hidden_size: 8, take: last, freeze: true}
outputs: read
"""
ADAPTED = """\
inputs: {x: [16]}
blocks:
  tower:
    inputs: [x]
    nodes:
      query: {layer: Linear, from: x, out_features: 16}
      out: {layer: Linear, from: query, out_features: 16}
    outputs: out
nodes:
  y: {block: tower, from: x, lora: {rank: 4, on: [query]}}
outputs: y
"""
TUNED = """\
params: {rate: 0.1x}
inputs: {image: [3, 32, 32]}
nodes:
  tower: {from: image, freeze: until 1, lr: $rate, seq: [{Conv2d: {out_channels: 8, kernel_size: 3}}, BatchNorm2d, ReLU, Flatten, {Linear: 16}]}
  head: {layer: Linear, from: tower, out_features: 10, lr: 1e-3, weight_decay: 0}
outputs: head
"""
FRAMES = """\
inputs: {video: [T, 3, 32, 32]}
nodes:
  frames: {from: video, over: 1, seq: [{Conv2d: {out_channels: 8, kernel_size: 3}}, ReLU, Flatten]}
  clip: {layer: LSTM, from: frames, hidden_size: 16, take: last}
outputs: clip
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
TIME_FIRST = """\
inputs: {frames: [T, 16]}
nodes:
  logp: {from: frames, seq: [{Linear: 30}, {LogSoftmax: -1}]}
outputs: {logp: {from: logp, batch_dim: 1}}
"""

KEYS = {
    "mimgraph": Key("The version of the language: 1.", "`1`", "`1`", "spec", SMALL),
    "name": Key(
        "The name of the emitted class: `Model` if left out.",
        "a name, as Python has them",
        "`Model`",
        "spec",
        SMALL,
    ),
    "doc": Key(
        "A description, which becomes a docstring of the emitted module.",
        "a string",
        "none",
        "spec",
        SMALL,
    ),
    "params": Key(
        "Values that the spec uses as `$name`; `--set hidden=128` replaces one. For the "
        "params of a block each use may give other values, and must where the value is "
        "`null`.",
        "a mapping from names to numbers, strings, `true`, `false`, `null` or lists of these; of a "
        "spec also `{search, default}`",
        "none",
        "expressions",
        SMALL,
    ),
    "search": Key(
        "The values that a search may give the param: `{search: [64, 128], default: 64}`, or a range, "
        "`{search: {int: [2, 8]}}`.",
        "a list of values, `{int, step, log}` or `{float, step, log}`",
        "none: the param is not searched",
        "search-spaces",
        SEARCHED,
    ),
    "default": Key(
        "The value of a searched param wherever nothing searches: `{search: [64, 128], default: 64}`.",
        "a value of the search",
        "the first value of the list, or the lower bound",
        "search-spaces",
        SEARCHED,
    ),
    "int": Key(
        "The lowest and the highest of the integers to search: `search: {int: [2, 8]}`.",
        "a list of two integers",
        "none",
        "search-spaces",
        SEARCHED,
    ),
    "float": Key(
        "The lowest and the highest of the numbers to search: `search: {float: [0.1, 0.5]}`.",
        "a list of two numbers",
        "none",
        "search-spaces",
        SEARCHED,
    ),
    "step": Key(
        "The distance of the values to search: `search: {int: [2, 8], step: 2}`.",
        "a number above 0",
        "1 of `int`, none of `float`",
        "search-spaces",
        SEARCHED,
    ),
    "log": Key(
        "`true`: small values are tried as often as large ones, `search: {float: [1e-4, 0.1], log: "
        "true}`.",
        "`true` or `false`",
        "`false`",
        "search-spaces",
        SEARCHED,
    ),
    "inputs": Key(
        "The input tensors by name: a shape without the batch axis, or `{shape, dtype, "
        "vocab, doc, optional}`. Those of a block are names, or names with a pattern of "
        "sizes each, or `{shape, dtype, vocab, optional}`, each of which may be left out.",
        "a mapping from names to shapes or mappings",
        "required in a spec; a block that is a `seq` has none",
        "inputs",
        SMALL,
    ),
    "blocks": Key(
        "Sub-graphs or chains by name, perhaps with params, that nodes use any number of times.",
        "a mapping from names to blocks, `{params, inputs, nodes, outputs}` or `{params, seq}`",
        "none",
        "blocks",
        STEPS,
    ),
    "parts": Key(
        "Specs in files of their own by name, each used as a block: `{tower: towers/text.yaml}`, a "
        "path from the folder of this spec, and in it. The inputs, params and outputs of that spec are "
        "those of the block: optional inputs come last, and a use may leave them out, or feed an input that "
        "is optional itself; outputs for training only are left out. A param that names an op, "
        "`activation: $act`, keeps its value. A part sees no params but its own. "
        "`dump`, `save` and `emit` write one file.",
        "a mapping from names to paths",
        "none",
        "parts",
        PARTS,
        {"towers/text.yaml": TOWER},
    ),
    "limits": Key(
        "What the model may cost at most: `{parameters: 20M, macs: 2G}`. It is checked with the spec, and "
        "the error names the largest nodes. Those of a part hold where the part is checked alone.",
        "a mapping from `parameters`, `trainable`, `macs` and `activations` to numbers, and `sizes`",
        "none",
        "budgets",
        LIMITED,
    ),
    "nodes": Key(
        "The nodes by name, in any order: what each does, and from which sources.",
        "a mapping from names to nodes",
        "required in a spec",
        "nodes",
        SMALL,
    ),
    "outputs": Key(
        "A source, a list of sources, or `{public_name: source}`.",
        "a source, a list of sources, or a mapping from public names to sources or `{from, only, batch_dim, doc}`",
        "required in a spec",
        "outputs",
        TRAINING,
    ),
    "layer": Key(
        "The name of a layer of torch.nn, a reshape or a function of torch.",
        "the name of a layer",
        "none",
        "nodes",
        SMALL,
    ),
    "merge": Key(
        "The name of an operation that joins several sources.",
        "the name of a merge",
        "none",
        "merges",
        TABLE,
    ),
    "seq": Key(
        "A chain of layers and blocks, which becomes one `nn.Sequential`. Its ports are those of "
        "the last item: `halves.0` and `halves.1` of one that ends in a `Chunk`.",
        "a list of items: a name, or one name with its options",
        "none",
        "chains",
        CHAIN,
    ),
    "block": Key(
        "The name of a block of this spec; the block's params are given as options.",
        "the name of a block or part",
        "none",
        "blocks",
        STEPS,
    ),
    "scan": Key(
        "The name of a block that runs once for each step along an axis of its sources, with the same "
        "weights. Its results are stacked along that axis; the last value of each carried one is a "
        "port: `states.h`.",
        "the name of a block or part",
        "none",
        "repeats-and-scans",
        SCAN,
    ),
    "carry": Key(
        "The inputs that each step of a `scan` hands to the next, with what they start as: `carry: {h: "
        "h0}`. The block has an output of the same name, shape and dtype.",
        "a mapping from inputs of the block to sources",
        "none: nothing is carried",
        "repeats-and-scans",
        SCAN,
    ),
    "share": Key(
        "The name of another node: its module, with its weights, is used again on this "
        "node's source. In a block it may be a node of the graph that uses the block.",
        "the name of a node",
        "none",
        "each-and-sharing",
        TWINS,
    ),
    "parameter": Key(
        "A learned tensor of this shape.",
        "a list of sizes, all of its axes",
        "none",
        "tensors",
        TOKENS,
    ),
    "buffer": Key(
        "A fixed tensor of this shape.",
        "a list of sizes, all of its axes",
        "none",
        "tensors",
        TOKENS,
    ),
    "arange": Key(
        "The positions along an axis of this source; or of a number, `arange: 8`, the whole numbers "
        "below it.",
        "a source, beside `dim`; or a size",
        "none",
        "tensors",
        POSITIONS,
    ),
    "zeros": Key(
        "Zeros of this shape, made at each run; or `true`, with `like: x` for the shape, dtype and "
        "device of x.",
        "a list of sizes; or `true`, beside `like`",
        "none",
        "tensors",
        NOISE,
    ),
    "ones": Key(
        "Ones, made at each run as zeros are.",
        "a list of sizes; or `true`, beside `like`",
        "none",
        "tensors",
        NOISE,
    ),
    "random": Key(
        "`normal` or `uniform`: noise drawn at each run, in the shape of the source `like`; with "
        "`only: training` it is zero in eval.",
        "`normal` or `uniform`",
        "none",
        "tensors",
        NOISE,
    ),
    "from": Key(
        "The source of the node, a list of sources, or `{argument: source}`. A source is "
        "an input, a node, or `node.port`; `node.*` in a list, or as an input of a block, is all "
        "its ports.",
        "a source, a list of sources, or a mapping from arguments to sources",
        "required, except beside `each` or `over` of a scan, and of a tensor of the model",
        "nodes",
        TWINS,
    ),
    "each": Key(
        "Several sources: the node does the same on each of them, with weights of its own "
        "for each. Or the number of copies that run on the source in `from`, with the ports "
        "`0`, `1`, ...",
        "a list of sources, a mapping from names to sources, or a number of copies",
        "none: the node is made once",
        "each-and-sharing",
        COPIES,
    ),
    "with": Key(
        "Options whose value differs: for each option a list, with a value for each "
        "source of `each` or for each time of `repeat`.",
        "a mapping from options to lists of values",
        "none: all have the same options",
        "each-and-sharing",
        TABLE,
    ),
    "take": Key(
        "The port that a source means if it names this node without a port: `take: last`.",
        "the name of a port",
        "the first port, `output`, of an op that has a default",
        "nodes",
        PORTS,
    ),
    "over": Key(
        "An axis of the sources, counted from the batch as 0, that is folded into the batch "
        "while the node runs: it does the same at every index of the axis. Each result "
        "gets the axis back at the same index, or after the batch if it is too short. A tensor of the "
        "model without a batch is the same at every index. A `share` has that of its "
        "target, or its own. Of a `scan`, the "
        "inputs that it reads step by step: `over: x` along axis 1, `over: {x: 1, m: 2}` "
        "along an axis each, or with `from` the axis of all its sources, `over: 1`. Inputs that `from` "
        "gives and `over` does not name are the same at each step.",
        "an axis; of a `scan` an input, a mapping from inputs to axes, or an axis beside `from`",
        "none: the node sees all axes; required of a `scan`",
        "axes",
        FRAMES,
    ),
    "freeze": Key(
        "`true`: the weights get no gradients, and the module stays in evaluation mode "
        "while the rest trains. `freeze: $frozen` lets a param decide. `freeze: until layer3` "
        "freezes all up to and including the child `layer3`, in the order of the weights' keys; "
        "`until encoder.layer.3` names a child of a child. A layer that a block shares "
        "from outside is frozen at its own node.",
        "`true` or `false`, or a param, or `until` and a child of the module",
        "`false`",
        "nodes",
        PORTS,
    ),
    "lr": Key(
        "The learning rate of the weights, which `graph.parameter_groups` hands to an optimizer: "
        "`0.1x` is a multiple of the optimizer's own rate. That of an inner node wins over that of the "
        "block or `seq` around it. A layer that has an option `lr`, and a block that has such a param, "
        "are given the value instead.",
        "a number of at least 0, or a multiple such as `0.1x`",
        "none: the optimizer's rate, or that of the block around the node",
        "training",
        TUNED,
    ),
    "lora": Key(
        "Low-rank adapters of inner layers, by the library peft (`pip install 'mimgraph[peft]'`): "
        "`rank`, and `on`, names of inner layers by the ends of their paths. All else in the node is "
        "frozen. `alpha` and `dropout` are peft's `lora_alpha`, 8 by default, and `lora_dropout`, 0. A layer "
        "that has an option `lora`, and a block that has such a param, are given the value instead.",
        "`{rank, on, alpha, dropout}`",
        "none: no adapters",
        "training",
        ADAPTED,
    ),
    "weight_decay": Key(
        "The weight decay of the weights, which `graph.parameter_groups` hands to an optimizer. That of "
        "an inner node wins over that of the block or `seq` around it. A layer that has an option "
        "`weight_decay`, and a block that has such a param, are given the value instead.",
        "a number of at least 0",
        "none: the optimizer's weight decay, or that of the block around the node",
        "training",
        TUNED,
    ),
    "activation": Key(
        "The activation applied to the result: the name of a layer, or `{name: options}`.",
        "the name of a layer without weights, or one such name with its options",
        "none",
        "nodes",
        SMALL,
    ),
    "repeat": Key(
        "How many times the block is applied in a row, with weights of its own each time; "
        "or `{times, shared, with, index, collect}`.",
        "a number of times, or `{times, shared, with, index, collect}`",
        "none: the block is applied once",
        "repeats-and-scans",
        STEPS,
    ),
    "shape": Key(
        "Sizes, or names for sizes, without the batch axis: `[3, 32, 32]`, `[T, 64]`; a multiple of a "
        "name, perhaps plus a number, names the sizes that are legal: `[3, 8*H, 8*W]`.",
        "a list of sizes, names of sizes, or arithmetic with one name",
        "required without a `vocab`; `[]` with one",
        "inputs",
        TABLE,
    ),
    "dtype": Key(
        "The dtype of the tensor: float32 if left out, int64 with a vocab.",
        "the name of a dtype of torch",
        "`float32`; `int64` with a `vocab`",
        "inputs",
        TABLE,
    ),
    "vocab": Key(
        "The number of categories, which an Embedding takes as its `num_embeddings`.",
        "a number of categories",
        "none",
        "inputs",
        TABLE,
    ),
    "optional": Key(
        "`true`: the caller may leave the input out, which is then None; a use of a block may leave "
        "out such an input of it, `{x: [T, C], mask: {optional: true}}`. `optional: $some` lets a param "
        "decide.",
        "`true` or `false`, or a param",
        "`false`",
        "optional-inputs",
        MISSING,
    ),
    "only": Key(
        "`training`: the output is left out in evaluation mode.",
        "`training`",
        "none: given in evaluation too",
        "outputs",
        TRAINING,
    ),
    "batch_dim": Key(
        "The axis to which the batch of an output is moved: with 1, `(N, T, C)` is given as "
        "`(T, N, C)`, which CTCLoss takes.",
        "an axis",
        "`0`",
        "outputs",
        TIME_FIRST,
    ),
    "parameters": Key(
        "The most elements that all parameters may have, `20M`; a shared module counts once.",
        "a number, also with K, M, G or T behind it",
        "none",
        "budgets",
        LIMITED,
    ),
    "trainable": Key(
        "The most elements that parameters which learn may have: those that are not frozen.",
        "a number, also with K, M, G or T behind it",
        "none",
        "budgets",
        "limits: {trainable: 1K}\n" + SMALL,
    ),
    "macs": Key(
        "The most multiply-accumulates that a forward of one sample may take, `2G`.",
        "a number, also with K, M, G or T behind it",
        "none",
        "budgets",
        LIMITED,
    ),
    "activations": Key(
        "The most bytes that the results of a forward of one sample may take, `64M`.",
        "a number, also with K, M, G or T behind it",
        "none",
        "budgets",
        LIMITED,
    ),
    "sizes": Key(
        "The named sizes for which limits hold: `{T: 128}`. `N` is the batch.",
        "a mapping from names of sizes to numbers",
        "none: a size on which a limited amount depends must be there; `N` is 1",
        "budgets",
        LIMITED,
    ),
    "times": Key(
        "How many times the block is applied in a row: `repeat: {times: 3}`. With `shared: true` "
        "it may be a size known only at run time: `{times: $T, shared: true}`.",
        "a number of times, or with `shared: true` a size",
        "the length of the lists in `with`; else required",
        "repeats-and-scans",
        LOOPS,
    ),
    "shared": Key(
        "`true`: the same module each time, `repeat: {times: 3, shared: true}`, or for every "
        "source of `each`.",
        "`true` or `false`",
        "`false`",
        "repeats-and-scans",
        STEPS,
    ),
    "index": Key(
        "The input or param of a repeated block that is the number of the step, from 0. An "
        "input gets it as an int64 tensor without axes, and then has no source in `from`; a "
        "param gets it as a number, if the steps have weights of their own.",
        "the name of an input or param of the block",
        "none",
        "repeats-and-scans",
        LOOPS,
    ),
    "collect": Key(
        "The output of a repeated block of which the results of all steps are kept, stacked "
        "along axis 1, `(N, steps, ...)`: the port `steps` of the node. `true` means the only "
        "output.",
        "the name of an output of the block, or `true`",
        "none: only the last result is kept",
        "repeats-and-scans",
        LOOPS,
    ),
}

# options that several layers, merges or tensors have
OPTIONS = {
    "batched": Key(
        "`true`: the tensor is stored as `(1, ...)` and expanded to the batch, `(N, ...)`.",
        "`true` or `false`",
        "`false`",
        "tensors",
        TOKENS,
    ),
    "init": Key(
        "The initial values: the name of a function of torch.nn.init, as in `{normal: "
        "{std: 0.02}}`, or `sinusoid`, or the values themselves.",
        "the name of an init, one name with its options, or numbers",
        "required of a parameter or buffer",
        "tensors",
        TOKENS,
    ),
    "broadcast": Key(
        "`true`: axes of size 1, and tensors of the model without a batch axis, are "
        "expanded as torch does.",
        "`true` or `false`",
        "`false`",
        "tensors",
        TOKENS,
    ),
    "missing": Key(
        "`skip`: sources that are missing, because an optional input was left out, do not count. After a "
        "`concat` the size along its axis is then known only at run time.",
        "`skip`",
        "none: a source that may be missing is refused",
        "optional-inputs",
        MISSING,
    ),
}
