"""The table of modules that are layers. Most are called with one tensor, and their options are attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.leaves import load
from mimgraph.importer.lift.leaves.attributes import layer_options
from mimgraph.importer.trace.leaves import class_name, torch_class
from mimgraph.importer.trace.records import Call
from mimgraph.ops import registry

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

Leaf = TypeVar("Leaf", bound=Callable[..., None])

_LEAVES: dict[str, Callable[..., None]] = {}


def lifts_class(*names: str) -> Callable[[Leaf], Leaf]:
    """Register a function of a body and a call that adds the layer of a class: `nn.LSTM` is "LSTM", of
    another package the whole name."""

    def decorate(function: Leaf) -> Leaf:
        for name in names:
            _LEAVES[name] = function
        return function

    return decorate


def leaf(call: Call) -> Callable[[BodyLifter, Call], None]:
    """Return the function that adds the layer of a module."""
    if not _LEAVES:
        load()
    whole = class_name(type(call.module))
    if whole in _LEAVES:
        return _LEAVES[whole]
    cls = torch_class(call.module)
    name = "" if cls is None else cls.__name__
    return _LEAVES.get(name, plain_layer)


def plain_layer(body: BodyLifter, call: Call) -> None:
    """Add a layer of one source and one result."""
    cls = torch_class(call.module)
    name = "" if cls is None else cls.__name__
    if registry.find("layer", name) is None:
        message = f"{type(call.module).__name__} is no layer of a spec"
        raise CannotLift("layer", message, call, call.place)
    if len(call.arguments) != 1 or len(call.results) != 1:
        message = (
            f"{name} is called with {len(call.arguments)} tensors and gives {len(call.results)}"
        )
        raise CannotLift("arguments", message, call, call.place)
    op = Op("layer", name, layer_options(call.module, name))
    node = body.module_node(call, op, call.arguments)
    body.bind(call.results[0], Port(node))
