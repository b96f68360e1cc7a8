"""What is known of a call before and after it is declared: its feed, and its draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mimgraph.builder.change import without_origins
from mimgraph.builder.tracing.trace import Trace
from mimgraph.builder.user_line import raise_faults
from mimgraph.diagnostics import Report
from mimgraph.infer.single_node import Made, infer_node
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

    def keep(self, uses: dict[Any, Any], use: object) -> None:
        """Enter in the uses of a layer what its first call in this body recorded."""
        uses[self.trace] = use
        if self.trace is not None:
            self.trace.called.append(uses)

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
        # numbers that remember one run of a function would be new to every rule
        alone = node if self.trace is None else without_origins(node)
        typed = infer_node(alone, self.made, report, blocks, self.path)
        raise_faults(report, self.span)
        assert typed is not None
        return typed if alone is node else replace(typed, declared=node)
