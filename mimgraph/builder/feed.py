"""What is known of a call before and after it is declared: its feed, and its draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mimgraph.analysis.alone import Made, infer_node
from mimgraph.builder.place import raise_faults
from mimgraph.builder.trace import Trace
from mimgraph.diagnostics import Report
from mimgraph.ir import graph as ir
from mimgraph.ir.typed import TypedNode
from mimgraph.source import Span


class Draft(NamedTuple):
    """A call declared and typed, and the blocks that it speaks of, inner ones first."""

    typed: TypedNode
    blocks: Mapping[str, ir.Block]


class Feed(NamedTuple):
    """What is known of a call before it is declared: its names, its sources and their types."""

    name: str
    path: str
    span: Span
    sources: tuple[ir.Source, ...]
    made: Mapping[str, Made]
    trace: Trace | None

    def infer(
        self,
        operation: ir.Operation,
        take: ir.Take | None = None,
        blocks: Mapping[str, ir.Block] | None = None,
        freeze: bool = False,
    ) -> TypedNode:
        """The node typed alone; raises what is wrong with it."""
        report = Report()
        node = ir.Node(self.name, self.span, operation, self.sources, take, freeze)
        typed = infer_node(node, self.made, report, blocks, self.path)
        raise_faults(report, self.span)
        assert typed is not None
        return typed
