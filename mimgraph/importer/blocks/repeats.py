"""Make one node of modules in a row: `repeat` of equal blocks, `seq` of the items of a ModuleList."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from mimgraph.importer.draft import (
    Body,
    Node,
    Op,
    Port,
    Repeat,
    Seq,
    Share,
    Use,
    inner_nodes,
)

_NUMBER = re.compile(r"\d+")
_NUMBERED = re.compile(r"(.+)\.(\d+)")
Members = Callable[[Body], Sequence[Body]]  # the equal bodies of the block that a body is


def make_repeats(body: Body, members: Members, tidy: bool = False) -> None:
    """Let equal blocks in a row be one node of a body, and so what one ModuleList does in a row.

    The uses in the body have their arguments. The keys of weights stay, `layers.0.fc.weight`, but with
    `tidy`: then modules with other names, `layer1` and `layer2`, and parts of a chain are repeats too.
    """
    for node in inner_nodes(body.nodes):
        if isinstance(node.operation, Seq) and not body.is_chain:
            _repeat_items(node, members)
    for node in [*body.nodes]:
        _repeat_shared(body, node)
    for head, nodes in _lists(body).items():
        _join(body, head, nodes, members)
    if tidy:
        for nodes in _named_lists(body):
            for run in _runs(body, nodes, members):
                if len(run) > 1:
                    _put(body, run, _repeat(run), _common_name(run))
        for node in inner_nodes(body.nodes):
            if isinstance(node.operation, Seq):
                node.operation.items = [*_repeated_items(node.operation.items, members)]
        for node in body.nodes:
            if isinstance(node.operation, Seq) and len(node.operation.items) == 1 and node.name:
                (item,) = node.operation.items
                node.operation, node.path, node.maker = item.operation, item.path, item.maker


def _named_lists(body: Body) -> list[list[Node]]:
    """Return the modules that use blocks in lists, each of modules that are named alike."""
    found = dict[str, list[Node]]()
    for node in body.nodes:
        if node.attribute and isinstance(node.operation, Use) and node.operation.repeat is None:
            found.setdefault(_NUMBER.sub("", node.attribute), []).append(node)
    return [*found.values()]


def _common_name(nodes: Sequence[Node]) -> str:
    """Return a name for modules in a row: `layers` for `layer1` and `layer2`."""
    name = "_".join(re.findall(r"[^\W\d_]+", nodes[0].attribute)) or nodes[0].attribute
    return name if name.endswith("s") else f"{name}s"


def _repeated_items(items: Sequence[Node], members: Members) -> Iterator[Node]:
    """Yield the items of a chain; several of one block in a row are one."""
    run = list[Node]()
    for item in items:
        if run and not _same_block([run[0], item], members):
            yield from _repeated_item(run)
            run = []
        run.append(item)
    if run:
        yield from _repeated_item(run)


def _repeated_item(run: list[Node]) -> list[Node]:
    """Return one item for several uses of a block; two that differ stay as they are."""
    repeat = _repeat(run) if len(run) > 1 else None
    if repeat is None or repeat.repeat is None or (len(run) == 2 and repeat.repeat.each):
        return run
    return [Node("", repeat, path=run[0].path, place=run[0].place, maker=run[0].maker)]


def _repeat_items(node: Node, members: Members) -> None:
    """Let a chain of one block be a repeat of it."""
    assert isinstance(node.operation, Seq)
    items = node.operation.items
    if len(items) > 1 and _same_block(items, members):
        node.operation = _repeat(items)


def _same_block(nodes: Sequence[Node], members: Members) -> bool:
    first = nodes[0].operation
    return isinstance(first, Use) and all(
        isinstance(node.operation, Use)
        and node.operation.repeat is None
        and any(node.operation.body is one for one in members(first.body))
        for node in nodes
    )


def _repeat(nodes: Sequence[Node]) -> Use:
    """Return the use of one block several times; arguments that differ are lists."""
    uses = [node.operation for node in nodes if isinstance(node.operation, Use)]
    each, equal = dict[str, list[Any]](), dict[str, Any]()
    for name in uses[0].arguments:
        values = [use.arguments[name] for use in uses]
        if all(repr(value) == repr(values[0]) for value in values):
            equal[name] = values[0]
        else:
            each[name] = values
    return Use(uses[0].body, equal, repeat=Repeat(len(uses), each, members=[*nodes]))


def _lists(body: Body) -> dict[str, list[Node]]:
    """Return the modules of each ModuleList in the order in which they run."""
    found = dict[str, list[Node]]()
    for node in body.nodes:
        numbered = _NUMBERED.fullmatch(node.attribute)
        if numbered:
            found.setdefault(numbered[1], []).append(node)
    return found


def _join(body: Body, head: str, nodes: list[Node], members: Members) -> None:
    """Make one node of the modules of a ModuleList, or a few where they are not one chain."""
    in_order = [node.attribute for node in nodes] == [f"{head}.{i}" for i in range(len(nodes))]
    runs = [*_runs(body, nodes, members)]
    if in_order and len(runs) == 1:
        _put(body, nodes, _repeat(nodes) if len(nodes) > 1 else Seq(nodes), head)
    elif in_order and _is_chain(body, nodes):
        _put(body, nodes, Seq(nodes), head)
    else:
        for run in runs:
            if len(run) > 1:
                _put(body, run, _repeat(run), run[0].attribute)


def _put(body: Body, nodes: list[Node], operation: Use | Seq, attribute: str) -> None:
    """Put one node in the place of several in a row."""
    first, last = nodes[0], nodes[-1]
    if isinstance(operation, Seq) and (len(first.sources) != 1 or not _is_plain(first)):
        return
    path = first.path.rpartition(".")[0] if attribute != first.attribute else first.path
    name = attribute.replace(".", "_")
    joined = Node(name, operation, first.sources, attribute, path, first.place)
    joined.maker = first.maker
    joined.comments = [comment for node in nodes for comment in node.comments]
    if isinstance(operation, Seq):
        joined.sources = [one._replace(argument=None) for one in first.sources]
        for node in nodes:
            node.sources = []
    body.nodes[body.nodes.index(first)] = joined
    body.replace(last, Port(joined))
    gone = {id(node) for node in nodes}
    body.nodes = [node for node in body.nodes if id(node) not in gone]


def _runs(body: Body, nodes: list[Node], members: Members) -> Iterator[list[Node]]:
    """Yield the nodes in runs, each a chain of one block that may be a repeat."""
    run = [nodes[0]]
    for node in nodes[1:]:
        if _same_block([run[0], node], members) and _continues(body, run, node, members):
            run.append(node)
        else:
            yield run
            run = [node]
    yield run


def _continues(body: Body, run: list[Node], node: Node, members: Members) -> bool:
    """Return whether a node reads the one before and nothing else but what all of the run read."""
    first, last = run[0], run[-1]
    if len(node.sources) != len(first.sources):
        return False
    carried = dict[str, str]()
    given = {one.argument: one.port for one in first.sources}
    for one in node.sources:
        if one.port.node is last:
            carried[one.argument or ""] = one.port.name
        elif given.get(one.argument) != one.port:
            return False
    readers = body.readers(last)
    if not carried or any(reader is not node for reader in readers):
        return False
    assert isinstance(first.operation, Use)
    return _thread(body, first.operation.body, carried, members)


def _thread(body: Body, block: Body, carried: dict[str, str], members: Members) -> bool:
    """Let the outputs of a block feed its inputs at the next time; return whether they can.

    A single output feeds the first input, several those with their names.
    """
    bodies = members(block)
    inputs = [one.name for one in block.inputs]
    if len(block.outputs) == 1:
        name = next(iter(carried)) or inputs[0]
        if len(carried) > 1 or inputs[0] == name:
            return len(carried) == 1
        if not _only_here(body, bodies):
            return False
        for one in bodies:
            one.inputs.sort(key=lambda given: given.name != name)
        return True
    fixed = {one.name for one in block.outputs} - {*carried.values()}
    if fixed & {*inputs} or len({*carried.values()}) < len(carried):
        return False
    renamed = {port: argument for argument, port in carried.items() if port != argument}
    if renamed and not _only_here(body, bodies):
        return False
    _rename_outputs(body, bodies, renamed)
    return True


def _only_here(body: Body, bodies: Sequence[Body]) -> bool:
    """Return whether no other body uses these."""
    used = [one.operation.body for one in inner_nodes(body.nodes) if isinstance(one.operation, Use)]
    return all(any(one is other for other in used) for one in bodies)


def _rename_outputs(body: Body, bodies: Sequence[Body], names: dict[str, str]) -> None:
    """Give outputs of blocks other names, there and where the nodes of a body read them."""

    def renamed(port: Port) -> Port:
        operation = port.node.operation if isinstance(port.node, Node) else None
        if isinstance(operation, Use) and any(operation.body is one for one in bodies):
            return port._replace(name=names.get(port.name, port.name))
        return port

    for one in bodies:
        for output in one.outputs:
            output.name = names.get(output.name, output.name)
    for node in body.nodes:
        node.sources = [source._replace(port=renamed(source.port)) for source in node.sources]
    for output in body.outputs:
        output.port = renamed(output.port)


def _is_plain(node: Node) -> bool:
    """Return whether a node can be an item of a chain: one source, one result."""
    plain = isinstance(node.operation, Use) or (
        isinstance(node.operation, Op) and node.operation.kind == "layer"
    )
    return plain and len(node.sources) == 1 and not node.take and node.over is None


def _is_chain(body: Body, nodes: list[Node]) -> bool:
    """Return whether each node reads the default result of the one before, and no other node does."""
    if not all(map(_is_plain, nodes)):
        return False
    return all(
        two.sources[0].port == Port(one) and body.readers(one) == [two]
        for one, two in pairwise(nodes)
    )


def _repeat_shared(body: Body, first: Node) -> None:
    """Let one block that runs again and again on its own result be a repeat with shared weights."""
    if not isinstance(first.operation, Use) or first.operation.repeat is not None:
        return
    use, begin = first.operation, {one.argument: one.port for one in first.sources}
    run = [first]
    for node in body.nodes:
        if isinstance(node.operation, Share) and node.operation.target is first:
            reads = {one.argument: one.port for one in node.sources}
            moved = [argument for argument, port in reads.items() if port != begin.get(argument)]
            if moved != [use.body.inputs[0].name] or reads[moved[0]] != Port(run[-1]):
                return
            run.append(node)
    apart = any(_data_readers(body, one) != [two] for one, two in pairwise(run))
    if len(run) > 1 and len(use.body.outputs) == 1 and not apart:
        operation = Use(use.body, use.arguments, repeat=Repeat(len(run), {}, True, [first]))
        _put(body, run, operation, first.attribute)


def _data_readers(body: Body, node: Node) -> list[Any]:
    """Return the nodes and outputs that read the results of a node, without shares of its module."""
    reading = [one for one in body.nodes if any(s.port.node is node for s in one.sources)]
    return [*reading, *(one for one in body.outputs if one.port.node is node)]
