"""Which values an input may have: below its number of categories, or lengths of what they go with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from mimgraph.ir.dim import Size
from mimgraph.ir.typed import Body, Leaf, TypedNode, single_nodes, unwrap


def limits(body: Body) -> Iterator[tuple[str, int]]:
    """The number of categories of each input that is one, declared or where it is embedded."""
    for name, type_ in body.inputs.items():
        if type_.vocab is not None:
            yield name, type_.vocab
    for node in _nodes(body):
        for source, _, leaf in _fed_leaves(body, node):
            if leaf.name in ("Embedding", "EmbeddingBag") and leaf.lowering.module is not None:
                yield source, leaf.lowering.module.arguments["num_embeddings"]


def lengths(body: Body) -> Iterator[tuple[str, Size]]:
    """The inputs that are lengths, with one that is legal: all steps, or 1 if that is in a block."""
    for node in _nodes(body):
        for source, key, leaf in _fed_leaves(body, node):
            if key == "lengths":
                inside = leaf is not unwrap(node.operation)
                yield source, 1 if inside else next(iter(node.results.values())).dims[0]


def _nodes(body: Body) -> Iterator[TypedNode]:
    """The nodes of a body, those of an `each` one by one."""
    return chain.from_iterable(map(single_nodes, body.nodes))


def _fed_leaves(body: Body, node: TypedNode) -> Iterator[tuple[str, str, Leaf]]:
    """The layers of a node that inputs of the body feed, through chains and blocks, each with that
    input and the argument that it fills."""
    operation = unwrap(node.operation)
    for key, value in node.arguments.items():
        if value.name not in body.inputs:
            continue
        first = operation.steps[0].operation if operation.steps else operation
        if isinstance(first, Leaf):
            yield value.name, key, first
        for inner in operation.bodies[:1]:
            yield from _through(inner, key, value.name)


def _through(inner: Body, name: str, outer: str) -> Iterator[tuple[str, str, Leaf]]:
    for node in _nodes(inner):
        for source, key, leaf in _fed_leaves(inner, node):
            if source == name:
                yield outer, key, leaf
