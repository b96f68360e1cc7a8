"""Rewrite a declared graph before it is typed: names that params give, and where options belong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mimgraph.diagnostics import Report
from mimgraph.diagnostics.text import code
from mimgraph.infer.evaluation import Evaluation, as_yaml, check_names, compute, layered
from mimgraph.infer.structure import ScopeNodes, scopes
from mimgraph.ir.declared_graph import Apply, Block, Call, Chain, Graph, Node
from mimgraph.ir.declared_values import FAULTY, OTHERS, Choices, Chosen, Option, Written
from mimgraph.ir.expression import Variable, variables
from mimgraph.ir.rewrite import Options, Rewriter
from mimgraph.ops import registry
from mimgraph.ops.custom import registration
from mimgraph.support.plugins import BrokenPlugin


def _rewritten(graph: Graph, change: Callable[[ScopeNodes], tuple[Node, ...]]) -> Graph:
    """Return the graph with the nodes of each scope changed; itself if they stay the same."""
    nodes = {scope.key: change(scope) for scope in scopes(graph)}
    blocks = {
        key: block if nodes[key] is block.nodes else replace(block, nodes=nodes[key])
        for key, block in graph.blocks.items()
    }
    unchanged = nodes[""] is graph.nodes and all(graph.blocks[key] is blocks[key] for key in blocks)
    return graph if unchanged else replace(graph, nodes=nodes[""], blocks=blocks)


def choose(graph: Graph, params: Mapping[str, Any], report: Report) -> Graph:
    """Return the graph with every name of an op or block resolved that a param gives,
    `merge: $fusion`; a node with a faulty name loses its operation."""
    if graph.spaces:
        graph = without_other_choices(graph, params, report)

    def chosen(scope: ScopeNodes) -> tuple[Node, ...]:
        rewriter = Rewriter(name=_Chooser(params, report, scope.own).name)
        return rewriter.nodes(scope.nodes, scope.path)

    return _rewritten(graph, chosen)


class _Chooser(NamedTuple):
    """Resolves names by the params of the spec; `own` are a block's params and sizes, which differ
    from use to use and so cannot name an op."""

    params: Mapping[str, Any]
    report: Report
    own: frozenset[str]

    def name(self, kind: str, name: str, path: str) -> str | None:
        """Return the name itself, or the name that a param gives; None after reporting a faulty
        one."""
        if not isinstance(name, Chosen):
            return name
        at = Evaluation(self.params, self.report, path)
        own = next((v for v in variables(name.written.expression) if v.name in self.own), None)
        if own is not None:
            message = f"{own.name} is the block's own, and cannot give the name of {_a(kind)}"
            span, help = name.written.at(own.start, own.end), "use a param of the spec"
            at.fault("bad-expression", message, span, help=help)
            return None
        value = compute(name.written, at)
        if value is not FAULTY and not isinstance(value, str):
            message = f"{code(name)} must be the name of {_a(kind)}, but it is {as_yaml(value)}"
            at.fault("wrong-type", message, name.written.span)
        return str(value) if isinstance(value, str) else None


def _a(kind: str) -> str:
    return f"an {kind}" if kind == "activation" else f"a {kind}"


# Leave out the options that belong to another choice of a searched op: `{merge: $fusion,
# num_heads: 4}`.
#
# Where a search chooses the layer, merge, activation or block of a node, the node may give the
# options of all choices. An option that the chosen one does not have, and another choice has, is
# left out.


def without_other_choices(graph: Graph, values: Mapping[str, Any], report: Report) -> Graph:
    """Return the graph without the options that belong to other choices than the values of its params.

    Unknown names in the options that are left out are reported.
    """
    if not any(isinstance(one.space, Choices) for one in graph.params.values()):
        return graph
    values = layered(values, dict.fromkeys(graph.params))  # of a part only some values are known
    sizes: dict[str, Any] = dict.fromkeys(graph.sizes)
    if any(one.shape is None for one in graph.inputs):  # it may name any size
        sizes[OTHERS] = FAULTY

    def without(scope: ScopeNodes) -> tuple[Node, ...]:
        names = layered(dict.fromkeys(scope.own) if scope.key else sizes, values)
        leaver = _Leaver(SearchedOps(graph, scope.own), values, names, report)
        return Rewriter(given=leaver.kept).nodes(scope.nodes, scope.path)

    return _rewritten(graph, without)


class SearchedOps(NamedTuple):
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
        blocks = self.graph.blocks
        return frozenset(
            one for one in self.choices(param) if option in _options_of(kind, one, blocks)
        )


def _options_of(kind: str, name: str, blocks: Mapping[str, Block]) -> Collection[str]:
    """Return the names of the options of an op, or of the params of a block."""
    if kind == "block":
        return blocks[name].params if name in blocks else ()
    kind = "layer" if kind == "activation" else kind
    op = registry.find(kind, name)
    if op is None or op.plugin:
        try:
            op = registration.find(kind, name)
        except BrokenPlugin:  # reported where the node is typed
            return ()
    return () if op is None else op.options


def _lone_name(value: Any) -> str | None:
    """Return the name that a value reads if it is `$name`."""
    is_name = isinstance(value, Written) and isinstance(value.expression, Variable)
    return value.expression.name if is_name else None


class _Leaver(NamedTuple):
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


# Give the words `lr`, `weight_decay` and `lora` to operations that have an option of that name.


def with_words_as_options(graph: Graph) -> Graph:
    """Return the graph in which such a word of a node is an option of its layer, or a param of its
    block."""
    return _rewritten(graph, lambda scope: _nodes(scope.nodes, graph.blocks))


def _nodes(nodes: tuple[Node, ...], blocks: Mapping[str, Block]) -> tuple[Node, ...]:
    return tuple([_node(node, blocks) for node in nodes])


def _node(node: Node, blocks: Mapping[str, Block]) -> Node:
    applied, training = node.applied, node.training
    if isinstance(applied, Chain):
        return node.with_applied(replace(applied, items=_nodes(applied.items, blocks)))
    if training is None or not isinstance(applied, Apply | Call):
        return node
    if isinstance(applied, Call):
        own = _options_of("block", applied.block, blocks)
    else:
        own = _options_of(applied.kind, applied.name, blocks)
    for name, option in training.given.items():
        if name in own and training is not None:
            applied = applied.with_named({**applied.named, name: option})
            training = training.replaced([name], None)
    if training is node.training:
        return node
    return replace(node.with_applied(applied), training=training)
