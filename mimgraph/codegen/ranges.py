"""Which values an input may have: below its number of categories, or lengths of what they go with."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.ir.dim import Size
from mimgraph.ir.typed import Body, Leaf, Repeated, Sequence, Use, unwrap


def limits(body: Body) -> Iterator[tuple[str, int]]:
    """The number of categories of each input that is one, declared or where it is embedded."""
    for name, type_ in body.inputs.items():
        if type_.vocab is not None:
            yield name, type_.vocab
    for source, leaf in _fed_leaves(body):
        if leaf.name.startswith("Embedding") and leaf.lowering.module is not None:
            yield source, leaf.lowering.module.arguments["num_embeddings"]


def lengths(body: Body) -> Iterator[tuple[str, Size]]:
    """The inputs that are lengths, with the longest that is legal: the steps of the first result."""
    for node in body.nodes:
        value = node.arguments.get("lengths")
        if value is not None and value.name in body.inputs:
            yield value.name, next(iter(node.results.values())).dims[0]


def _fed_leaves(body: Body) -> Iterator[tuple[str, Leaf]]:
    """Every layer that an input of the body feeds, through chains and blocks, with that input."""
    for node in body.nodes:
        operation = unwrap(node.operation)
        for key, value in node.arguments.items():
            if value.name not in body.inputs:
                continue
            match operation:
                case Leaf():
                    yield value.name, operation
                case Sequence(items) if items and isinstance(items[0].operation, Leaf):
                    yield value.name, items[0].operation
                case Use(inner):
                    yield from _through(inner, key, value.name)
                case Repeated(bodies) if bodies:
                    yield from _through(bodies[0], key, value.name)


def _through(inner: Body, key: str, name: str) -> Iterator[tuple[str, Leaf]]:
    for source, leaf in _fed_leaves(inner):
        if source == key:
            yield name, leaf
