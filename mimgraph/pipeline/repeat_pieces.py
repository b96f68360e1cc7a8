"""Cut repeated blocks into pieces, each a node with some of the repeats, so that a stage can begin there."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from mimgraph.ir.names import name_fault
from mimgraph.ir.typed_graph import ALWAYS, Body, TypedNode, Value, single_nodes
from mimgraph.ir.typed_operations import Repeated, Shared


class Pieces(NamedTuple):
    """A body with repeated blocks in pieces; `begins` has the piece that begins at a name, `encoded.3`.

    The last piece has the name of the node, the others that of their last repeat, `encoded_2`; in
    the graph of a stage each piece has the declared name.
    """

    body: Body
    begins: Mapping[str, str]


def in_pieces(body: Body, names: Iterable[str]) -> Pieces:
    """Return the body with a piece from each named repeat on, `encoded.3`, if the block may be cut."""
    wanted = {*names}
    begins: dict[str, str] = {}
    taken = {*body.inputs, *body.by_name}
    pieces: dict[str, list[TypedNode]] = {}
    for node, times in divisible(body):
        cuts = [number for number in range(1, times) if f"{node.name}.{number}" in wanted]
        found = [*_pieces(node, [0, *cuts, times], taken)] if cuts else [node]
        pieces[node.name] = found
        starts = (f"{node.name}.{number}" for number in (0, *cuts))
        begins |= {start: piece.name for start, piece in zip(starts, found, strict=True)}
    begins |= {name: pieces.get(name, [node])[0].name for name, node in body.by_name.items()}
    nodes, order = (
        tuple(piece for node in every for piece in pieces.get(node.name, (node,)))
        for every in (body.nodes, body.order)
    )
    return Pieces(replace(body, nodes=nodes, order=order), begins)


def repeat_names(body: Body) -> list[str]:
    """Return the names of all repeats at which a stage may begin."""
    return [f"{node.name}.{n}" for node, times in divisible(body) for n in range(1, times)]


def divisible(body: Body) -> Iterator[tuple[TypedNode, int]]:
    """Yield the nodes that may be cut into pieces, each with its number of repeats."""
    together = _used_by_others(body)
    for node in body.nodes:
        if isinstance(node.operation, Repeated) and not _why_whole(body, node, together):
            yield node, len(node.operation.bodies)


def why_whole(body: Body, node: TypedNode) -> str | None:
    """Return why a node may not be cut into pieces, or None if it may."""
    return _why_whole(body, node, _used_by_others(body))


def _why_whole(body: Body, node: TypedNode, together: Container[str]) -> str | None:
    if not isinstance(node.operation, Repeated):
        return "it is not a repeated block"
    if node.operation.shared:
        return "its repeats share one module"
    if any(body.borrowed for body in node.operation.bodies):
        return "its repeats share a module of another node"
    if node.operation.collected is not None:
        return "it collects the results of all repeats"
    if node.name in together:
        return "other nodes use its weights"
    if node.is_own:
        return "it reads no input"
    if any(body.presence_of(value) != ALWAYS for value in node.arguments.values()):
        return "a source of it may be missing"
    return None


def _used_by_others(body: Body) -> set[str]:
    """Return the nodes whose module other nodes share, or whose weights they read."""
    found = {
        one.operation.target
        for node in body.nodes
        for one in single_nodes(node)
        if isinstance(one.operation, Shared)
    }
    read = (value for node in body.nodes for value in node.arguments.values())
    for value in (*read, *body.outputs.values()):
        node = body.by_name.get(value.name)
        if node is not None and value.port not in node.results:
            found.add(node.name)
    return found


def _pieces(node: TypedNode, bounds: list[int], taken: set[str]) -> Iterator[TypedNode]:
    """Yield the pieces of a node between these bounds, each fed by the one before."""
    repeated, arguments = node.operation, node.arguments
    assert isinstance(repeated, Repeated)
    for start, end in pairwise(bounds):
        name = node.name
        if end < bounds[-1]:
            name = f"{name}_{end - 1}"
            while name in taken or name_fault(name):
                name += "_"
            taken.add(name)
        piece = replace(
            repeated,
            bodies=repeated.bodies[start:end],
            arguments=repeated.arguments[start:end],
            times=end - start,
            first=start,
        )
        results = repeated.bodies[end - 1].results
        if node.over is not None:
            results = {port: node.over.unfold(type_) for port, type_ in results.items()}
        yield replace(node, name=name, operation=piece, arguments=arguments, results=results)
        handed = {key: Value(name, port) for key, port in repeated.carried.items()}
        arguments = {**arguments, **handed}
