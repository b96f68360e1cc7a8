"""Find the values that inputs may have: indices below a number of categories, and lengths."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.ir.dim import Size
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Leaf, unwrap


def limits(body: Body) -> Iterator[tuple[str, int]]:
    """Yield each input that is an index, with its number of categories.

    That is its vocab, or the size of the embedding that takes it.
    """
    for name, type_ in body.inputs.items():
        if type_.vocab is not None:
            yield name, type_.vocab
    for node in body.single_nodes:
        for source, _, leaf in _fed_leaves(body, node):
            if leaf.name in ("Embedding", "EmbeddingBag") and leaf.lowering.module is not None:
                yield source, leaf.lowering.module.arguments["num_embeddings"]


def lengths(body: Body) -> Iterator[tuple[str, Size]]:
    """Yield each input that is the lengths of sequences, with a legal length.

    That is the number of steps, or 1 if the layer that takes it is inside a block.
    """
    for node in body.single_nodes:
        for source, key, leaf in _fed_leaves(body, node):
            if key == "lengths":
                inside = leaf is not unwrap(node.operation)
                yield source, 1 if inside else _steps(node)


def positions(body: Body) -> Iterator[tuple[str, Size]]:
    """Yield each input that `pick` or `take` reads as positions, with the size of the axis."""
    for node in body.single_nodes:
        operation, index = unwrap(node.operation), node.arguments.get("index")
        picks = isinstance(operation, Leaf) and operation.name in ("pick", "take")
        if picks and index is not None and index.name in body.inputs:
            yield index.name, body.type_of(node.arguments["input"]).dims[0]
        for inner in operation.bodies[:1]:
            for name, size in positions(inner):
                outer = node.arguments.get(name)
                if outer is not None and outer.name in body.inputs and isinstance(size, int):
                    yield outer.name, size


def _steps(node: TypedNode) -> Size:
    """Return the number of steps of a recurrent layer."""
    result = next(iter(node.results.values()))
    return (result if node.fold is None else node.fold.fold(result)).dims[0]


def _fed_leaves(body: Body, node: TypedNode) -> Iterator[tuple[str, str, Leaf]]:
    """Yield the layers in a node that an input of the body feeds: the input, the argument, the layer.

    Layers at the start of chains and in blocks are found, too.
    """
    operation = unwrap(node.operation)
    for key, value in node.arguments.items():
        if value.name not in body.inputs:
            continue
        first = operation.steps[0].operation if operation.steps else operation
        if isinstance(first, Leaf):
            yield value.name, key, first
        for inner in operation.bodies[:1]:
            yield from _inside(inner, key, value.name)


def _inside(inner: Body, name: str, outer: str) -> Iterator[tuple[str, str, Leaf]]:
    """Yield the layers in a body that its input `name` feeds, as fed by the outer input."""
    for node in inner.single_nodes:
        for source, key, leaf in _fed_leaves(inner, node):
            if source == name:
                yield outer, key, leaf
