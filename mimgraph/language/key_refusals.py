"""A wrong spec for each key, with the code and the message of its diagnostic: what the key refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mimgraph.diagnostics.codes import DiagnosticCode


class Refused(NamedTuple):
    """A wrong spec, the code of its only diagnostic, and the message."""

    code: DiagnosticCode
    message: str
    spec: str


REFUSED: Mapping[str, Refused] = {
    "mimgraph": Refused(
        "bad-option",
        "the version of the language must be 1",
        """\
mimgraph: 2
inputs: {x: [4]}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    ),
    "name": Refused(
        "bad-name",
        "'my-model' cannot be a class name",
        """\
name: my-model
inputs: {x: [4]}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    ),
    "doc": Refused(
        "wrong-type",
        "doc must be a string, not a list",
        """\
doc: [a, b]
inputs: {x: [4]}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    ),
    "params": Refused(
        "wrong-type",
        "a param must be a number, a string, true, false or a list, not a mapping of 1 key",
        """\
params: {size: {a: 1}}
inputs: {x: [4]}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    ),
    "search": Refused(
        "bad-option",
        "a search needs a value",
        """\
params: {width: {search: []}}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: $width}}
outputs: y
""",
    ),
    "default": Refused(
        "bad-option",
        "the default 8 is outside of the search",
        """\
params: {width: {search: [2, 4], default: 8}}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: $width}}
outputs: y
""",
    ),
    "int": Refused(
        "bad-option",
        "the lower bound 8 is above the upper bound 2",
        """\
params: {width: {search: {int: [8, 2]}}}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: $width}}
outputs: y
""",
    ),
    "float": Refused(
        "wrong-type",
        "float must be two numbers, [0.1, 1.0], not 0.5",
        """\
params: {width: {search: {float: 0.5}}}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: $width}}
outputs: y
""",
    ),
    "step": Refused(
        "bad-option",
        "no number of steps of 4 leads from 2 to 8",
        """\
params: {width: {search: {int: [2, 8], step: 4}}}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: $width}}
outputs: y
""",
    ),
    "log": Refused(
        "bad-option",
        "a search with log needs a lower bound above 0, not 0",
        """\
params: {width: {search: {int: [0, 8], log: true}}}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: $width}}
outputs: y
""",
    ),
    "parts": Refused(
        "bad-part",
        "../text.yaml is outside the folder",
        """\
parts: {tower: ../text.yaml}
inputs: {x: [4]}
nodes: {y: {block: tower, from: x}}
outputs: y
""",
    ),
    "limits": Refused(
        "over-limit",
        "40 parameters exceed the limit of 20",
        """\
limits: {parameters: 20}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: 8}}
outputs: y
""",
    ),
    "inputs": Refused(
        "wrong-type",
        "inputs must be a mapping, not a list",
        """\
