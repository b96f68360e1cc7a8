"""The repeats of a graph in pieces: nodes that run a part of the blocks of one, for stages to begin at."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from mimgraph.ir.names import name_fault
from mimgraph.ir.presence import ALWAYS
from mimgraph.ir.typed import (
    Body,
    Repeated,
    Shared,
    TypedNode,
    Value,
    single_nodes,
)
from mimgraph.support.frozen_data import data


@data
class Pieces:
    """A body in which repeats are in pieces, and which of its nodes begins at a name: `encoded.3`.

    The last piece has the node's name, the others that of the block they end with, `encoded_2`; in
    the graph of a stage each is the node of its `declared` name.
    """

    body: Body
    begins: Mapping[str, str]


def in_pieces(body: Body, names: Iterable[str]) -> Pieces:
    """The body with a piece from each named block on, `encoded.3`, where that may be."""
    wanted = {*names}
    begins: dict[str, str] = {}
    taken = {*body.inputs, *body.by_name}
    pieces: dict[str, list[TypedNode]] = {}
    for node, times in parted(body):
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


def block_names(body: Body) -> list[str]:
    """Every name of a block at which a stage may begin."""
    return [f"{node.name}.{n}" for node, times in parted(body) for n in range(1, times)]


def parted(body: Body) -> Iterator[tuple[TypedNode, int]]:
    """The nodes that a stage may end inside, and how many blocks they have."""
    together = _read_by_others(body)
    for node in body.nodes:
        if isinstance(node.operation, Repeated) and not _why_whole(body, node, together):
            yield node, len(node.operation.bodies)


def why_whole(body: Body, node: TypedNode) -> str | None:
    """Why no stage may end inside a node, if so."""
    return _why_whole(body, node, _read_by_others(body))


def _why_whole(body: Body, node: TypedNode, together: Container[str]) -> str | None:
    if not isinstance(node.operation, Repeated):
        return "it is no repeat of blocks of its own"
    if node.operation.shared:
        return "its blocks are one module"
    if node.name in together:
        return "other nodes use its weights"
    if node.is_own:
        return "it reads no input"
    if any(body.presence_of(value) != ALWAYS for value in node.arguments.values()):
        return "what it reads may be missing"
    return None


def _read_by_others(body: Body) -> set[str]:
    """The nodes of which others share the module, or read a weight."""
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
    """The node in pieces that begin and end at these blocks, each fed by the one before."""
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
        yield replace(node, name=name, operation=piece, arguments=arguments, results=results)
        ports = {key: key if len(results) > 1 else "" for key in repeated.carried}
        arguments = {**arguments, **{key: Value(name, port) for key, port in ports.items()}}
