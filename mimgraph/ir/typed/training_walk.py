"""Walk the weights of a typed graph, each with the settings that apply to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.ir.typed.adapters import adapter_tensors
from mimgraph.ir.typed.graph import Body, TypedNode
from mimgraph.ir.typed.operations import Leaf, Shared, TypedOperation
from mimgraph.ir.typed.paths import is_part, join
from mimgraph.ir.typed.training import Adapter, Rate


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
