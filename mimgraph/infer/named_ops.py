"""Resolve names of ops and blocks that a param gives: `merge: $fusion` becomes `merge: concat`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.infer.other_choices import without_other_choices
from mimgraph.ir.declared.graph import Block, Graph
from mimgraph.ir.declared.rewrite import Rewriter
from mimgraph.ir.declared.values import FAULTY, Chosen
from mimgraph.ir.expression import variables


def choose(graph: Graph, params: Mapping[str, Any], report: Report) -> Graph:
    """Return the graph with every such name resolved; a node with a faulty name loses its
    operation."""
    if graph.spaces:
        graph = without_other_choices(graph, params, report)
    blocks = {key: _choose_in_block(block, params, report) for key, block in graph.blocks.items()}
    nodes = Rewriter(name=_Chooser(params, report).name).nodes(graph.nodes)
    unchanged = nodes is graph.nodes and all(graph.blocks[key] is blocks[key] for key in blocks)
    return graph if unchanged else replace(graph, nodes=nodes, blocks=blocks)


def _choose_in_block(block: Block, params: Mapping[str, Any], report: Report) -> Block:
    """Return a block with every name resolved that a param of the spec gives."""
    path = block.family if block.is_chain else f"{block.family}."
    chooser = _Chooser(params, report, block.own_names)
    nodes = Rewriter(name=chooser.name).nodes(block.nodes, path)
    return block if nodes is block.nodes else replace(block, nodes=nodes)


@dataclass(frozen=True, slots=True)
class _Chooser:
    """Resolves names by the params of the spec; `own` are a block's params and sizes, which differ
    from use to use and so cannot name an op."""

    params: Mapping[str, Any]
    report: Report
    own: frozenset[str] = frozenset()

    def name(self, kind: str, name: str, path: str) -> str | None:
        """Return the name itself, or the name that a param gives; None after reporting a faulty
        one."""
        if not isinstance(name, Chosen):
            return name
        own = next((v for v in variables(name.written.expression) if v.name in self.own), None)
        if own is not None:
            message = f"{own.name} is the block's own, and cannot give the name of {_a(kind)}"
            span, help = name.written.at(own.start, own.end), "use a param of the spec"
            self.report.add(Diagnostic("bad-expression", message, span, help=help, node=path))
            return None
        value = compute(name.written, Evaluation(self.params, self.report, path))
        if value is not FAULTY and not isinstance(value, str):
            message = f"{name} must be the name of {_a(kind)}, but it is {value!r}"
            self.report.add(Diagnostic("wrong-type", message, name.written.span, node=path))
        return str(value) if isinstance(value, str) else None


def _a(kind: str) -> str:
    return f"an {kind}" if kind == "activation" else f"a {kind}"
