"""Follow the adapters (LoRA) of layers from an old graph to a new one: their tensors, and if results stay equal.

peft keeps the tensors of an adapted layer under `base_layer`, beside those of the adapters. New adapters
add zero, so a layer that gets some has the results that it had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from mimgraph.compare.model import dotted
from mimgraph.ir.tensor_copy import Along, TensorCopy
from mimgraph.ir.typed_graph import Adapter, Body, TypedNode
from mimgraph.ir.typed_operations import Shared
from mimgraph.ir.typed_walks import Shape, adapter_tensors, is_part


class Adapted(NamedTuple):
    """The class of a layer in torch, and the options of its adapters."""

    kind: str
    options: Adapter

    @property
    def scale(self) -> float:
        """The factor that peft multiplies what the adapters add by; 8 is its default of alpha."""
        alpha = self.options.alpha
        return (8 if alpha is None else alpha) / self.options.rank

    def tensors(self, weight: Shape) -> dict[str, Shape]:
        """Return the tensors of the adapters beside a weight, by their names in the layer."""
        return adapter_tensors(self.kind, weight, self.options.rank)


def adapted_layers(body: Body) -> dict[str, Adapted]:
    """Return the layers of a graph that have adapters, by the prefix of the keys of their tensors."""
    return {path: one for node in body.nodes for path, one in _in_node(node, node.name)}


def _in_node(node: TypedNode, path: str) -> Iterator[tuple[str, Adapted]]:
    if isinstance(node.operation, Shared):
        return
    if node.training is not None and (lora := node.training.lora) is not None:
        yield from ((dotted(path, target), Adapted(kind, lora)) for target, kind in lora.targets)
    for key, inner in node.operation.inner():
        yield from _in_node(inner, dotted(path, key))


@dataclass(frozen=True, slots=True)
class Adapters:
    """The adapted layers of both graphs, by the prefix of the keys of their tensors."""

    old: Mapping[str, Adapted]
    new: Mapping[str, Adapted]

    def why(self, was: str, path: str) -> str:
        """Return why a module has other results than before by its adapters; "" if it has not."""
        for layer, before in self.old.items():
            if is_part(layer, was):
                now = path + layer[len(was) :]
                after = self.new.get(now)
                if after is None:
                    return f"{now} lost its adapters"
                if not _is_kept(before, after):
                    return f"the adapters of {now} start anew"
                if before.scale != after.scale:
                    return f"the adapters of {now} have another alpha"
        return ""

    def copies(self, bare: Iterable[TensorCopy]) -> Iterator[TensorCopy]:
        """Yield copies with the keys of adapted layers, and the copies of the tensors of their adapters."""
        for copy in bare:
            key, source = _base_key(copy.key, self.new), copy.source
            if source is not None:
                source = _base_key(source, self.old)
            yield replace(copy, key=key, source=source)
            layer, _, name = copy.key.rpartition(".")
            if name == "weight" and layer in self.new:
                yield from self._of_adapters(layer, self.new[layer], copy)

    def _of_adapters(self, layer: str, after: Adapted, weight: TensorCopy) -> Iterator[TensorCopy]:
        """Yield the tensors of the adapters of a layer: carried beside its weight if they have the old rank."""
        was = "" if weight.source is None else weight.source.rpartition(".")[0]
        before, (shape, new_shape) = self.old.get(was), weight.shapes
        olds = {} if before is None or shape is None else before.tensors(shape)
        for name, size in after.tensors(new_shape).items():
            key, sizes = dotted(layer, name), (olds.get(name), size)
            if before is None or name not in olds or not _is_kept(before, after):
                yield TensorCopy(key, None, sizes)
            else:
                axes = _axes(after.kind, name, weight.axes)
                yield TensorCopy(key, dotted(was, name), sizes, axes)


def with_adapters(
    bare: Mapping[str, Shape], adapted: Mapping[str, Adapted]
) -> Iterator[tuple[str, Shape]]:
    """Yield the key and shape of each tensor of a graph, given its tensors without adapters."""
    for key, shape in bare.items():
        yield _base_key(key, adapted), shape
        layer, _, name = key.rpartition(".")
        if name == "weight" and layer in adapted:
            for inner, size in adapted[layer].tensors(shape).items():
                yield dotted(layer, inner), size


def _base_key(key: str, adapted: Mapping[str, Adapted]) -> str:
    """Return the key of a tensor, which in a layer with adapters is one of its base layer."""
    layer, _, name = key.rpartition(".")
    return f"{layer}.base_layer.{name}" if layer in adapted else key


def _is_kept(before: Adapted, after: Adapted) -> bool:
    """Return whether adapters carry over: adapters of another rank have other tensors."""
    return before.kind == after.kind and before.options.rank == after.options.rank


def _axes(kind: str, name: str, weight: Mapping[int, Along]) -> Mapping[int, Along]:
    """Return the changed axes of an adapter's tensor: each is an axis of the weight, which has the shape of the
    product of both tensors."""
    if kind == "Embedding":
        own = {1: 0} if name.startswith("lora_embedding_A") else {0: 1}
    elif name.startswith("lora_A"):
        own = {axis: axis for axis in weight if axis > 0}
    else:
        own = {0: 0}
    return {axis: weight[of] for axis, of in own.items() if of in weight}
