"""The context in which a call is declared and typed, and the typed call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mimgraph.builder.declare_layer import declare_over, declare_take
from mimgraph.builder.declare_training import declare_freeze, declare_training
from mimgraph.builder.tracing.trace import Trace
from mimgraph.builder.user_line import raise_faults
from mimgraph.diagnostics import Report
from mimgraph.infer.graph import Made, infer_node
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Operation
from mimgraph.ir.declared_values import Option
from mimgraph.ir.expression import plain
from mimgraph.ir.names import BESIDE, TRAINING
from mimgraph.ir.rewrite import Rewriter
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ops.layer_call import Uses
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.builder.handles.records import Record

# dicts, as Python-level mappings are slower, and other read-only ones cannot be pickled
NO_BLOCKS: Mapping[str, ir.Block] = {}
NO_OPTIONS: Mapping[str, object] = {}
NO_CALLS: Mapping[str, Record] = {}
_WORDS = frozenset((*BESIDE, *TRAINING))


class TypedCall(NamedTuple):
    """A typed node, by key all blocks that it uses, inner ones first, and the outer calls that these
    share, by the names that stand for them."""

    node: TypedNode
    blocks: Mapping[str, ir.Block]
    borrowed: Mapping[str, Record] = NO_CALLS


class CallContext(NamedTuple):
    """The node of a call: its name and path, its sources, and the inputs and nodes that they
    name."""

    name: str
    path: str
    span: Span
    sources: tuple[ir.Source, ...]
    made: Mapping[str, Made]
    trace: Trace | None

    def keep(self, uses: Uses, use: object) -> None:
        """Record the first call of a layer in this body."""
        uses[self.trace] = use
        if self.trace is not None:
            self.trace.called.append(uses)

    def declare(self, operation: Operation, options: Mapping[str, object]) -> ir.Node:
        """Return the declared node, with the words `take`, `over`, `freeze`, ... of its options."""
        if not options or _WORDS.isdisjoint(options):  # as in most calls
            return ir.Node(self.name, self.span, operation, self.sources)
        take, over = declare_take(options, self.span), declare_over(options, self.span)
        freeze = declare_freeze(options, self.span)
        training = declare_training(options, operation, self.span)
        return ir.Node(
            *(self.name, self.span, operation, self.sources, take, freeze),
            over=over,
            training=training,
        )

    def infer(
        self,
        operation: Operation,
        options: Mapping[str, object] = NO_OPTIONS,
        blocks: Mapping[str, ir.Block] = NO_BLOCKS,
    ) -> TypedNode:
        """Return the node typed alone; raise if anything is wrong with it."""
        report, node = Report(), self.declare(operation, options)
        # the cache of rules knows a written number by the identity of its expression, which is new in
        # each run of a function: plain numbers can be found again
        alone = node if self.trace is None else _PLAIN.node(node)
        typed = infer_node(alone, self.made, report, blocks, self.path)
        raise_faults(report, self.span)
        assert typed is not None
        return typed if alone is node else replace(typed, declared=node)


def _plain(option: Option) -> Option:
    """Return an option with plain numbers in place of numbers with expressions."""
    value = plain(option.value)
    return option if value is option.value else option._replace(value=value)


_PLAIN = Rewriter(option=_plain)
