"""Models in MLnode's format, and the tables that they are made from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

Data = dict[str, Any]
Edges = list[Any]


def model(
    shape: list[Any], nodes: dict[str, Any], edges: Edges, output: str = "", **more: Any
) -> Data:
    """Return a file: nodes are [type, params] by id, or a mapping of all keys; edges are pairs of ids,
    or a mapping. The last node is the result."""
    return {
        "mlnode_schema_version": "1.1" if "custom_layers" in more else "1.0",
        "input_shape": shape,
        **body(nodes, edges, output),
        **more,
    }


def body(nodes: dict[str, Any], edges: Edges, output: str = "", **more: Any) -> Data:
    """Return the part that blocks and custom layers have as well."""
    listed = [
        {"id": id, "type": node[0], "params": dict(node[1:] and node[1])}
        if isinstance(node, list)
        else {"id": id, "params": {}, **node}
        for id, node in nodes.items()
    ]
    ends = [
        one if isinstance(one, dict) else dict(zip(("source", "target"), one, strict=True))
        for one in edges
    ]
    return {"nodes": listed, "edges": ends, "output_node": output or list(nodes)[-1], **more}


def chain(shape: list[Any], *layers: list[Any]) -> Data:
    """Return a model of layers one after another."""
    nodes = {"input": ["Input"], **{f"node{index}": one for index, one in enumerate(layers)}}
    ids = list(nodes)
    return model(shape, nodes, list(pairwise(ids)))


FIRST = {"batch_first": True}
LINEAR = ["Linear", {"in_features": 8, "out_features": 8}]
RESIDUAL = body(
    {
        "in": ["Input"],
        "conv": ["Conv2d", {"in_channels": 4, "out_channels": 4, "kernel_size": 3, "padding": 1}],
        "bn": ["BatchNorm2d", {"num_features": 4}],
        "sum": ["Add"],
        "relu": ["ReLU"],
    },
    [("in", "conv"), ("conv", "bn"), ("bn", "sum"), ("in", "sum"), ("sum", "relu")],
    input_node="in",
)
GATED = {
    "params": {
        "dim": {"type": "int"},
        "expansion": {"type": "int", "default": 2},
        "bias": {"type": "bool", "default": False},
    },
    **body(
        {
            "x": ["Input"],
            "gate": ["Input"],
            "up": [
                "Linear",
                {"in_features": "$dim", "out_features": "${dim * expansion}", "bias": "$bias"},
            ],
            "down": ["Linear", {"in_features": "${dim * expansion}", "out_features": "$dim"}],
            "product": ["Multiply"],
        },
        [("x", "up"), ("up", "down"), ("down", "product"), ("gate", "product")],
    ),
}
OUTER = {
    "params": {"dim": {"type": "int"}},
    **body(
        {
            "x": ["Input"],
            "inner": {"type": "custom", "layer": "Gated", "params": {"dim": "$dim"}},
        },
        [
            {"source": "x", "target": "inner", "target_port": "gate"},
            {"source": "x", "target": "inner", "target_port": "x"},
        ],
    ),
}

MODELS: dict[str, Data] = {
    "linear": chain(["B", 8], LINEAR, ["ReLU"], ["Dropout", {"p": 0.0}]),
    "convolutions": chain(
        ["B", 3, 16, 16],
        ["Conv2d", {"in_channels": 3, "out_channels": 6, "kernel_size": 3, "stride": 2}],
        ["MaxPool2d", {"kernel_size": 2}],
        ["GroupNorm", {"num_groups": 2, "num_channels": 6}],
        ["AdaptiveAvgPool2d", {"output_size": 2}],
        ["Flatten"],
        ["Linear", {"in_features": 24, "out_features": 2, "bias": False}],
        ["Softmax", {"dim": -1}],
    ),
    "reshapes": chain(
        ["B", 4, 6],
        ["Reshape", {"shape": [-1, 2, 12]}],
        ["Permute", {"dims": [0, 2, 1]}],
        ["Unsqueeze", {"dim": 2}],
        ["Squeeze", {"dim": 2}],
        ["Transpose", {"dim0": 1, "dim1": 2}],
        ["View", {"shape": [-1, 24]}],
    ),
    "recurrent": chain(
        ["B", "Seq", 5],
        ["LSTM", {"input_size": 5, "hidden_size": 4, "num_layers": 2, **FIRST}],
        ["GRU", {"input_size": 4, "hidden_size": 3, "bidirectional": True, **FIRST}],
        ["LayerNorm", {"normalized_shape": 6}],
    ),
    "text": chain(
        ["B", "Seq"],
        ["Embedding", {"num_embeddings": 20, "embedding_dim": 8}],
        [
            "TransformerEncoder",
            {
                "d_model": 8,
                "nhead": 2,
                "dim_feedforward": 16,
                "num_layers": 2,
                "norm": True,
                "dropout": 0.0,
                **FIRST,
            },
        ],
        ["TransformerEncoderLayer", {"d_model": 8, "nhead": 2, "dropout": 0.0, **FIRST}],
        ["MultiheadAttention", {"embed_dim": 8, "num_heads": 4, **FIRST}],
        ["RMSNorm", {"normalized_shape": [8]}],
    ),
    "merges": model(
        ["B", 8],
        {
            "a": ["Input"],
            "b": ["Input"],
            "fa": LINEAR,
            "fb": LINEAR,
            "sum": ["Add"],
            "difference": ["Subtract"],
            "product": ["Multiply"],
            "ratio": ["Divide"],
            "joined": ["Concat", {"dim": 1}],
            "stacked": ["Stack", {"dim": 1}],
            "flat": ["Flatten"],
            "last": {"type": "Concat"},
        },
        [
            ("a", "fa"),
            ("b", "fb"),
            ("fa", "sum"),
            ("fb", "sum"),
            ("a", "sum"),
            ("sum", "difference"),
            ("fa", "difference"),
            ("sum", "product"),
            ("difference", "product"),
            ("product", "ratio"),
            ("fb", "ratio"),
            ("ratio", "joined"),
            ("a", "joined"),
            ("fa", "stacked"),
            ("fb", "stacked"),
            ("stacked", "flat"),
            ("flat", "last"),
            ("joined", "last"),
        ],
    ),
    "reductions": model(
        ["B", 8],
        {
            "x": ["Input"],
            "y": ["Input"],
            "joined": {
                "type": "Linear",
                "params": {"in_features": 16, "out_features": 8},
                "reduction": "concat",
            },
            "added": {**dict(zip(("type", "params"), LINEAR, strict=True)), "reduction": "add"},
            "stacked": {"type": "Identity", "reduction": "stack", "reduction_dim": 1},
        },
        [
            ("x", "joined"),
            ("y", "joined"),
            ("joined", "added"),
            ("x", "added"),
            ("added", "stacked"),
            ("y", "stacked"),
        ],
    ),
    "shared": model(
        ["B", 8],
        {
            "x": ["Input"],
            "y": ["Input"],
            "left": {"type": "Linear", "params": LINEAR[1], "shared_id": "tower"},
            "right": {"type": "Linear", "params": LINEAR[1], "shared_id": "tower"},
            "sum": ["Add"],
        },
        [("x", "left"), ("y", "right"), ("left", "sum"), ("right", "sum")],
    ),
    "split": model(
        ["B", 9],
        {
            "x": ["Input"],
            "parts": {
                "type": "Split",
                "params": {"split_size_or_sections": [3, 6], "dim": 1},
                "outputs": ["head", "tail"],
            },
            "fc": ["Linear", {"in_features": 6, "out_features": 3}],
            "sum": ["Add"],
        },
        [
            ("x", "parts"),
            {"source": "parts", "source_port": "tail", "target": "fc"},
            ("fc", "sum"),
            {"source": "parts", "source_port": "head", "target": "sum"},
        ],
    ),
    "attention": model(
        ["B", "Seq", 8],
        {
            "src": ["Input"],
            "tgt": ["Input"],
            "cross": ["MultiheadAttention", {"embed_dim": 8, "num_heads": 2, **FIRST}],
            "decoder": [
                "TransformerDecoder",
                {
                    "d_model": 8,
                    "nhead": 2,
                    "dim_feedforward": 12,
                    "num_layers": 1,
                    "dropout": 0.0,
                    **FIRST,
                },
            ],
            "both": ["Bilinear", {"in1_features": 8, "in2_features": 8, "out_features": 3}],
        },
        [
            {"source": "src", "target": "cross", "target_port": "value"},
            {"source": "tgt", "target": "cross", "target_port": "query"},
            ("cross", "decoder"),
            ("src", "decoder"),
            ("decoder", "both"),
            ("tgt", "both"),
        ],
    ),
    "blocks": model(
        ["B", 4, 8, 8],
        {
            "in": ["Input"],
            "res 1": {"type": "Block", "block": RESIDUAL},
            "res 2": {"type": "Block", "block": RESIDUAL},
            "outer": {
                "type": "Block",
                "block": body(
                    {
                        "first": ["Input"],
                        "inner": {"type": "Block", "block": RESIDUAL},
                        "pool": ["AvgPool2d", {"kernel_size": 2}],
                    },
                    [("first", "inner"), ("inner", "pool")],
                    input_node="first",
                ),
            },
        },
        [("in", "res 1"), ("res 1", "res 2"), ("res 2", "outer")],
    ),
    "custom layers": model(
        ["B", 8],
        {
            "x": ["Input"],
            "one": {"type": "custom", "layer": "Gated", "params": {"dim": 8}},
            "two": {
                "type": "custom",
                "layer": "Gated",
                "params": {"dim": 8, "expansion": 3, "bias": True},
            },
            "three": {"type": "custom", "layer": "Outer", "params": {"dim": 8}},
        },
        [("x", "one"), ("x", "one"), ("one", "two"), ("x", "two"), ("two", "three")],
        custom_layers={"Gated": GATED, "Outer": OUTER},
    ),
    "odd names": model(
        ["B", 8],
        {"1st input": ["Input"], "lambda": LINEAR, "for": LINEAR, "Ünï": LINEAR},
        [("1st input", "lambda"), ("lambda", "for"), ("for", "Ünï")],
    ),
}
