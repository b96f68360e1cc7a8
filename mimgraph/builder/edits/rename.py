"""Rename an input or node, and everything that names it: sources, shares, ports of an `each`, outputs."""

from __future__ import annotations

from mimgraph.builder.edits.edit import Edit, EditedGraph
from mimgraph.builder.edits.paths import Place, find
from mimgraph.builder.edits.port_names import (
    Ports,
    are_read_by_name,
    changed_ports,
    shares_modules,
    with_ports,
)
from mimgraph.builder.edits.scope import Scope, takes_names
from mimgraph.builder.edits.shared_names import SharedName
from mimgraph.infer.nodes.each import port_of
from mimgraph.infer.outer_shares import shared_by
from mimgraph.ir.declared.graph import BlockInput, Graph, Input, Node, Output
from mimgraph.ir.declared.operations import Call, Word
from mimgraph.ir.declared.rewrite import Rewriter
from mimgraph.ir.names import input_fault, name_fault
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.support.arguments import shown
from mimgraph.support.frozen_data import replace


def rename(graph: Graph, typed: TypedGraph, path: object, new: object) -> EditedGraph:
    """Return the graph in which the input or node at the path has another name."""
    edit = Edit(graph, typed)
    place = find(edit, path, takes_results=True)
    if not isinstance(new, str):
        raise TypeError(f"the new name of {place.path} is a string, not {shown(new)}")
    _check_place(edit, place)
    _check_name(edit, place, new)
    scope = _renamed(edit, place.scope, place.name, new)
    is_input = place.scope.find(place.name) is None
    if not (is_input and place.around):
        return edit.changed(place.around, scope)
    outer, node = place.around[-1]
    inner = _with_output(node, scope, place.name, new)
    outer = outer.with_node(node.name, edit.with_inside(node, inner))
    is_port = inner is not scope and not node.has_branches
    outer = _around(edit, outer, node, place.name, new, is_port)
    return edit.changed(place.around[:-1], outer)


def _check_place(edit: Edit, place: Place) -> None:
    """Raise an error for a port and for an item of a seq, which have no names of their own."""
    if place.port is not None:
        message = f"{place.path}.{place.port} is a port, whose name {place.path} gives it"
        help = "rename the node, or in an each the source that names the port"
        raise edit.fault("unknown-source", message, help)
    if place.scope.is_seq:
        message = f"{place.path} is an item of a seq, which is named by its position"
        raise edit.fault("bad-name", message, f"rename {place.scope.path[:-1]!r} as a whole")


def _check_name(edit: Edit, place: Place, new: str) -> None:
    """Raise an error for a name that is bad or taken."""
    scope, is_node = place.scope, place.scope.find(place.name) is not None
    reason = (name_fault if is_node else input_fault)(new)
    if reason is not None:
        raise edit.fault("bad-name", f"{new!r} cannot be a name", reason)
    taken = next((one for one in (*scope.inputs, *scope.nodes) if one.name == new), None)
    if taken is not None and new != place.name:
        message = f"{scope.path}{new} exists already"
        raise edit.fault("duplicate-name", message, "choose another name", taken.span)


# --- in the scope ---------------------------------------------------------------------------------


def _renamed(edit: Edit, scope: Scope, old: str, new: str) -> Scope:
    """Return the scope with the name in all places; ports of an `each` follow their sources."""
    shared = SharedName(edit, old, new)
    shared.check_free(scope)
    ports: Ports = []
    nodes = []
    for node in scope.nodes:
        name = new if node.name == old else node.name
        renamed = node if name == node.name else replace(node, name=name)
        renamed = shared.in_node(_with_sources(edit, scope, renamed, old, new))
        ports += changed_ports(node, renamed)
        nodes.append(renamed)
    is_graph = not scope.path
    scope = scope._replace(
        nodes=tuple(nodes),
        inputs=tuple([_input(one, new) if one.name == old else one for one in scope.inputs]),
        outputs=tuple([_output(one, old, new, is_graph) for one in scope.outputs]),
    )
    _check_outputs(edit, scope)
    return with_ports(edit, scope, ports)


