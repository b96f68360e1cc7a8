"""Add notes to the exceptions of a compiled module: the node and the inputs, in words of the spec.

A call that does not fail costs nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import nn

from mimgraph.emit.emit import emit
from mimgraph.emit.format.statements import Assign, Return
from mimgraph.emit.line_map import lines_of, located
from mimgraph.ir.typed.graph import Body, TypedGraph, TypedNode
from mimgraph.runtime.checks import Takes, by_position, call_faults, same_kind
from mimgraph.runtime.uncompiled import uncompiled
from mimgraph.source import Span


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
    type(model).__call__ = call  # type: ignore[method-assign]
    return model


def origin_of(model: nn.Module) -> Origin | None:
    """Return the origin that a copy of the model needs; None for a part of a model."""
    return _origins.get(model)


@uncompiled  # torch keeps eight compilations of a function, so all models would share them
def call(self: Any, *args: Any, **inputs: Any) -> Any:
    """Call a module as `nn.Module.__call__` does.

    That method is not called itself, as one more call takes as long as an op. A `TypeError` for inputs
    given by position names the calls that work.
    """
    try:
        if self._compiled_call_impl is not None:
            return self._compiled_call_impl(*args, **inputs)
        return self._call_impl(*args, **inputs)
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
    """Yield a note that names the failed node, and one with the faults of the inputs if the error lacks them."""
    origin = _origins[model]
    graph = origin.graph
    assert graph is not None
    place = _place(model, error.__traceback__, graph, origin.places)
    if place is not None:
        yield f"in node {place}"
    faults = "; ".join(call_faults(graph, args, inputs, _dtype_test(model)))
    if faults and faults != str(error):
        declared = ", ".join(f"{name} {t} {t.dtype}" for name, t in graph.body.inputs.items())
        yield f"inputs: {faults}\nthe spec declares {declared}"


def _dtype_test(model: nn.Module) -> Takes:
    """Return a test whether a dtype is accepted: an equal one, or one of the same kind if the model was cast."""
    floats = {p.dtype for p in model.parameters() if p.is_floating_point()}

    def takes(given: torch.dtype, wanted: torch.dtype) -> bool:
        if wanted.is_floating_point and floats <= {wanted}:
            return given == wanted
        return same_kind(given, wanted)

    return takes


# --- the node ---------------------------------------------------------------------------------


def _place(
    model: nn.Module,
    traceback: TracebackType | None,
    graph: TypedGraph,
    places: Mapping[str, str],
) -> str | None:
    """Return the innermost node that ran, where it is declared, and its sources."""
    paths = dict(_paths(model, type(model).__module__))
    innermost = ""
    emitted: tuple[str, str, int] | None = None  # the innermost frame of the emitted file
    for frame, line in _frames(traceback):
        path = paths.get(id(frame.f_locals.get("self")))
        if path is None:
            continue
        innermost = path
        if frame.f_globals.get("__name__") == type(model).__module__:
            emitted = path, frame.f_code.co_qualname, line
    statement = _joined(emitted[0], _node_at(graph, *emitted[1:])) if emitted else ""
    # a node may share the module of another: then the statement shows which node it is
    path = innermost if f"{innermost}.".startswith(f"{statement}.") else statement
    while path and path not in places:  # inside a module of the user's own
        path = path.rpartition(".")[0]
    return f"{path} {places[path]}" if path else None


def _paths(module: nn.Module, file: str, path: str = "") -> Iterator[tuple[int, str]]:
    """Yield the id of every module with its path in the `state_dict`.

    Classes of the emitted `file` may keep a module under an attribute of another name.
    """
    yield id(module), path
    kept = getattr(module, "_attributes", {}) if type(module).__module__ == file else {}
    keys = {attribute: key for key, attribute in kept.items()}
    for name, inner in module.named_children():
        yield from _paths(inner, file, _joined(path, keys.get(name, name)))


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


class Place(NamedTuple):
    """Where a node is declared, and its line, operation and sources as text."""

    span: Span
    text: str


def places(body: Body, prefix: str = "", merge: Span | None = None) -> Iterator[tuple[str, Place]]:
    """Yield the place of every node, by its path in the `state_dict`.

    The nodes inside a `merge` are declared where the merge is.
    """
    for node in body.nodes:
        fed, path = _fed(body, node), _joined(prefix, node.name)
        if node.name:  # the items of a block that is a chain have no node around them
            yield path, _described(node, fed, merge)
        yield from _inside(node, body, path, fed, merge)


def _inside(
    node: TypedNode, body: Body, path: str, fed: str, merge: Span | None
) -> Iterator[tuple[str, Place]]:
    """Yield the same as `places` for the nodes inside a node."""
    operation = node.operation
    for item in operation.items:
        if operation.branches:
            fed = _fed(body, item)
        inner = _joined(path, item.name)
        yield inner, _described(item, fed, merge)
        yield from _inside(item, body, inner, fed, merge)
        fed = str(item.type)
    if operation.merge and merge is None:
        merge = node.declared.span
    for index, used in enumerate(operation.modules):
        yield from places(used, _joined(path, operation.key(index)), merge)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}".strip(".")


def _described(node: TypedNode, fed: str, merge: Span | None) -> Place:
    """Return a node's line, operation and sources: `(a.yaml:4): Linear of x (N, 5)`."""
    span = merge or node.declared.span
    text = f"({span.file.name}:{span.line}): {node.op_name} of {fed}".removesuffix(" of ")
    return Place(span, text)


def _fed(body: Body, node: TypedNode) -> str:
    """Return the sources of a node with their types."""
    values = node.arguments.values()
    return ", ".join(f"{'.'.join(filter(None, v))} {body.type_of(v)}" for v in values)


def _node_at(graph: TypedGraph, function: str, line: int) -> str:
    """Return the node that a line of the emitted file computes, in a method such as `Residual.forward`."""
    name, _, method = function.partition(".")
    for ours, theirs in located(emit(graph))[name].methods[method].statements:
        first, last = lines_of(theirs)
        if first <= line <= last and isinstance(ours, Assign | Return):
            return ours.node
    return ""
