"""Warn of unused params: they are legal, but probably misspelt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.outer_shares import calls
from mimgraph.ir.expression import PLAIN, variables
from mimgraph.ir.graph import (
    Block,
    Chosen,
    Graph,
    Input,
    InputShape,
    Node,
    Option,
    Template,
    Written,
    operations,
    overs,
)
from mimgraph.source import Span

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def unused_params(graph: Graph) -> list[Diagnostic]:
    """Return a warning for each unused param of the spec and of the blocks in use.

    A param also counts as used if only an unused param or an unused block names it.
    """
    if not graph.params and not any(block.params for block in graph.blocks.values()):
        return []
    used = {*_in_params(graph.params), *_in_inputs(graph.inputs), *_in_nodes(graph.nodes)}
    docs = [graph.doc, *(one.doc for one in graph.inputs), *(one.doc for one in graph.outputs)]
    used.update(_in_value(docs))
    found: list[tuple[str, Option, str]] = []
    used_blocks = _used_blocks(graph)
    for key, block in graph.blocks.items():
        inside = set(_in_block(block))
        named = {name: _in_params({name: option}) for name, option in block.params.items()}
        times_named = Counter(word for words in named.values() for word in words)
        # a default such as `hidden: $hidden` uses a param of the spec
        used |= (inside - block.own_names) | times_named.keys()
        if key in used_blocks:
            for name, option in block.params.items():
                by_others = times_named[name] - (name in named[name])
                if name not in inside and not by_others:
                    found.append((name, option, block.family))
    found += [(name, graph.params[name], "") for name in graph.params if name not in used]
    return [_warning(name, option.key, family) for name, option, family in found]


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


# the names that expressions, templates and docs use


def _in_params(params: Mapping[str, Option]) -> set[str]:
    """Return the names in the values of params, also in defaults that were overridden."""
    values = [part for one in params.values() for part in (one.value, one.span.excerpt().text)]
    return set(_in_value(values))


def _in_inputs(inputs: Iterable[Input]) -> Iterator[str]:
    for declared in inputs:
        yield from _in_shape(declared.shape)
        yield from _in_value(declared.optional)
        if declared.vocab is not None:
            yield from _in_value(declared.vocab.value)


def _in_shape(shape: InputShape | None) -> Iterator[str]:
    if shape is not None:
        yield from _in_value([dim for dim in shape.dims if isinstance(dim, Written)])


def _in_block(block: Block) -> Iterator[str]:
    for declared in block.inputs:
        yield from _in_shape(declared.pattern)
    yield from _in_nodes(block.nodes)
    yield from _in_value(block.doc)


def _in_nodes(nodes: Iterable[Node]) -> Iterator[str]:
    nodes = tuple(nodes)
    for node in nodes:
        yield from _in_value(node.freeze)
    for over in overs(nodes):
        yield from _in_value(over.value)
    for operation in operations(nodes):
        for item in operation.items:
            yield from _in_value(item.freeze)
        for name in operation.names():
            if isinstance(name, Chosen):
                yield from _in_value(str(name))
        for option in operation.every_option():
            if type(option.value) is not int:  # the common case, fast
                yield from _in_value(option.value)


def _in_value(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield from _WORD.findall(value) if "$" in value else ()
        case _ if type(value) in PLAIN:
            pass
        case Written():
            yield from (variable.name for variable in variables(value.expression))
        case Template():
            yield from _in_value(value.text)
        case list():
            for item in value:
                yield from _in_value(item)
        case Mapping():
            for item in value.values():
                yield from _in_value(item)
