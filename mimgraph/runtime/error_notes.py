"""Add notes to the exceptions of a compiled module: the node and the inputs, in words of the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from traceback import walk_tb
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.runtime.checks import Takes, by_position, call_faults, same_kind
from mimgraph.runtime.places import places, running
from mimgraph.runtime.shape_rules import wrong_rule
from mimgraph.runtime.uncompiled import uncompiled


class Origin:
    """The graph that a model was compiled from; the class cannot keep it, as graphs of one source share
    the class. A pickle keeps where the nodes are declared."""

    def __init__(self, graph: TypedGraph | None, places: Mapping[str, str] | None = None) -> None:
        self.graph = graph
        self._places = places

    @property
    def places(self) -> Mapping[str, str]:
        """For each node, by its path: where it is declared, its operation and its sources."""
        if self._places is None:
            assert self.graph is not None
            found = places(self.graph.body)
            self._places = {path: place.text for path, place in found}
        return self._places

    def __deepcopy__(self, memo: Any) -> Origin:
        return self

    def __reduce__(self) -> tuple[type[Origin], tuple[None, Mapping[str, str]]]:
        return Origin, (None, self.places)


_origins: WeakKeyDictionary[nn.Module, Origin] = WeakKeyDictionary()


def explain_failures(
    model: nn.Module, graph: TypedGraph, origin: Origin | None = None
) -> nn.Module:
    """Make exceptions in calls of the model name the node of `graph` that failed, and wrong inputs.

    If the model is a copy, `origin` is the origin of the model that was copied.
    """
    if origin is not None and origin.graph is None:  # unpickled
        origin = Origin(graph, origin.places)
    _origins[model] = origin or Origin(graph)
    cls = type(model)
    if not issubclass(cls, Explained):
        cls.__bases__ = (Explained, *cls.__bases__)
    return model


def origin_of(model: nn.Module) -> Origin | None:
    """Return the origin that a copy of the model needs; None for a part of a model."""
    return _origins.get(model)


class Explained(nn.Module):
    """The base of the class of a whole graph: its calls add notes to their errors."""

    @uncompiled  # torch keeps eight compilations of a function, so all models would share them
    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """A `TypeError` for inputs given by position names the calls that work."""
        try:
            return super().__call__(*args, **inputs)
        except Exception as error:
            if not torch.compiler.is_compiling():
                # whatever goes wrong here, the user needs the original error
                with suppress(Exception):
                    graph = _origins[self].graph
                    if args and isinstance(error, TypeError) and graph and not graph.is_stage:
                        error.args = (by_position(graph, args),)
                    for note in _notes(self, error, args, inputs):
                        error.add_note(note)
            raise


def _notes(
    model: nn.Module, error: Exception, args: tuple[Any, ...], inputs: Mapping[str, Any]
) -> Iterator[str]:
    """Yield a note that names the failed node, and one with the faults of the inputs if the error lacks
    them, or with the wrong shape rule of a node before."""
    origin = _origins[model]
    graph = origin.graph
    assert graph is not None
    path = running(model, walk_tb(error.__traceback__), graph, origin.places)
    if path:
        yield f"in node {path} {origin.places[path]}"
    faults = "; ".join(call_faults(graph, args, inputs, _dtype_test(model)))
    if faults and faults != str(error):
        declared = ", ".join(f"{name} {t} {t.dtype}" for name, t in graph.body.inputs.items())
        yield f"inputs: {faults}\nthe spec declares {declared}"
    given = {**dict(zip(graph.body.inputs, args, strict=False)), **inputs}  # a stage's by position
    if not faults and (wrong := wrong_rule(model, graph, given)):
        yield wrong


def _dtype_test(model: nn.Module) -> Takes:
    """Return a test whether a dtype is accepted: an equal one, or one of the same kind if the model was cast."""
    floats = {p.dtype for p in model.parameters() if p.is_floating_point()}

    def takes(given: torch.dtype, wanted: torch.dtype) -> bool:
        if wanted.is_floating_point and floats <= {wanted}:
            return given == wanted
        return same_kind(given, wanted)

    return takes
