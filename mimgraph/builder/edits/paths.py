"""Find the node, input or port that a path names, such as `fc`, `features.3` or `stage.conv`."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.builder.edits.edit import Edit
from mimgraph.builder.edits.scope import Scope
from mimgraph.diagnostics import SpecError
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.ir.declared_graph import Call, Each, Node, Share
from mimgraph.ir.typed_operations import unwrap
from mimgraph.support.arguments import shown


class Place(NamedTuple):
    """A node, input or port in its scope; `around` are the scopes and nodes that lead there, the
    outermost first."""

    around: tuple[tuple[Scope, Node], ...]
    scope: Scope
    name: str
    port: str | None = None

    @property
    def path(self) -> str:
        return self.scope.path + self.name

    @property
    def node(self) -> Node:
        found = self.scope.find(self.name)
        assert found is not None
        return found


def find(edit: Edit, path: object, takes_results: bool = False) -> Place:
    """Return the node at a path; if it `takes_results`, also an input or a port."""
    if not isinstance(path, str):
        raise TypeError(f"an edit takes the name of a node, such as 'fc', not {shown(path)}")
    around: list[tuple[Scope, Node]] = []
    scope, parts = edit.whole, path.split(".")
    while True:
        name, *rest = parts
        node = scope.find(name)
        if node is None and not rest and takes_results and name in scope.names:
            return Place((*around,), scope, name)
        if node is None:
            raise unknown_name(edit, scope, name, takes_results)
        if not rest:
            return Place((*around,), scope, name)
        inner = edit.inside(scope, node)
        for_all = rest[1:] if rest[0] == "*" and _has_copies(node) else rest
        is_number = inner is not None and inner.is_seq and _is_numbered(node) and for_all is rest
        if inner is not None and for_all and for_all[0] in inner.names and not is_number:
            around.append((scope, node))
            scope, parts = inner, for_all
            continue
        port = ".".join(rest)
        if takes_results and not scope.is_seq and _has_port(scope, name, port):
            return Place((*around,), scope, name, port)
        raise _nothing_inside(edit, scope, node, inner, rest)


def _has_copies(node: Node) -> bool:
    """Return whether a node is declared once and has several modules: repeats, or an `each`."""
    return node.has_branches or _is_numbered(node)


def _is_numbered(node: Node) -> bool:
    """Return whether the keys of these modules are numbers, like the keys of the items of a seq."""
    operation, whole = node.applied, node.operation
    if isinstance(whole, Each):
        return whole.times is not None
    return (
        isinstance(operation, Call) and operation.repeat is not None and not operation.repeat.shared
    )


def _has_port(scope: Scope, name: str, port: str) -> bool:
    """Return whether a node has this result."""
    typed = scope.typed.get(name)
    return typed is not None and port in typed.results


def check_one_result(edit: Edit, place: Place) -> None:
    """Raise an error if the place names no port of a node that has no default one."""
    typed = place.scope.typed.get(place.name)
    if place.port is None and typed is not None and typed.default is None:
        ports = ", ".join(repr(f"{place.path}.{port}") for port in typed.results)
        message = f"{place.path} has several results: choose a port"
        raise edit.fault("unknown-port", message, f"name one of them: {ports}")


def unknown_name(edit: Edit, scope: Scope, name: str, takes_results: bool) -> SpecError:
    """Return the error for a name that no node has."""
    where = f" in {scope.path[:-1]}" if scope.path else ""
    if name in scope.names and takes_results:
        message = f"{name} is an input{where}, and has no ports"
        return edit.fault("unknown-port", message, f"write {scope.path + name!r}")
    if name in scope.names:
        help = "an input has no layer: name a node that reads it"
        return edit.fault("unknown-source", f"{name} is an input{where}, and no node", help)
    choices = scope.names if takes_results else [node.name for node in scope.nodes]
    what = "input or node" if takes_results else "node"
    help = suggestion(name, choices, "known here")
    return edit.fault("unknown-source", f"no {what}{where} is called {name!r}", help)


def _nothing_inside(
    edit: Edit, scope: Scope, node: Node, inner: Scope | None, rest: list[str]
) -> SpecError:
    """Return the error for a path that leads into a node where nothing has that name."""
    here, name, operation = scope.path + node.name, rest[0], node.applied
    if isinstance(operation, Share):
        message = f"{here} shares the module of {operation.text}, and has no nodes of its own"
        help = f"change {operation.text}, which {here} follows"
        return edit.fault("unknown-source", message, help)
    typed = scope.typed.get(node.name)
    branches = unwrap(typed.operation).branches if typed is not None else ()
    is_repeat = isinstance(operation, Call) and operation.repeat and name.isdecimal()
    if is_repeat or any(branch.name == name for branch in branches):
        message = (
            f"{name} is one of the copies in {here}, which are declared once and cannot differ"
        )
        inside = ["*", *rest[1:]] if rest[1:] else []
        help = f"write {'.'.join([here, *inside])!r}, which changes all of them"
        return edit.fault("unknown-source", message, help)
    if inner is None:
        message = f"{here} is one layer, with no node {name!r} inside"
        return edit.fault("unknown-source", message, f"write {here!r}")
    if inner.is_seq:
        last = len(inner.nodes) - 1
        help = f"its items are 0 to {last}" if last > 0 else "its only item is 0"
    else:
        help = suggestion(name, [one.name for one in inner.nodes], "its nodes")
    return edit.fault("unknown-source", f"no node in {here} is called {name!r}", help)
