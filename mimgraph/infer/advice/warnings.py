"""Collect the warnings of a legal spec; each kind is a function, listed in `CHECKS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mimgraph.diagnostics import Diagnostic, in_order
from mimgraph.infer.advice.unused_params import unused_params
from mimgraph.infer.outer_shares import outer_shares, shared_around
from mimgraph.ir.declared.graph import Graph, Node
from mimgraph.ir.declared.operations import Apply
from mimgraph.ops.deprecated import OPS, as_item
from mimgraph.source import PythonFile


def deprecated_ops(graph: Graph) -> Iterator[Diagnostic]:
    """Yield a warning for each use of a deprecated layer or merge, with the new spelling as help."""
    yield from _in(graph.nodes)
    for block in graph.blocks.values():
        yield from _in(block.nodes, f"{block.family}.")


def _in(nodes: Iterable[Node], path: str = "", are_items: bool = False) -> Iterator[Diagnostic]:
    for node in nodes:
        applied, here = node.applied, f"{path}{node.name}"
        if isinstance(applied, Apply) and (instead := OPS.get((applied.kind, applied.name))):
            written = as_item(instead.spelling) if are_items else instead.spelling
            message = f"{applied.name} is deprecated since mimgraph {instead.since}"
            help = f"write {written}"
            yield Diagnostic("deprecated", message, applied.span, help=help, node=here)
        elif applied is not None:
            yield from _in(applied.items, f"{here}.", are_items=True)


def partly_frozen(graph: Graph) -> Iterator[Diagnostic]:
    """Yield a warning for each frozen node whose blocks share an outer layer that is not frozen."""
    bodies = [graph.nodes, *(block.nodes for block in graph.blocks.values())]
    if not any(node.freeze is True for nodes in bodies for node in nodes):
        return
    outer = outer_shares(graph.blocks, {node.name for node in graph.nodes})
    learning = {node.name for nodes in bodies for node in nodes if node.freeze is False}
    for nodes in bodies:
        frozen_here = {node.name for node in nodes if node.freeze is not False}
        for node in nodes:
            if node.freeze is True:
                names = dict.fromkeys(shared_around(node, outer))
                yield from (_warning(node, n) for n in names if n in learning - frozen_here)


def _warning(node: Node, name: str) -> Diagnostic:
    message = f"freeze does not reach {name}, which a block shares from outside"
    help = f"write freeze: true on the node {name} too, if it should not learn"
    return Diagnostic("partly-frozen", message, node.span, help=help, node=node.name)


CHECKS: tuple[Callable[[Graph], Iterable[Diagnostic]], ...] = (
    partly_frozen,
    unused_params,
    deprecated_ops,
    lambda graph: graph.renamed,
)


def warnings(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return the warnings of a spec in the order of its text; a graph made in Python has none."""
    found = [one for check in CHECKS for one in check(graph)]
    return tuple(in_order([one for one in found if not isinstance(one.span.file, PythonFile)]))
