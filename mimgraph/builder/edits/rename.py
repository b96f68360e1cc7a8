"""Rename an input or node, and everything that names it: sources, shares, ports of an `each`, outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from mimgraph.builder.block_call import new_key
from mimgraph.builder.edits.edit import CopyKey, Edit, EditedGraph, Place, Scope, find, takes_names
from mimgraph.infer.each import port_of
from mimgraph.infer.structure import calls, shared_by
from mimgraph.ir.declared_graph import (
    Block,
    BlockInput,
    Call,
    Graph,
    Input,
    Node,
    Output,
    Source,
    Word,
)
from mimgraph.ir.names import input_fault, name_fault
from mimgraph.ir.rewrite import Rewriter
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.support.arguments import shown


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
        message = f"{place.path} is an item of a Sequential, which is named by its position"
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


@dataclass
class SharedName:
    """Renames a node, or the `items` of an `each`, where other nodes share its module.

    A block that shares the module becomes a copy; `known` has its key by that of the block. A block
    with a node of the old name shares that one.
    """

    edit: Edit
    old: str
    new: str
    items: Mapping[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)

    def in_node(self, node: Node) -> Node:
        """Return the node with the new name in its share, and in the blocks that it uses."""
        share = shared_by(node)
        if share is None:
            return Rewriter(call=self._in_call).node(node)
        if share.target != self.old:
            return node
        item = None if share.item is None else self.items.get(share.item, share.item)
        if self.new == self.old and item == share.item:
            return node
        return node.with_applied(replace(share, target=self.new, item=item))

    def check_free(self, scope: Scope) -> None:
        """Raise an error if the new name is that of a node around the block, which a node here, or a
        block inside, shares."""
        user = next((node for node in scope.nodes if self._shares_new((node,), {})), None)
        if user is not None and self.new not in scope.names:
            message = f"{scope.path}{user.name} shares {self.new}, a node around the block"
            raise self.edit.fault("duplicate-name", message, "choose another name", user.span)

    def _in_call(self, call: Call) -> Call:
        """Return the use of a block with a copy of it, if nodes in the block share the node."""
        key = self.known.get(call.block)
        if key is None:
            key = self.known[call.block] = self._copied(call)
        return call if key == call.block else replace(call, block=key)

    def _copied(self, call: Call) -> str:
        block = self._block(call)
        own = {*block.input_names, *(node.name for node in block.nodes)}
        for node in block.nodes if self.items and self.old not in own else ():
            share = shared_by(node)
            if node.has_branches and share is not None and share.target == self.old:
                message = (
                    f"{block.family}.{node.name} names modules of {self.old} after its sources"
                )
                help = f"name them in {self.old} first: each: {{NAME: SOURCE}}"
                raise self.edit.fault("bad-name", message, help, node.span)
        nodes = tuple(map(self.in_node, block.nodes)) if self.old not in own else block.nodes
        if all(one is other for one, other in zip(nodes, block.nodes, strict=True)):
            return call.block
        if self.new in own and self.new != self.old:
            message = f"{self.new} is a name in {block.family}, which shares {self.old}"
            raise self.edit.fault("duplicate-name", message, "choose another name", block.span)
        written = call.block
        of = written.of if isinstance(written, CopyKey) else self.edit.resolved(written)
        key = CopyKey(new_key(block.family), of, getattr(written, "written", written))
        self.edit.made[key] = replace(block, nodes=nodes)
        return key

    def _block(self, call: Call) -> Block:
        """Return the block of a use, perhaps one that this edit made."""
        return self.edit.made.get(call.block) or self.edit.block(call)

    def _shares_new(self, nodes: Iterable[Node], found: dict[str, bool]) -> bool:
        """Return whether one of the nodes, or of the nodes in their blocks, shares a node of the new
        name that is around them; `found` are the answers for blocks."""
        for node in nodes:
            share = shared_by(node)
            if share is not None and share.target == self.new:
                return True
            for call in calls((node,)):
                if call.block not in found:
                    block = self._block(call)
                    own = {*block.input_names, *(one.name for one in block.nodes)}
                    inside = self.new not in own and self._shares_new(block.nodes, found)
                    found[call.block] = inside
                if found[call.block]:
                    return True
        return False


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
