"""Leave out the options that belong to another choice of a searched op: `{merge: $fusion, num_heads: 4}`.

Where a search chooses the layer, merge, activation or block of a node, the node may give the options of
all choices. An option that the chosen one does not have, and another choice has, is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mimgraph.diagnostics import Report
from mimgraph.infer.evaluation import Evaluation, check_names, layered
from mimgraph.ir.declared.graph import Block, Graph
from mimgraph.ir.declared.rewrite import Options, Rewriter
from mimgraph.ir.declared.space import Choices
from mimgraph.ir.declared.values import FAULTY, OTHERS, Chosen, Option, Written
from mimgraph.ir.expression import Variable
from mimgraph.ops import registry
from mimgraph.ops.custom import plugins
from mimgraph.support.plugins import BrokenPlugin


def without_other_choices(graph: Graph, values: Mapping[str, Any], report: Report) -> Graph:
    """Return the graph without the options that belong to other choices than the values of its params.

    Unknown names in the options that are left out are reported.
    """
    if not any(isinstance(one.space, Choices) for one in graph.params.values()):
        return graph
    values = layered(values, dict.fromkeys(graph.params))  # of a part only some values are known
    names = layered(_sizes(graph), values)
    leaver = _Leaver(SearchedOps(graph), values, names, report)
    nodes = Rewriter(given=leaver.kept).nodes(graph.nodes)
    blocks = {key: _in_block(graph, block, values, report) for key, block in graph.blocks.items()}
    return replace(graph, nodes=nodes, blocks=blocks)


def _in_block(graph: Graph, block: Block, values: Mapping[str, Any], report: Report) -> Block:
    """Return a block without the options of other choices of the spec's params."""
    path = block.family if block.is_chain else f"{block.family}."
    names = layered(dict.fromkeys(block.own_names), values)
    leaver = _Leaver(SearchedOps(graph, block.own_names), values, names, report)
    nodes = Rewriter(given=leaver.kept).nodes(block.nodes, path)
    return block if nodes is block.nodes else replace(block, nodes=nodes)


def _sizes(graph: Graph) -> dict[str, Any]:
    """Return the names of sizes that the graph's own nodes may read; any name if an input is faulty."""
    names: dict[str, Any] = {}
    for one in graph.inputs:
        names |= dict.fromkeys(one.shape.names) if one.shape else {OTHERS: FAULTY}
    return names


@dataclass(frozen=True, slots=True)
class SearchedOps:
    """Says which choices of a search have an option; the params in `own` are a block's, and not searched."""

    graph: Graph
    own: Collection[str] = ()

    def param(self, name: str) -> str | None:
        """Return the searched param that gives the name of an op, itself or by another param."""
        if not isinstance(name, Chosen):
            return None
        read = _lone_name(name.written)
        if read in self.own:
            return None
        while read is not None and read in self.graph.params:
            option = self.graph.params[read]
            if isinstance(option.space, Choices):
                return read
            read = _lone_name(option.value)
        return None

    def choices(self, param: str) -> list[str]:
        """Return the names of ops that a searched param may give."""
        space = self.graph.params[param].space
        assert isinstance(space, Choices)
        return [one for one in space.values if isinstance(one, str)]

    def having(self, kind: str, param: str, option: str) -> frozenset[str]:
        """Return the choices that have an option."""
        return frozenset(one for one in self.choices(param) if self._has(kind, one, option))

    def _has(self, kind: str, name: str, option: str) -> bool:
        if kind == "block":
            block = self.graph.blocks.get(name)
            return block is not None and option in block.params
        kind = "layer" if kind == "activation" else kind
        op = registry.find(kind, name)
        if op is None:
            try:
                op = plugins.find(kind, name)
            except BrokenPlugin:  # reported where it is chosen
                return False
        return op is not None and option in op.options


def _lone_name(value: Any) -> str | None:
    """Return the name that a value reads if it is `$name`."""
    is_name = isinstance(value, Written) and isinstance(value.expression, Variable)
    return value.expression.name if is_name else None


@dataclass(frozen=True, slots=True)
class _Leaver:
    """Leaves out the options of other choices, in a scope that knows `names`."""

    searched: SearchedOps
    values: Mapping[str, Any]
    names: Mapping[str, Any]
    report: Report

    def kept(self, kind: str, name: str, path: str, options: Options) -> Options:
        """Return the options of an op that no other choice alone has."""
        param = self.searched.param(name)
        if param is None or not isinstance(self.values.get(param), str):
            return options
        found = dict[str, Option]()
        for key, option in options.items():
            having = self.searched.having(kind, param, key)
            if not having or self.values[param] in having:
                found[key] = option
            else:
                check_names(option.value, Evaluation(self.names, self.report, path))
        return found
