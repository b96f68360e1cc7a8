"""Find the graphs whose `__init__` makes nothing but layers of torch, and return these layers as data.

Such a module can be made before its source is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from mimgraph.emit.classes.attributes import TAKEN
from mimgraph.emit.classes.chain_items import ChainItems
from mimgraph.emit.classes.modules import Modules
from mimgraph.emit.dtypes import has_weight
from mimgraph.emit.forward.values import used_ports
from mimgraph.emit.tree import Construct
from mimgraph.ir.code import Call, Code, Constant, Name
from mimgraph.ir.expression import plain
from mimgraph.ir.typed.graph import TypedGraph, TypedNode
from mimgraph.ir.typed.operations import Leaf, Sequence, TypedOperation, unwrap


class Layer(NamedTuple):
    """A call of a class of `torch.nn`, by its name there; the `items` of a chain come before other arguments."""

    class_name: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    items: tuple[Layer, ...] = ()


Layers: TypeAlias = list[tuple[str, Layer]]  # by attribute, in the order of the spec


def plain_layers(graph: TypedGraph) -> Layers | None:
    """Return the layers that the class of a graph makes; None if its `__init__` does anything else.

    So a graph with blocks, frozen nodes, adapters, learned tensors or registered layers has none.
    """
    body = graph.body
    if not all(map(_is_plain, body.nodes)) or not TAKEN.isdisjoint(body.by_name):
        return None
    modules = Modules(graph)
    if any(type(node.operation) is Sequence for node in body.nodes):
        items = ChainItems(modules, [body], {})
        if any(items.needing_a_class([body])):
            return None
    inits = modules.inits(body, used_ports(body))
    distinct = {id(code): code for _, code in inits}  # equal layers of several nodes are one code
    layers = {key: _layer(code) for key, code in distinct.items()}
    # without a weight the class may keep a tensor, from which it reads the dtype of the model
    if None in layers.values() or not has_weight(body):
        return None
    return [(attribute, layers[id(code)]) for attribute, code in inits]  # type: ignore[misc]


def _is_plain(node: TypedNode) -> bool:
    """Return whether a node is a layer or merge, or a chain of them, that learns as a whole."""
    return node.training is None and _is_plain_operation(node.operation)


def _is_plain_operation(operation: TypedOperation) -> bool:
    operation = unwrap(operation)
    if type(operation) is Sequence:
        return all(map(_is_plain, operation.items))
    return type(operation) is Leaf


def _layer(code: Code) -> Layer | None:
    """Return the layer that code makes; None if it is no call of torch on numbers, texts and layers."""
    call = code.spelled() if type(code) is Construct else code
    if type(call) is not Call or type(call.function) is not Name:
        return None
    package, _, name = call.function.id.partition(".")
    if package != "nn" or "." in name:
        return None
    if name == "Sequential":
        items = tuple(map(_layer, call.args))
        return None if None in items else Layer(name, (), {}, items)  # type: ignore[arg-type]
    if any(type(one) is not Constant for one in call.children[1:]):
        return None
    arguments = [plain(one.value) for one in call.args]  # type: ignore[attr-defined]
    keywords = {key: plain(one.value) for key, one in call.keywords}  # type: ignore[attr-defined]
    return Layer(name, tuple(arguments), keywords)
