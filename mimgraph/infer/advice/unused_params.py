"""Warn of unused params: they are legal, but probably misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.declared import calls
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
    for block in graph.blocks.values():
        inside = set(_in_block(block))
        # a default such as `hidden: $hidden` uses a param of the spec
        used |= (inside - _own(block)) | set(_in_params(block.params))
        if block.params and _is_used(block, graph):
            for name, option in block.params.items():
                others = {n: other for n, other in block.params.items() if n != name}
                if name not in inside and name not in _in_params(others):
                    found.append((name, option, block.family))
    found += [(name, graph.params[name], "") for name in graph.params if name not in used]
    return [_warning(name, option.key, family) for name, option, family in found]


def _warning(name: str, span: Span, family: str) -> Diagnostic:
    help = f"write ${name} where its value belongs, or delete it"
    return Diagnostic("unused-param", f"nothing uses {name}", span, help=help, node=family)


def _own(block: Block) -> set[str]:
    """Return the names that hide the spec's params inside a block: its own params and dimensions."""
    patterns = (declared.pattern for declared in block.inputs if declared.pattern)
    return {*block.params, *(dim for one in patterns for dim in one.dims if isinstance(dim, str))}


def _is_used(block: Block, graph: Graph) -> bool:
    """Return whether a node or another block uses this block; a param may give the name of any block."""
    scopes = [graph.nodes, *(one.nodes for one in graph.blocks.values() if one is not block)]
    called = (call.block for nodes in scopes for call in calls(nodes))
    return any(isinstance(name, Chosen) or graph.blocks.get(name) is block for name in called)


# the names that expressions, templates and docs use


def _in_params(params: Mapping[str, Option]) -> set[str]:
    """Return the names in the values of params, also in defaults that were overridden."""
    values = [part for one in params.values() for part in (one.value, one.span.excerpt().text)]
    return set(_in_value(values))


def _in_inputs(inputs: Iterable[Input]) -> Iterator[str]:
    for declared in inputs:
        yield from _in_shape(declared.shape)
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
    for operation in operations(nodes):
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
