"""Warn of unused params: they are legal, but probably misspelt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.names_read import in_block, in_inputs, in_nodes, in_value
from mimgraph.infer.outer_shares import calls
from mimgraph.ir.declared.graph import Graph
from mimgraph.ir.declared.values import Chosen, Option
from mimgraph.source import Span


def unused_params(graph: Graph) -> list[Diagnostic]:
    """Return a warning for each unused param of the spec and of the blocks in use."""
    return [_warning(name, option.key, family) for name, option, family in _unused(graph)]


def unread_params(graph: Graph) -> list[str]:
    """Return the names of the unused params of the spec itself."""
    return [name for name, _, family in _unused(graph) if not family]


def _unused(graph: Graph) -> list[tuple[str, Option, str]]:
    """Return each unused param with the family of its block, "" for a param of the spec.

    A param also counts as used if only an unused param or an unused block names it.
    """
    if not graph.params and not any(block.params for block in graph.blocks.values()):
        return []
    used = {*_in_params(graph.params), *in_inputs(graph.inputs), *in_nodes(graph.nodes)}
    docs = [graph.doc, *(one.doc for one in graph.inputs), *(one.doc for one in graph.outputs)]
    used.update(in_value(docs))
    if graph.limits is not None:
        used.update(in_value([option.value for option in graph.limits.options]))
    found: list[tuple[str, Option, str]] = []
    used_blocks = _used_blocks(graph)
    for key, block in graph.blocks.items():
        inside = set(in_block(block))
        named = {name: _in_params({name: option}) for name, option in block.params.items()}
        times_named = Counter(word for words in named.values() for word in words)
        # a default such as `hidden: $hidden` uses a param of the spec
        used |= (inside - block.own_names) | times_named.keys()
        if key in used_blocks:
            for name, option in block.params.items():
                by_others = times_named[name] - (name in named[name])
                if name not in inside and not by_others:
                    found.append((name, option, block.family))
    return found + [(name, graph.params[name], "") for name in graph.params if name not in used]


def _warning(name: str, span: Span, family: str) -> Diagnostic:
    help = f"write ${name} where its value belongs, or delete it"
    return Diagnostic("unused-param", f"nothing uses {name}", span, help=help, node=family)


def _used_blocks(graph: Graph) -> set[str]:
    """Return the blocks that a node or another block uses; a param may give the name of any block."""
    scopes = [("", graph.nodes), *((key, block.nodes) for key, block in graph.blocks.items())]
    called = {(user, call.block) for user, nodes in scopes for call in calls(nodes)}
    choosing = {user for user, name in called if isinstance(name, Chosen)}
    named = {name for user, name in called if user != name}
    return {key for key in graph.blocks if key in named or choosing - {key}}


def _in_params(params: Mapping[str, Option]) -> set[str]:
    """Return the names in the values of params, also in defaults that were overridden."""
    values = [part for one in params.values() for part in (one.value, one.span.excerpt().text)]
    return set(in_value(values))
