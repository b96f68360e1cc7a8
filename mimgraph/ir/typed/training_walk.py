"""Walk the weights of a typed graph, each with the settings that apply to it; find the layers that peft
can adapt, and compute the tensors of its adapters, without torch or peft."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mimgraph.ir.lowering import Module
from mimgraph.ir.typed.graph import Body, TypedNode
from mimgraph.ir.typed.operations import Leaf, Shared, TypedOperation
from mimgraph.ir.typed.training import Adapter, Rate
from mimgraph.ir.typed.walks import is_part, join

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


class Settings(NamedTuple):
    """How one weight is trained: what the innermost node says that says anything."""

    is_frozen: bool = False
    lr: Rate | None = None
    weight_decay: float | None = None

    def inside(self, node: TypedNode) -> Settings:
        """Return the settings of the nodes inside a node."""
        frozen = self.is_frozen or node.freeze
        training = node.training
        if training is None:
            return self._replace(is_frozen=frozen)
        lr = self.lr if training.lr is None else training.lr
        decay = training.weight_decay
        return Settings(frozen, lr, self.weight_decay if decay is None else decay)


class Weight(NamedTuple):
    """A learned tensor: its key in the `state_dict`, its shape and its settings."""

    key: str
    shape: tuple[int, ...]
    settings: Settings


def weights_of(body: Body) -> Iterator[Weight]:
    """Yield every learned tensor of a graph; a shared module has its weights at the node that it is
    of."""
    for node in body.nodes:
        yield from weights_of_node(node, node.name, Settings())


def weights_of_node(node: TypedNode, path: str, around: Settings) -> Iterator[Weight]:
    """Yield the learned tensors of a node at a path, in a module with the settings `around` it."""
    if isinstance(node.operation, Shared):
        return
    found = _inside(node, path, around.inside(node))
    training = node.training
    if training is not None and training.lora is not None:
        found = _adapted(found, path, training.lora, around.is_frozen)
    elif training is not None and training.frozen_parts:
        parts = tuple(join(path, part) for part in training.frozen_parts)
        found = (
            _frozen(one) if any(is_part(one.key, part) for part in parts) else one for one in found
        )
    yield from found


def _frozen(weight: Weight) -> Weight:
    return weight._replace(settings=weight.settings._replace(is_frozen=True))


def _adapted(
    weights: Iterator[Weight], path: str, adapter: Adapter, is_frozen: bool
) -> Iterator[Weight]:
    """Yield the weights of a module whose layers have adapters: all are frozen but these."""
    targets = {join(path, target): kind for target, kind in adapter.targets}
    for weight in weights:
        layer, _, name = weight.key.rpartition(".")
        kind = targets.get(layer)
        if kind is None:
            yield _frozen(weight)
            continue
        yield _frozen(weight)._replace(key=join(layer, "base_layer", name))
        settings = weight.settings._replace(is_frozen=is_frozen)
        tensors = adapter_tensors(kind, weight.shape, adapter.rank) if name == "weight" else {}
        for key, shape in tensors.items():
            yield Weight(join(layer, key), shape, settings)


def _inside(node: TypedNode, path: str, settings: Settings) -> Iterator[Weight]:
    operation = node.operation
    if isinstance(operation, Leaf) and operation.lowering.module is not None:
        for name, shape in operation.lowering.module.weights.items():
            yield Weight(join(path, name), shape, settings)
    for key, inner in operation.inner():
        yield from weights_of_node(inner, join(path, key), settings)


def places(operation: TypedOperation, before: str = "") -> Iterator[str]:
    """Yield the key of every tensor of a module, and of every inner node without one, in order."""
    if isinstance(operation, Shared):
        return
    inner = [*operation.inner()]
    module = operation.lowering.module if isinstance(operation, Leaf) else None
    own = [*module.weights, *module.buffers] if module is not None else []
    if not inner and not own and before:
        yield before
    yield from (join(before, name) for name in own)
    for key, node in inner:
        yield from places(node.operation, join(before, key))
