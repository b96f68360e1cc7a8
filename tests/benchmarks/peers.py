"""The same models in other libraries, each imported only where it is used, as none has to be installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from tests.benchmarks.case import Cost, clocked
from tests.helpers.handwritten import SimpleNumerical

Forward = Callable[[Tensor, Tensor], Any]


def keras() -> Any:
    """Return Keras on torch."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    return keras


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let Keras recurse through 10,000 layers; under this limit json overflows the stack of C."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def keras_simple() -> Forward:
    """Return the two-numeric model in Keras."""
    Dense, Input = keras().layers.Dense, keras().Input
    sources = [Input((5,)), Input((10,))]
    joined = keras().layers.Concatenate()([Dense(32, "relu")(x) for x in sources])
    model = keras().Model(sources, Dense(1)(joined))
    return lambda *inputs: model(inputs)


def pytorch_symbolic_simple() -> Forward:
    """Return the two-numeric model in pytorch-symbolic."""
    from pytorch_symbolic import Input, SymbolicModel, useful_layers

    sources = [Input((5,)), Input((10,))]
    relu = nn.ReLU()
    vectors = [relu(nn.Linear(x.shape[1], 32)(x)) for x in sources]
    joined = useful_layers.ConcatLayer(dim=1)(*vectors)
    return SymbolicModel(sources, nn.Linear(64, 1)(joined))


def tensordict_simple() -> Forward:
    """Return the two-numeric model in tensordict."""
    from tensordict import TensorDict
    from tensordict.nn import TensorDictModule, TensorDictSequential

    by_hand = SimpleNumerical()
    model = TensorDictSequential(
        TensorDictModule(nn.Sequential(by_hand.fc1, nn.ReLU()), ["input1"], ["x1"]),
        TensorDictModule(nn.Sequential(by_hand.fc2, nn.ReLU()), ["input2"], ["x2"]),
        TensorDictModule(lambda a, b: torch.cat((a, b), 1), ["x1", "x2"], ["joined"]),
        TensorDictModule(by_hand.fc3, ["joined"], ["score"]),
    )

    def forward(input1: Tensor, input2: Tensor) -> Any:
        given = TensorDict({"input1": input1, "input2": input2}, batch_size=[len(input1)])
        return model(given)["score"]

    return forward


SIMPLE: Mapping[str, Callable[[], Forward]] = {
    "keras": keras_simple,
    "pytorch_symbolic": pytorch_symbolic_simple,
    "tensordict": tensordict_simple,
}


@deep_recursion()
def keras_chain(nodes: int) -> Any:
    """Return a model of `nodes` layers in a row."""
    x = first = keras().Input((64,))
    for _ in range(nodes):
        x = keras().layers.Dense(64)(x)
    return keras().Model(first, x)


@deep_recursion()
def keras_relus(nodes: int) -> Any:
    """Return a model of `nodes` element-wise layers in a row."""
    x = first = keras().Input((64,))
    for _ in range(nodes):
        x = keras().layers.ReLU()(x)
    return keras().Model(first, x)


def pytorch_symbolic_chain(nodes: int) -> nn.Module:
    """Return a model of `nodes` layers in a row."""
    from pytorch_symbolic import Input, SymbolicModel

    x = first = Input((64,))
    for _ in range(nodes):
        x = nn.Linear(64, 64)(x)
    return SymbolicModel(first, x)


def mlnode_shapes(row: Iterable[tuple[str, Mapping[str, Any]]], size: int) -> Callable[[], Any]:
    """Return what validates layers in a row, given as a dict, in MLnode, which wants their inputs' sizes
    as options."""
    from mlnode import MLnodeModel

    nodes: list[dict[str, Any]] = [{"id": "x", "type": "Input", "params": {}}]
    for index, (name, options) in enumerate(row):
        params = dict(options)
        if name == "Linear":
            params["in_features"], size = size, params["out_features"]
        elif name == "LayerNorm":
            params["normalized_shape"] = size
        nodes.append({"id": f"{name.lower()}_{index}", "type": name, "params": params})
    ids = [node["id"] for node in nodes]
    data = {
        "mlnode_schema_version": "1.0",
        "input_shape": ["B", 64],
        "nodes": nodes,
        "edges": [{"source": one, "target": other} for one, other in pairwise(ids)],
        "output_node": ids[-1],
    }
    return lambda: MLnodeModel.from_dict(data).validate()


def building(peer: str, nodes: int) -> Cost:
    """Return the cost of building `nodes` layers in a row in a peer that is imported and warm."""
    CHAINS[peer](2)
    return clocked(lambda: CHAINS[peer](nodes), nodes)


CHAINS: Mapping[str, Callable[[int], Any]] = {
    "keras": keras_chain,
    "pytorch_symbolic": pytorch_symbolic_chain,
}