def _with_sources(edit: Edit, scope: Scope, node: Node, old: str, new: str) -> Node:
    """Return the node with the name in its sources; names that it takes from them stay, except for
    the ports of an `each` that nothing reads by name."""
    sources = node.sources or ()
    named = tuple([one._replace(name=new) if one.name == old else one for one in sources])
    if named == sources:
        return node
    renamed = replace(node, sources=named)
    if node.has_branches:
        changes = changed_ports(node, renamed)
        is_named = bool(shares_modules(node)) or are_read_by_name(scope, node.name)
        stays = bool(changes) and is_named
        own = [port_of(source) for source in sources]
    else:
        chosen = Rewriter(name=lambda kind, name, path: edit.resolved(name)).node(node)
        stays = takes_names(chosen)
        own = [source.argument or source.name for source in sources]
    if not stays or all(source.argument is not None for source in sources):
        return renamed
    if any(source.port == "*" for source in sources):
        message = f"{old} is also the name that {scope.path}{node.name} has for this source"
        help = f"name each of its sources first: {{{old}: {old}, ...}}"
        raise edit.fault("bad-name", message, help, node.span)
    kept = [one._replace(argument=name) for one, name in zip(named, own, strict=True)]
    return replace(node, sources=tuple(kept))


def _input(one: Input | BlockInput, new: str) -> Input | BlockInput:
    if isinstance(one, Input):
        return replace(one, name=new)
    declared = None if one.declared is None else replace(one.declared, name=new)
    return replace(one, name=new, declared=declared)


def _output(output: Output, old: str, new: str, is_graph: bool) -> Output:
    """Return an output with the name in its source; that of a graph is called as its node."""
    source = output.source
    if source.name != old:
        return output
    follows = is_graph and output.name == old and source.port is None
    return output._replace(name=new if follows else output.name, source=source._replace(name=new))


def _check_outputs(edit: Edit, scope: Scope) -> None:
    """Raise an error for a public name that two outputs have now."""
    known: set[str] = set()
    for output in scope.outputs:
        if output.name in known:
            message = f"an output is called {output.name} already"
            raise edit.fault("duplicate-name", message, "choose another name", output.span)
        known.add(output.name)


# --- an input of a block, around the block --------------------------------------------------------


def _with_output(node: Node, scope: Scope, old: str, new: str) -> Scope:
    """Return the scope in which the output that feeds the input at the next step has its name too."""
    call = node.applied
    if not isinstance(call, Call):
        return scope
    is_carried = call.scan is not None and old in call.scan.carry
    is_carried |= call.repeat is not None
    if not is_carried:
        return scope
    outputs = [o._replace(name=new) if o.name == old else o for o in scope.outputs]
    return scope._replace(outputs=tuple(outputs))


def _around(edit: Edit, outer: Scope, node: Node, old: str, new: str, is_port: bool) -> Scope:
    """Return the scope around a block whose input has a new name, which its uses give."""
    users = _sharing(outer, node.name)
    outer = outer.with_nodes(
        _with_argument(one, old, new) if one.name in users and not one.has_branches else one
        for one in outer.nodes
    )
    return with_ports(edit, outer, [(name, old, new) for name in users] if is_port else [])


def _sharing(scope: Scope, name: str) -> dict[str, None]:
    """Return the node and all that share its module, themselves or by another."""
    targets = {node.name: share.target for node in scope.nodes if (share := shared_by(node))}
    found = {name: None}
    while more := [one for one, target in targets.items() if target in found and one not in found]:
        found |= dict.fromkeys(more)
    return found


def _with_argument(node: Node, old: str, new: str) -> Node:
    """Return a use of a block with another name for one of its inputs."""
    sources = [
        one._replace(argument=new) if one.argument == old else one for one in node.sources or ()
    ]
    node = replace(node, sources=tuple(sources))
    call = node.applied
    if not isinstance(call, Call):
        return node
    scan, repeat = call.scan, call.repeat
    if scan is not None:
        axes = {new if name == old else name: axis for name, axis in scan.axes.items()}
        carry = tuple([new if name == old else name for name in scan.carry])
        scan = scan._replace(axes=axes, carry=carry)
    if repeat is not None:
        repeat = repeat._replace(
            counter=_word(repeat.counter, old, new), collect=_word(repeat.collect, old, new)
        )
    return node.with_applied(replace(call, scan=scan, repeat=repeat))


def _word(word: Word | None, old: str, new: str) -> Word | None:
    return word if word is None or word.name != old else word._replace(name=new)
