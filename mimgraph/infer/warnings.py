"""Warn of params that nothing reads, deprecated ops, and layers that `freeze` does not reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from mimgraph.diagnostics import Diagnostic, in_order
from mimgraph.diagnostics.text import REMOVE, code, write
from mimgraph.infer.evaluation import in_block, in_inputs, in_nodes, in_value
from mimgraph.infer.structure import calls, outer_shares, scopes, shared_around
from mimgraph.ir.declared_graph import Apply, Graph, Node
from mimgraph.ir.declared_values import Chosen, Option
from mimgraph.ops.deprecated import OPS
from mimgraph.ops.spelling import as_item
from mimgraph.source import PythonFile


def unused_params(graph: Graph) -> list[Diagnostic]:
    """Return a warning for each unused param of the spec and of the blocks in use."""
    found = []
    for name, option, family in _unused(graph):
        help = f"write {code(f'${name}')} where its value belongs, or {REMOVE}"
        message = f"nothing uses {name}"
        found.append(Diagnostic("unused-param", message, option.key, help=help, node=family))
    return found


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


def _used_blocks(graph: Graph) -> set[str]:
    """Return the blocks that a node or another block uses; a param may give the name of any block."""
    called = {(one.key, call.block) for one in scopes(graph) for call in calls(one.nodes)}
    choosing = {user for user, name in called if isinstance(name, Chosen)}
    named = {name for user, name in called if user != name}
    return {key for key in graph.blocks if key in named or choosing - {key}}


def _in_params(params: Mapping[str, Option]) -> set[str]:
    """Return the names in the values of params, also in defaults that were overridden."""
    values = [part for one in params.values() for part in (one.value, one.span.excerpt().text)]
    return set(in_value(values))


# Collect the warnings of a legal spec; each kind is a function, called by `warnings`.


def deprecated_ops(graph: Graph) -> Iterator[Diagnostic]:
    """Yield a warning for each use of a deprecated layer or merge, with the new spelling as help."""
    for scope in scopes(graph):
        yield from _in(scope.nodes, scope.path)


def _in(nodes: Iterable[Node], path: str = "", are_items: bool = False) -> Iterator[Diagnostic]:
    for node in nodes:
        applied, here = node.applied, f"{path}{node.name}"
        if isinstance(applied, Apply) and (instead := OPS.get((applied.kind, applied.name))):
            written = as_item(instead.spelling) if are_items else instead.spelling
            message = f"{applied.name} is deprecated since mimgraph {instead.since}"
            help = write(written)
            yield Diagnostic("deprecated", message, applied.span, help=help, node=here)
        elif applied is not None:
            yield from _in(applied.items, f"{here}.", are_items=True)


def partly_frozen(graph: Graph) -> Iterator[Diagnostic]:
    """Yield a warning for each frozen node whose blocks share an outer layer that is not frozen."""
    bodies = [scope.nodes for scope in scopes(graph)]
    if not any(node.freeze is True for nodes in bodies for node in nodes):
        return
    outer = outer_shares(graph.blocks, {node.name for node in graph.nodes})
    learning = {node.name for nodes in bodies for node in nodes if node.freeze is False}
    for nodes in bodies:
        frozen_here = {node.name for node in nodes if node.freeze is not False}
        for node in nodes:
            if node.freeze is True:
                names = dict.fromkeys(shared_around(node, outer))
                yield from (_freeze_warning(node, n) for n in names if n in learning - frozen_here)


def _freeze_warning(node: Node, name: str) -> Diagnostic:
    message = f"freeze does not reach {name}, which a block shares from outside"
    help = f"write {code('freeze: true')} on the node {name} too, if it should not learn"
    return Diagnostic("partly-frozen", message, node.span, help=help, node=node.name)


def warnings(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return the warnings of a spec in the order of its text; a graph made in Python has none."""
    found = [*partly_frozen(graph), *unused_params(graph), *deprecated_ops(graph)]
    return tuple(in_order([one for one in found if not isinstance(one.span.file, PythonFile)]))
