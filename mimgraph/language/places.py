"""The keys that each part of a spec may have; `PLACES` names a part as messages do, "an input"."""

from __future__ import annotations

from mimgraph.ir.names import CONSTANTS, NODE_WORDS, TRAINING

PLACES = {
    "a spec": (
        "mimgraph",
        "name",
        "doc",
        "params",
        "parts",
        "limits",
        "inputs",
        "blocks",
        "nodes",
        "outputs",
    ),
    "a param": ("search", "default"),
    "a search": ("int", "float", "step", "log"),
    "limits": ("parameters", "trainable", "macs", "activations", "sizes"),
    "an input": ("shape", "dtype", "vocab", "doc", "optional"),
    "an input of a block": ("shape", "dtype", "vocab", "optional"),
    "a block": ("params", "inputs", "nodes", "outputs", "seq", "doc"),
    "a node": (*NODE_WORDS, *TRAINING, *CONSTANTS),
    "an item of a seq": ("take", "over", "activation", "freeze", *TRAINING, "repeat"),
    "repeat": ("times", "shared", "with", "index", "collect"),
    "an output": ("from", "only", "batch_dim", "doc"),
    "an output of a block": ("from",),
}
