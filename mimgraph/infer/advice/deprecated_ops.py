"""Warn of deprecated layers and merges in a spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mimgraph.diagnostics import Diagnostic
from mimgraph.ir.declared.graph import Graph, Node
from mimgraph.ir.declared.operations import Apply
from mimgraph.ops.deprecated import OPS, as_item


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
