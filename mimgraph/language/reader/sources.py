"""Read the sources of a node: `x`, `[x, node.port]` or `{argument: x}`."""

from __future__ import annotations

from mimgraph.ir.declared_graph import Source
from mimgraph.language.reader.context import Context
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree


def read_sources(context: Context, tree: Tree | None, here: str) -> tuple[Source, ...] | None:
    """Return the sources; None if one cannot be read, or there are none."""
    if tree is None or (isinstance(tree, Mapping) and tree.lost):
        return None
    if isinstance(tree, Scalar):
        pairs: list[tuple[Scalar | None, Tree]] = [(None, tree)]
    elif isinstance(tree, Sequence):
        pairs = [(None, item) for item in tree.items]
    else:
        pairs = list(tree.entries)
    found = [read_source(context, value, here, key) for key, value in pairs]
    complete = [source for source in found if source is not None]
    return tuple(complete) if len(complete) == len(found) else None


def read_source(
    context: Context, tree: Tree, here: str, argument: Scalar | None = None
) -> Source | None:
    """Return a source; None for something else, which is reported."""
    text = tree.name if isinstance(tree, Scalar) else None
    if text is None and isinstance(tree, Scalar) and tree.text in context.lost:
        text = tree.text  # the node's key has the same fault
    if text is None:
        wants = "an input, a node or node.port"
        context.wrong_type("a source", wants, tree, here, _source_help(tree))
        return None
    name, dot, port = text.partition(".")
    return Source(
        name,
        port if dot else None,
        tree.span,
        argument.text if argument else None,
        argument.span if argument else None,
    )


def _source_help(tree: Tree) -> str:
    """Return the help for a number, or several sources, in the place of one source."""
    if isinstance(tree, Scalar) and type(tree.value) in (int, float):
        return "make a constant a node of its own: {zeros: [8]}"
    if not isinstance(tree, Sequence):
        return ""
    names = [one.name if isinstance(one, Scalar) else None for one in tree.items]
    if None in names or not names:
        return ""
    if len(names) == 1:
        return f"write {names[0]}"
    return "merge them first; an input of a block takes all results of one node: NODE.*"
