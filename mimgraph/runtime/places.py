"""Find the node that a frame of a compiled module runs, and where each node is declared."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from types import FrameType
from typing import NamedTuple

from torch import nn

from mimgraph.emit.emit import emit
from mimgraph.emit.source_map import lines_of, located
from mimgraph.emit.tree import Assign, Return
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode
from mimgraph.source import Span


class Place(NamedTuple):
    """A node, where it is declared, and its line, operation and sources as text."""

    node: TypedNode
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
    return Place(node, span, text)


def _fed(body: Body, node: TypedNode) -> str:
    """Return the sources of a node with their types."""
    values = node.arguments.values()
    return ", ".join(f"{'.'.join(filter(None, v))} {body.type_of(v)}" for v in values)


def running(
    model: nn.Module,
    frames: Iterable[tuple[FrameType, int]],
    graph: TypedGraph,
    known: Container[str],
) -> str:
    """Return the path of the innermost of the `known` nodes that frames and their lines run; "" if none."""
    paths = {id(module): path for path, module in modules(model)}
    innermost = ""
    emitted: tuple[str, str, int] | None = None  # the innermost frame of the emitted file
    for frame, line in frames:
        path = paths.get(id(frame.f_locals.get("self")))
        if path is None:
            continue
        innermost = path
        if frame.f_globals.get("__name__") == type(model).__module__:
            emitted = path, frame.f_code.co_qualname, line
    statement = _joined(emitted[0], _node_at(graph, *emitted[1:])) if emitted else ""
    # a node may share the module of another: then the statement shows which node it is
    path = innermost if f"{innermost}.".startswith(f"{statement}.") else statement
    while path and path not in known:  # inside a module of the user's own
        path = path.rpartition(".")[0]
    return path


def modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield every module by its path in the `state_dict`."""
    return _modules(model, type(model).__module__, "")


def _modules(module: nn.Module, file: str, path: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield the same; classes of the emitted `file` may keep a module under an attribute of another name."""
    yield path, module
    kept = getattr(module, "_attributes", {}) if type(module).__module__ == file else {}
    keys = {attribute: key for key, attribute in kept.items()}
    for name, inner in module.named_children():
        yield from _modules(inner, file, _joined(path, keys.get(name, name)))


def _node_at(graph: TypedGraph, function: str, line: int) -> str:
    """Return the node that a line of the emitted file computes, in a method such as `Residual.forward`."""
    name, _, method = function.partition(".")
    for ours, theirs in located(emit(graph))[name].methods[method].statements:
        first, last = lines_of(theirs)
        if first <= line <= last and isinstance(ours, Assign | Return):
            return ours.node
    return ""
