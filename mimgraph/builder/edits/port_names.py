"""Give ports other names, `emb.town` for `emb.city`, and let all that reads or shares them follow."""

from __future__ import annotations

from mimgraph.builder.edits.edit import Edit
from mimgraph.builder.edits.scope import Scope, takes_names
from mimgraph.builder.edits.shared_names import SharedName
from mimgraph.infer.nodes.each import port_of
from mimgraph.infer.outer_shares import shared_by
from mimgraph.ir.declared.graph import Node, Source
from mimgraph.ir.declared.operations import Call
from mimgraph.support.frozen_data import replace

Ports = list[tuple[str, str, str]]  # a node, the old name of a port, and the new one


def port_names(node: Node) -> list[str]:
    """Return the ports of an `each`, which are called after its sources; none of another node."""
    is_named = node.has_branches and takes_names(node)
    return [port_of(source) for source in node.sources or ()] if is_named else []


def shares_modules(node: Node) -> str:
    """Return the node of which each source of an `each` uses the module of its name; "" if none."""
    share = shared_by(node)
    return share.target if share is not None and port_names(node) else ""


def with_port_names(node: Node, names: list[str]) -> Node:
    """Return the `each` with these names for its ports, whatever its sources are called."""
    if names == port_names(node):
        return node
    pairs = zip(node.sources or (), names, strict=True)
    return replace(node, sources=tuple([one._replace(argument=name) for one, name in pairs]))


def changed_ports(before: Node, after: Node) -> Ports:
    """Return the ports of an `each` whose names changed."""
    pairs = zip(port_names(before), port_names(after), strict=True)
    return [(after.name, old, new) for old, new in pairs if old != new]


def with_ports(edit: Edit, scope: Scope, ports: Ports) -> Scope:
    """Return the scope with other names for ports: in sources, shares, `take` and outputs, and in the
    ports of each `each` that is called after them."""
    ports = [*ports]
    while ports:
        name, old, new = ports.pop()
        shared = SharedName(edit, name, name, {old: new})
        nodes = []
        for node in scope.nodes:
            sources = tuple([_read(one, name, old, new) for one in node.sources or ()])
            after = node if sources == (node.sources or ()) else replace(node, sources=sources)
            if shares_modules(node) == name:
                after = with_port_names(
                    after, [new if port == old else port for port in port_names(after)]
                )
            if node.name == name and node.take is not None and node.take.port == old:
                after = replace(after, take=node.take._replace(port=new))
            ports += changed_ports(node, after)
            if port_names(node) and any(_is_group(source, name) for source in sources):
                ports.append((node.name, old, new))
            nodes.append(shared.in_node(after))
        outputs = [o._replace(source=_read(o.source, name, old, new)) for o in scope.outputs]
        scope = scope._replace(nodes=tuple(nodes), outputs=tuple(outputs))
    return scope


def _read(source: Source, name: str, old: str, new: str) -> Source:
    """Return a source with the new name of the port; it may go on, as to a weight: `city.weight`."""
    port, dot, rest = (source.port or "").partition(".")
    if source.name != name or port != old:
        return source
    return source._replace(port=f"{new}{dot}{rest}")


def _is_group(source: Source, name: str) -> bool:
    return source.name == name and source.port == "*" and source.argument is None


def are_read_by_name(scope: Scope, name: str) -> bool:
    """Return whether the members of the group `name.*` are read by their names, in a block or formula;
    an `each` of them gives their names to its own ports."""
    stack, seen = [name], set[str]()
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in scope.nodes:
            if any(source.name == name and source.port == "*" for source in node.sources or ()):
                if port_names(node):
                    stack.append(node.name)
                elif takes_names(node) or isinstance(node.applied, Call) or shared_by(node):
                    return True
    return False