inputs: [x]
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    ),
    "blocks": Refused(
        "duplicate-name",
        "ReLU is the name of a layer",
        """\
blocks: {ReLU: {seq: [{Linear: 4}, Tanh]}}
inputs: {x: [4]}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    ),
    "nodes": Refused(
        "wrong-type",
        "nodes must be a mapping, not a list",
        """\
inputs: {x: [4]}
nodes: [{layer: ReLU, from: x}]
outputs: y
""",
    ),
    "outputs": Refused(
        "unknown-source",
        "no input or node is called 'z'",
        """\
inputs: {x: [4]}
nodes: {y: {layer: ReLU, from: x}}
outputs: z
""",
    ),
    "layer": Refused(
        "unknown-layer",
        "no layer is called 'Linaer'",
        """\
inputs: {x: [4]}
nodes:
  y: {layer: Linaer, from: x, out_features: 2}
outputs: y
""",
    ),
    "merge": Refused(
        "unknown-merge",
        "no merge is called 'concatenate'",
        """\
inputs: {a: [4], b: [4]}
nodes:
  y: {merge: concatenate, from: [a, b]}
outputs: y
""",
    ),
    "seq": Refused(
        "unknown-key",
        "an item of a seq has one key",
        """\
inputs: {x: [4]}
nodes:
  y: {from: x, seq: [{Linear: 4, ReLU: null}]}
outputs: y
""",
    ),
    "block": Refused(
        "unknown-block",
        "no block is called 'stem'",
        """\
blocks: {step: {params: {width: 4}, seq: [{Linear: $width}]}}
inputs: {x: [4]}
nodes:
  y: {block: stem, from: x}
outputs: y
""",
    ),
    "scan": Refused(
        "missing-key",
        "scan needs over",
        """\
blocks:
  cell:
    inputs: [x, h]
    nodes:
      next: {merge: add, from: [x, h]}
    outputs: {y: next, h: next}
inputs: {x: [T, 4], h0: [4]}
nodes:
  y: {scan: cell, from: {x: x}, carry: {h: h0}}
outputs: {y: y.y}
""",
    ),
    "carry": Refused(
        "carry-mismatch",
        "h must keep its shape and dtype from step to step: it begins as (N, 4), and the block gives (N, 8)",
        """\
blocks:
  cell:
    inputs: [x, h]
    nodes:
      next: {merge: concat, from: [x, h]}
    outputs: {y: next, h: next}
inputs: {x: [T, 4], h0: [4]}
nodes:
  y: {scan: cell, over: x, carry: {h: h0}}
outputs: {y: y.y}
""",
    ),
    "share": Refused(
        "unknown-option",
        "a share takes no options",
        """\
inputs: {x: [4]}
nodes:
  a: {layer: Linear, from: x, out_features: 2}
  y: {share: a, from: x, out_features: 3}
outputs: [a, y]
""",
    ),
    "parameter": Refused(
        "missing-option",
        "parameter needs init",
        """\
inputs: {x: [4]}
nodes:
  bias: {parameter: [4]}
  y: {merge: add, from: [x, bias], broadcast: true}
outputs: y
""",
    ),
    "buffer": Refused(
        "bad-option",
        "the values are of shape (3,), but the tensor is (4,)",
        """\
inputs: {x: [4]}
nodes:
  scale: {buffer: [4], init: [1, 2, 3]}
  y: {merge: add, from: [x, scale], broadcast: true}
outputs: y
""",
    ),
    "arange": Refused(
        "missing-option",
        "arange of a source needs dim",
        """\
inputs: {x: [T, 4]}
nodes:
  y: {arange: x}
outputs: y
""",
    ),
    "zeros": Refused(
        "bad-option",
        "shape of zeros must be null or a list, each a size, not ['T']",
        """\
inputs: {x: [T]}
nodes:
  y: {zeros: [T], like: x}
outputs: y
""",
    ),
    "ones": Refused(
        "missing-option",
        "ones needs a shape or like",
        """\
inputs: {x: [T]}
nodes:
  y: {ones: true}
outputs: [x, y]
""",
    ),
    "random": Refused(
        "bad-option",
        "distribution of random must be 'normal' or 'uniform', not 'gaussian'",
        """\
inputs: {x: [4]}
nodes:
  y: {random: gaussian, like: x}
outputs: y
""",
    ),
    "from": Refused(
        "unknown-source",
        "no input or node is called 'z'",
        """\
inputs: {x: [4]}
nodes:
  y: {layer: Linear, from: z, out_features: 2}
outputs: y
""",
    ),
    "each": Refused(
        "unknown-key",
        "y has each, so it cannot have from",
        """\
inputs: {a: [4], b: [4]}
nodes:
  y: {layer: Linear, each: [a, b], from: a, out_features: 2}
outputs: {a: y.a, b: y.b}
""",
    ),
    "with": Refused(
        "bad-option",
        "out_features must be a list of 2, one value for each source",
        """\
inputs: {a: [4], b: [4]}
nodes:
  y: {layer: Linear, each: [a, b], with: {out_features: [2, 3, 4]}}
outputs: {a: y.a, b: y.b}
""",
    ),
    "take": Refused(
        "unknown-port",
        "GRU has no port 'cell'",
        """\
inputs: {x: [T, 4]}
nodes:
  y: {layer: GRU, from: x, hidden_size: 8, take: cell}
outputs: y
""",
    ),
    "over": Refused(
        "bad-option",
        "over: axis 0 is the batch already",
        """\
inputs: {x: [T, 4]}
nodes:
  y: {layer: Linear, from: x, out_features: 2, over: 0}
outputs: y
""",
    ),
    "freeze": Refused(
        "wrong-type",
        "freeze must be true, false or until CHILD, not 'some'",
        """\
inputs: {x: [4]}
nodes:
  y: {layer: Linear, from: x, out_features: 2, freeze: some}
outputs: y
""",
    ),
    "lr": Refused(
        "bad-option",
        "lr must be at least 0, not -0.1",
        """\
inputs: {x: [4]}
nodes:
  y: {layer: Linear, from: x, out_features: 2, lr: -0.1}
outputs: y
""",
    ),
    "lora": Refused(
        "missing-option",
        "lora needs on",
        """\
inputs: {x: [4]}
nodes:
  y: {from: x, seq: [{Linear: 4}], lora: {rank: 8}}
outputs: y
""",
    ),
    "weight_decay": Refused(
        "wrong-type",
        "weight_decay must be a number, not 'none'",
        """\
inputs: {x: [4]}
nodes:
  y: {layer: Linear, from: x, out_features: 2, weight_decay: none}
outputs: y
""",
    ),
    "activation": Refused(
        "unknown-layer",
        "no layer is called 'relu'",
        """\
inputs: {x: [4]}
nodes:
  y: {layer: Linear, from: x, out_features: 2, activation: relu}
outputs: y
""",
    ),
    "repeat": Refused(
        "bad-option",
        "repeat must be a whole number of times, at least 0",
        """\
blocks: {step: {params: {width: 4}, seq: [{Linear: $width}]}}
inputs: {x: [4]}
nodes:
  y: {block: step, from: x, repeat: 1.5}
outputs: y
""",
    ),
    "shape": Refused(
        "bad-option",
        "a size must be at least 1",
        """\
inputs: {x: {shape: [4, 0]}}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    ),
    "dtype": Refused(
        "bad-option",
        "no dtype is called 'float'",
        """\
inputs: {x: {shape: [4], dtype: float}}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    ),
    "vocab": Refused(
        "bad-option",
        "an input with a vocab must have an integer dtype",
        """\
inputs: {x: {vocab: 50, dtype: float32}}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    ),
    "optional": Refused(
        "optional-source",
        "z is optional: add must say what to do without it",
        """\
inputs: {x: [4], z: {shape: [4], optional: true}}
nodes: {y: {merge: add, from: [x, z]}}
outputs: y
""",
    ),
    "only": Refused(
        "bad-option",
        "only must be training",
        """\
inputs: {x: [4]}
nodes: {y: {layer: ReLU, from: x}}
outputs: {y: y, z: {from: x, only: eval}}
""",
    ),
    "batch_dim": Refused(
        "bad-option",
        "batch_dim 2 is out of range for y, (N, 4)",
        """\
inputs: {x: [4]}
nodes: {y: {layer: ReLU, from: x}}
outputs: {y: {from: y, batch_dim: 2}}
""",
    ),
    "parameters": Refused(
        "wrong-type",
        "parameters must be a whole number such as 20M, not '20MB'",
        """\
limits: {parameters: 20MB}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: 8}}
outputs: y
""",
    ),
    "trainable": Refused(
        "over-limit",
        "40 trainable parameters exceed the limit of 20",
        """\
limits: {trainable: 20}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: 8}}
outputs: y
""",
    ),
    "macs": Refused(
        "over-limit",
        "192 MACs per sample at T = 6 exceed the limit of 100",
        """\
limits: {macs: 100, sizes: {T: 6}}
inputs: {x: [T, 4]}
nodes: {y: {layer: Linear, from: x, out_features: 8}}
outputs: y
""",
    ),
    "activations": Refused(
        "over-limit",
        "32 bytes of activations per sample exceed the limit of 16",
        """\
limits: {activations: 16}
inputs: {x: [4]}
nodes: {y: {layer: Linear, from: x, out_features: 8}}
outputs: y
""",
    ),
    "sizes": Refused(
        "unknown-param",
        "the graph has no size named 'L'",
        """\
limits: {macs: 1M, sizes: {L: 6}}
inputs: {x: [T, 4]}
nodes: {y: {layer: Linear, from: x, out_features: 8}}
outputs: y
""",
    ),
    "times": Refused(
        "symbolic-size",
        "repeat must be a number, but it is T",
        """\
blocks: {step: {params: {width: 4}, seq: [{Linear: $width}]}}
inputs: {x: [T, 4]}
nodes:
  y: {block: step, from: x, repeat: {times: $T}}
outputs: y
""",
    ),
    "shared": Refused(
        "bad-option",
        "a shared repeat uses one module each time, so it cannot have with",
        """\
blocks: {step: {params: {width: 4}, seq: [{Linear: $width}]}}
inputs: {x: [4]}
nodes:
  y: {block: step, from: x, repeat: {shared: true, with: {width: [4, 8]}}}
outputs: y
""",
    ),
    "index": Refused(
        "unknown-param",
        "step has no input or param called 'i'",
        """\
blocks: {step: {params: {width: 4}, seq: [{Linear: $width}]}}
inputs: {x: [4]}
nodes:
  y: {block: step, from: x, repeat: {times: 2, index: i}}
outputs: y
""",
    ),
    "collect": Refused(
        "unknown-port",
        "pair has several outputs: choose one to collect",
        """\
blocks:
  pair:
    inputs: [x]
    nodes:
      a: {layer: Linear, from: x, out_features: 4}
    outputs: {x: a, extra: a}
inputs: {x: [4]}
nodes:
  y: {block: pair, from: x, repeat: {times: 3, collect: true}}
outputs: {y: y.steps}
""",
    ),
    "batched": Refused(
        "bad-option",
        "batched of parameter must be true or false, not 1",
        """\
inputs: {x: [4]}
nodes:
  y: {parameter: [1, 4], init: zeros, batched: 1}
outputs: [x, y]
""",
    ),
    "init": Refused(
        "bad-option",
        "no init is called 'gaussian'",
        """\
inputs: {x: [4]}
nodes:
  y: {parameter: [4], init: gaussian}
outputs: [x, y]
""",
    ),
    "broadcast": Refused(
        "shape-mismatch",
        "add needs equal shapes",
        """\
inputs: {a: [8, 4], b: [1, 4]}
nodes:
  y: {merge: add, from: [a, b]}
outputs: y
""",
    ),
    "missing": Refused(
        "bad-option",
        "missing of average must be 'skip' or null, not 'ignore'",
        """\
inputs: {x: [4], z: {shape: [4], optional: true}}
nodes:
  y: {merge: average, from: [x, z], missing: ignore}
outputs: y
""",
    ),
}
