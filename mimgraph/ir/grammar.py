"""The keys of a spec in canonical order: which each part may have, and what stands as the value of each.

A value is one of the `PLACES`, a mapping with fixed keys; one of `BY_NAME`, a mapping from names of the
user's, or a list, of such parts; or a kind of value that only code knows, such as "sources".
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TypeAlias

# the keys that say what a node does
OPS = ("layer", "merge", "seq", "block", "scan", "share", "parameter", "buffer", "arange")
# these too, unless another does: beside that they are options
CONSTANTS = ("zeros", "ones", "random")
KINDS = (*OPS, *CONSTANTS)
BESIDE = ("take", "over", "freeze")  # of every node, beside the options of its operation
# of every node too, unless its operation has an option of that name, as a block's params may have
TRAINING = ("lr", "weight_decay", "lora")
# the keys of a node that no block may have as a param
NODE_WORDS = ("from", "each", "with", "activation", *BESIDE, "repeat", "carry", *OPS)
# these stand among the options of a node, in the author's order
AMONG_OPTIONS = ("with", "shared", "activation", "repeat", "like", "seq")
OPTIONS = ""  # stands for the options of an operation, or the params of a block

Kinds: TypeAlias = Mapping[str, str]  # the kind of the value of each key

_TRAINED = dict.fromkeys(TRAINING, "training")
_COMMON = {"take": "port", "over": "data", "freeze": "flag", **_TRAINED}
_FED = {"each": "each", "from": "sources"}
_OF_EACH = {"with": "columns", "shared": "flag"}
_OF_OP = {OPTIONS: "option", **_OF_EACH, "activation": "activation", **_COMMON}
_MADE = {OPTIONS: "data", **_COMMON}
_INPUT = {"shape": "shape", "dtype": "dtype", "vocab": "count", "optional": "switch"}

# the keys of a node by the key that says what it does
NODES: Mapping[str, Kinds] = {
    "layer": {"layer": "layer", **_FED, **_OF_OP},
    "merge": {"merge": "merge", "expr": "formula", "equation": "data", **_FED, **_OF_OP},
    "seq": {**_FED, OPTIONS: "data", "seq": "chain", "shared": "flag", **_COMMON},
    "block": {
        "block": "block",
        **_FED,
        OPTIONS: "param",
        **_OF_EACH,
        "repeat": "repeat",
        **_COMMON,
    },
    "scan": {
        "scan": "block",
        "from": "sources",
        "over": "scanned",
        "carry": "carried",
        OPTIONS: "param",
        "take": "port",
        "freeze": "flag",
        **_TRAINED,
    },
    "share": {"share": "shared", **_FED, "over": "data"},
    "parameter": {"parameter": "data", **_MADE},
    "buffer": {"buffer": "data", **_MADE},
    "arange": {"arange": "counted", **_MADE},
    **{kind: {kind: "data", "like": "source", **_MADE} for kind in CONSTANTS},
}

PLACES: Mapping[str, Kinds] = {
    "a spec": {
        "mimgraph": "version",
        "name": "class name",
        "doc": "text",
        "parts": "parts",
        "limits": "limits",
        "params": "params",
        "inputs": "inputs",
        "blocks": "blocks",
        "nodes": "nodes",
        "outputs": "outputs",
    },
    "limits": {
        **dict.fromkeys(("parameters", "trainable", "macs", "activations"), "amount"),
        "sizes": "sizes",
    },
    "a param": {"search": "a search", "default": "default"},
    "a search": {"int": "bounds", "float": "bounds", "step": "number", "log": "flag"},
    "an input": {**_INPUT, "doc": "text"},
    "an input of a block": _INPUT,
    "a block": {
        "doc": "text",
        "params": "params",
        "inputs": "inputs of a block",
        "seq": "chain",
        "nodes": "nodes",
        "outputs": "outputs of a block",
    },
    "a node": {
        **dict.fromkeys((*NODE_WORDS, *TRAINING, *CONSTANTS), "data"),
        **{
            key: value
            for keys in NODES.values()
            for key, value in keys.items()
            if key in NODE_WORDS
        },
    },
    "an item of a seq": {
        OPTIONS: "param",
        "activation": "activation",
        "repeat": "repeat",
        **_COMMON,
    },
    "repeat": {
        "times": "data",
        "shared": "flag",
        "with": "columns",
        "index": "argument",
        "collect": "output",
    },
    "an output": {"from": "source", "only": "only", "batch_dim": "axis", "doc": "text"},
    "an output of a block": {"from": "source"},
}

# the part that each name in a section stands for
BY_NAME: Mapping[str, str] = {
    "params": "a param",
    "inputs": "an input",
    "inputs of a block": "an input of a block",
    "blocks": "a block",
    "nodes": "a node",
    "outputs": "an output",
    "outputs of a block": "an output of a block",
}


def kind_of(keys: Container[str]) -> str:
    """Return which of its keys says what a node does; "" if none does."""
    return next((kind for kind in KINDS if kind in keys), "")


def keys_of(place: str, given: Container[str]) -> Kinds:
    """Return the keys that a part may have beside those that are given, with the kinds of their values."""
    if place == "a node":
        return NODES.get(kind_of(given), PLACES[place])
    return PLACES.get(place, {})


def value_of(place: str, key: str, given: Container[str]) -> str:
    """Return the kind of the value of a key; one that no node of its kind has is a mistake, and means
    what it does in other nodes."""
    keys = keys_of(place, given)
    if key not in keys and place == "a node" and key in NODE_WORDS:
        keys = PLACES[place]
    return keys.get(key, keys.get(OPTIONS, "data"))
