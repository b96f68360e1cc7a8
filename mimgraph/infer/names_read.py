"""Find the names of params and sizes that the parts of a spec read: in `$name`, `$(...)` and texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mimgraph.ir.declared.graph import Block, Input, InputShape, Node, operations, overs
from mimgraph.ir.declared.values import Chosen, Template, Written
from mimgraph.ir.expression import PLAIN, variables

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def in_inputs(inputs: Iterable[Input]) -> Iterator[str]:
    """Yield the names in inputs: in their shapes and vocabularies, and in `optional`."""
    for declared in inputs:
        yield from _in_shape(declared.shape)
        yield from _in_input(declared)


def _in_input(declared: Input) -> Iterator[str]:
    """Yield the names that decide whether an input is optional, and its vocab."""
    yield from in_value(declared.optional)
    if declared.vocab is not None:
        yield from in_value(declared.vocab.value)


def _in_shape(shape: InputShape | None) -> Iterator[str]:
    if shape is not None:
        yield from in_value(shape.written)


def in_block(block: Block) -> Iterator[str]:
    """Yield the names in a block, without those in the defaults of its params."""
    for given in block.inputs:
        yield from _in_shape(given.pattern)
        yield from in_value(given.optional)
        if given.declared is not None:  # of a spec that is used as a block
            yield from _in_input(given.declared)
    yield from in_nodes(block.nodes)
    yield from in_value(block.doc)


def in_nodes(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield the names in the options of nodes, and in the names of their ops."""
    nodes = tuple(nodes)
    for node in nodes:
        yield from in_value(node.freeze)
        yield from _in_training(node)
    for over in overs(nodes):
        yield from in_value(over.value)
    for operation in operations(nodes):
        for item in operation.items:
            yield from in_value(item.freeze)
            yield from _in_training(item)
        for name in operation.names():
            if isinstance(name, Chosen):
                yield from in_value(str(name))
        for option in operation.every_option():
            yield from in_value(option.value)


def _in_training(node: Node) -> Iterator[str]:
    for option in node.training.every_option() if node.training else ():
        yield from in_value(option.value)


def in_value(value: Any) -> Iterator[str]:
    """Yield the names in the value of an option or param, or in a text."""
    match value:
        case str():
            yield from _WORD.findall(value) if "$" in value else ()
        case _ if type(value) in PLAIN:
            pass
        case Written():
            yield from (variable.name for variable in variables(value.expression))
        case Template():
            yield from (match[1] for match in value.names())
        case list():
            for item in value:
                yield from in_value(item)
        case Mapping():
            for item in value.values():
                yield from in_value(item)
