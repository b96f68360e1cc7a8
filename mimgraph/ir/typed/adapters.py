"""Find the layers that peft can adapt, and compute the tensors of its adapters, without torch or peft."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mimgraph.ir.lowering import Module
from mimgraph.ir.typed.operations import Leaf, Shared, TypedOperation
from mimgraph.ir.typed.paths import join

Shape = tuple[int, ...]

CONVOLUTIONS = {"Conv1d": 3, "Conv2d": 4, "Conv3d": 5}  # with the axes of the weight
ADAPTABLE = ("Linear", "Embedding", *CONVOLUTIONS)


def adaptable(operation: TypedOperation, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of each layer in a module that peft can adapt, with its class in torch."""
    if isinstance(operation, Shared):
        return
    if isinstance(operation, Leaf) and operation.lowering.module is not None:
        for path, kind in _in_module(operation.lowering.module).items():
            yield join(before, path), kind
    for key, node in operation.inner():
        yield from adaptable(node.operation, join(before, key))


def _in_module(module: Module) -> Mapping[str, str]:
    """Return the layers in a module by path; the module itself has the path ""."""
    if module.layers is not None:
        return module.layers
    if module.own is not None or module.package != "nn":
        return dict(_guessed(module.weights))
    is_plain = module.name in ADAPTABLE and module.argument("groups") in (None, 1)
    return {"": module.name} if is_plain else {}


def _guessed(weights: Mapping[str, Shape]) -> Iterator[tuple[str, str]]:
    """Yield the layers of a model of which only the shapes are known, by the axes of their weights."""
    by_axes = {axes: name for name, axes in CONVOLUTIONS.items()}
    for key, shape in weights.items():
        path, _, name = key.rpartition(".")
        if name == "weight" and len(shape) == 2:
            yield path, "Embedding" if "embed" in path.lower() else "Linear"
        elif name == "weight" and len(shape) in by_axes:
            yield path, by_axes[len(shape)]


def adapter_tensors(kind: str, weight: Shape, rank: int) -> dict[str, Shape]:
    """Return the tensors that peft adds to a layer of this class with this weight, by key.

    >>> adapter_tensors("Linear", (6, 8), 2)
    {'lora_A.default.weight': (2, 8), 'lora_B.default.weight': (6, 2)}
    """
    out, into, *kernel = weight
    if kind == "Embedding":
        return {"lora_embedding_A.default": (rank, out), "lora_embedding_B.default": (into, rank)}
    ones = (1,) * len(kernel)
    return {
        "lora_A.default.weight": (rank, into, *kernel),
        "lora_B.default.weight": (out, rank, *ones),
    }
