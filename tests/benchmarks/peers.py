"""The same models in other libraries, each imported only where it is used, as none has to be installed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tests.helpers.handwritten import SimpleNumerical

Forward = Callable[..., Any]


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


def _konfai(name: str, kind: str, branch: int = 0, **options: Any) -> str:
    """Return a module in KonfAI's YAML."""
    args = ", ".join(f"{key}: {value}" for key, value in options.items())
    route = f"in_branch: [{branch}], out_branch: [{branch}]"
    return f"  - {{name: {name}, type: {kind}, {route}, args: {{{args}}}}}"


def konfai(*modules: str) -> Forward:
    """Read and build a model of KonfAI with these modules."""
    from konfai.utils.model_builder import build_model_from_yaml

    model = build_model_from_yaml("\n".join(("name: Model", "modules:", *modules)))

    def forward(*inputs: Tensor) -> Any:
        result = None
        for _, returned in model.named_forward(*inputs):
            result = returned  # of each module; that of the last one is the model's
        return result

    return forward


def konfai_simple() -> Forward:
    """Return the two-numeric model in KonfAI."""
    return konfai(
        _konfai("A", "Linear", in_features=5, out_features=32),
        _konfai("ReluA", "ReLU"),
        _konfai("B", "Linear", branch=1, in_features=10, out_features=32),
        _konfai("ReluB", "ReLU", branch=1),
        "  - {name: Joined, type: Concat, in_branch: [0, 1]}",
        _konfai("Score", "Linear", in_features=64, out_features=1),
    )


def konfai_branch() -> Forward:
    """Return `image_branch.yaml` in KonfAI."""
    return konfai(
        _konfai("Conv", "Conv2d", in_channels=3, out_channels=16, kernel_size=3),
        _konfai("Relu", "ReLU"),
        _konfai("Pool", "MaxPool", dim=2, kernel_size=2),
        _konfai("Flatten", "Flatten"),
        _konfai("Score", "Linear", in_features=3600, out_features=1),
    )


def mlnode_data(shape: list[int], *layers: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the data of MLnode for layers in a row; it has one shape for all inputs."""
    nodes: list[dict[str, Any]] = [{"id": "n0", "type": "Input", "params": {}}]
    nodes += [
        {"id": f"n{i}", "type": kind, "params": params}
        for i, (kind, params) in enumerate(layers, 1)
    ]
    edges = [{"source": f"n{i}", "target": f"n{i + 1}"} for i in range(len(layers))]
    head = {"mlnode_schema_version": "1.0", "input_shape": ["B", *shape]}
    return {**head, "nodes": nodes, "edges": edges, "output_node": f"n{len(layers)}"}


def _mlnode(data: dict[str, Any]) -> Any:
    """Return the graph of data in MLnode, which is not checked or built yet."""
    from mlnode import MLnodeModel

    return MLnodeModel.from_dict(data)


def mlnode(text: str) -> Any:
    """Return the graph of a JSON text in MLnode."""
    return _mlnode(json.loads(text))


def mlnode_built(text: str) -> Any:
    """Return the module of a JSON text in MLnode."""
    return mlnode(text).build()


def mlnode_branch() -> Any:
    """Return the graph of `image_branch.yaml` in MLnode."""
    data = mlnode_data(
        [3, 32, 32],
        ("Conv2d", {"in_channels": 3, "out_channels": 16, "kernel_size": 3}),
        ("ReLU", {}),
        ("MaxPool2d", {"kernel_size": 2}),
        ("Flatten", {}),
        ("Linear", {"in_features": 3600, "out_features": 1}),
    )
    return _mlnode(data)


SIMPLE: Mapping[str, Callable[[], Forward]] = {
    "keras": keras_simple,
    "pytorch_symbolic": pytorch_symbolic_simple,
    "tensordict": tensordict_simple,
    "konfai": konfai_simple,
}
BRANCH: Mapping[str, Callable[[], Forward]] = {
    "mlnode": lambda: mlnode_branch().build(),  # type: ignore[no-any-return]
    "konfai": konfai_branch,
}

# models of layers in a row, each Linear from 64 to 64, or ReLU


def torch_layer(kind: str) -> nn.Module:
    return nn.ReLU() if kind == "ReLU" else nn.Linear(64, 64)


def options(kind: str) -> dict[str, int]:
    return {} if kind == "ReLU" else {"in_features": 64, "out_features": 64}


@deep_recursion()
def keras_chain(nodes: int, kind: str) -> Any:
    x = first = keras().Input((64,))
    for _ in range(nodes):
        x = (keras().layers.ReLU() if kind == "ReLU" else keras().layers.Dense(64))(x)
    return keras().Model(first, x)


def pytorch_symbolic_chain(nodes: int, kind: str) -> Any:
    from pytorch_symbolic import Input, SymbolicModel

    x = first = Input((64,))
    for _ in range(nodes):
        x = torch_layer(kind)(x)
    return SymbolicModel(first, x)


def mlnode_shapes(row: Iterable[tuple[str, Mapping[str, Any]]], size: int) -> Callable[[], Any]:
    """Return what validates layers in a row, given as a dict, in MLnode, which wants their inputs' sizes
    as options."""
    layers = []
    for name, options in row:
        params = dict(options)
        if name == "Linear":
            params["in_features"], size = size, params["out_features"]
        elif name == "LayerNorm":
            params["normalized_shape"] = size
        layers.append((name, params))
    data = mlnode_data([64], *layers)
    return lambda: _mlnode(data).validate()


def tensordict_chain(nodes: int, kind: str) -> Any:
    from tensordict import TensorDict
    from tensordict.nn import TensorDictModule, TensorDictSequential

    modules = [TensorDictModule(torch_layer(kind), ["x"], ["x"]) for _ in range(nodes)]
    model = TensorDictSequential(*modules)
    return lambda x: model(TensorDict({"x": x}, batch_size=[len(x)]))["x"]


def mlnode_chain(nodes: int, kind: str) -> str:
    return json.dumps(mlnode_data([64], *[(kind, options(kind))] * nodes))


def konfai_chain(nodes: int, kind: str) -> list[str]:
    return [_konfai(f"N{i}", kind, **options(kind)) for i in range(nodes)]


# a declaration, and the function that makes a model of it
CHAINS: Mapping[str, Callable[[int, str], Callable[[], Any]]] = {
    "keras": lambda *chain: partial(keras_chain, *chain),
    "pytorch_symbolic": lambda *chain: partial(pytorch_symbolic_chain, *chain),
    "tensordict": lambda *chain: partial(tensordict_chain, *chain),
    "mlnode": lambda *chain: partial(mlnode_built, mlnode_chain(*chain)),
    "konfai": lambda *chain: partial(konfai, *konfai_chain(*chain)),
}
