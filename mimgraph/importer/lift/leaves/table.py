"""The table of modules that are layers. Most are called with the sources that the layer has, by the same
names, and their options are attributes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from torch import nn

from mimgraph.importer.draft import Node, Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.leaves import load
from mimgraph.importer.lift.leaves.attributes import layer_options
from mimgraph.importer.lift.leaves.tied import has_tied_weight, tied_layer
from mimgraph.importer.trace.leaves import class_name, torch_class
from mimgraph.importer.trace.records import Call, Value
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


def leaf(body: BodyLifter, call: Call) -> Callable[[BodyLifter, Call], None]:
    """Return the function that adds the layer of a module."""
    load()
    _check_hooks(call)
    if has_tied_weight(body.lifter.trace.weights, call):
        return tied_layer
    whole = class_name(type(call.module))
    if whole in _LEAVES:
        return _LEAVES[whole]
    return _LEAVES.get(layer_name(call.module), plain_layer)


def layer_name(module: nn.Module) -> str:
    """Return the name of the class of torch.nn that a module is of, "" if there is none."""
    cls = torch_class(module)
    return "" if cls is None else cls.__name__


def plain_layer(body: BodyLifter, call: Call) -> None:
    """Add a layer that has the same sources and results as the module, in torch's order."""
    name = layer_name(call.module)
    op = registry.find("layer", name)
    if op is None:
        message = f"{type(call.module).__name__} is no layer of a spec"
        raise CannotLift("layer", message, call, call.place)
    given = arguments(call)
    if op.inputs.kind == "one":  # which torch calls input, or x
        sources = {op.inputs.names[0]: given.pop(next(iter(given)))}
    else:
        sources = {key: given.pop(key) for key in op.inputs.names if key in given}
    options = {key: given.pop(key) for key in [*given] if key in op.options}
    refuse_arguments(call, given)
    options = layer_options(call.module, name) | options
    add_layer(body, call, Op("layer", name, options), sources, op.ports)


def arguments(call: Call) -> dict[str, Any]:
    """Return what a module is called with by torch's names, without the arguments left at their defaults."""
    signature = inspect.signature(type(call.module).forward)
    bound = signature.bind(call.module, *call.args, **call.kwargs)
    given = dict[str, Any]()
    for name, value in [*bound.arguments.items()][1:]:
        default = signature.parameters[name].default
        if isinstance(value, Value) or (type(value), value) != (type(default), default):
            given[name] = value
    return given


def refuse_arguments(call: Call, given: Mapping[str, Any]) -> None:
    """Raise `CannotLift` if arguments are left that no source or option of the layer stands for."""
    for name in given:
        message = f"{layer_name(call.module)} is called with {name}, which a spec cannot express"
        raise CannotLift("arguments", message, call, call.place)


def add_layer(
    body: BodyLifter,
    call: Call,
    op: Op,
    sources: Mapping[str, Value | Port],
    ports: Sequence[str] = (),
) -> Node:
    """Add the node of a layer; its results are the ports in order, the first without its name."""
    names = ["", *ports[1:]]
    results = call.results
    if len(results) > len(names):
        message = f"{op.name} gives {len(results)} tensors here"
        raise CannotLift("arguments", message, call, call.place)
    given: Any = [*sources.values()] if len(sources) == 1 else sources
    node = body.module_node(call, op, given)
    for value, port in zip(results, names, strict=False):
        body.bind(value, Port(node, port))
    return node


def _check_hooks(call: Call) -> None:
    """Raise `CannotLift` for a module that hooks of the user change."""
    module = call.module
    if module._forward_hooks or module._forward_pre_hooks:
        message = f"{type(module).__name__} has a forward hook, which a spec cannot express"
        raise CannotLift("hook", message, call, call.place)
