"""Unpack a call with several results into locals: `a, b = x.chunk(2, -1)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mimgraph.emit.forward.steps import WHOLE, unread
from mimgraph.emit.tree import Local
from mimgraph.ir.code import Code, Constant, Subscript, rebuild, walk
from mimgraph.ir.lowering import RESULT, Lowering
from mimgraph.ir.typed_graph import Value

MOST = 6  # the targets that are still read at a glance


class Unpacked(NamedTuple):
    """`targets = code`, and the code that reads each port from the targets."""

    targets: tuple[Value, ...]
    code: Code
    ports: Mapping[str, Code]


def unpacked(
    node: str, call: Code, items: Mapping[Code, str], ports: Mapping[str, Code]
) -> Unpacked:
    """Return a call with a target for each of the `items` of the tuple that it returns.

    `items` has the code on RESULT of each item, with the port that it is, if any; `ports` the code of
    each port that is read. An item is named after the port that it is, and is `_` if no port needs it.
    Without items, or with many that are not all read, the tuple has one name.
    """
    readers = {item: [port for port, code in ports.items() if item in walk(code)] for item in items}
    read = [item for item in items if readers[item]]
    if len(read) > 1 and (len(items) <= MOST or len(items) == len(read)):
        named = {item: _target(node, port, readers[item]) for item, port in items.items()}
    elif len(read) == 1:
        named = {read[0]: Value(node, WHOLE)}
        call = _with(read[0], {RESULT: call})
    else:
        named = {RESULT: Value(node, WHOLE)}
    locals = {item: Local(value) for item, value in named.items()}
    read_by = {port: _with(code, locals) for port, code in ports.items()}
    return Unpacked(tuple(named.values()), call, read_by)


def _target(node: str, port: str, readers: list[str]) -> Value:
    """Return an item as the one port that is made of it, or as a value on the way to several."""
    if not readers:
        return unread(node)
    port = port or readers[0]
    return Value(node, port if readers == [port] else f"*{port}")


def _with(code: Code, parts: Mapping[Code, Code]) -> Code:
    """Return the code with other code in place of some of its parts."""
    return rebuild(code, parts.get)


def items_of(lowering: Lowering) -> Mapping[Code, str]:
    """Return the code on RESULT of each item of the tuple that the call of a layer or merge returns,
    with the port that it is, if any.

    The ports of an op of torch read every item; a module of the user's may return more than tensors.
    """
    if lowering.module is not None and lowering.module.own is not None:
        return {}
    parts = walk(*[port.code for port in lowering.ports.values()])
    found = [part for part in parts if _is_item(part)]
    if parts.count(RESULT) != len(found):
        return {}
    ports = {port.code: name for name, port in lowering.ports.items()}
    items = map(RESULT.at, range(len(set(found))))
    return {item: ports.get(item, "") for item in items}


def _is_item(code: Code) -> bool:
    match code:
        case Subscript(value, Constant(int())):
            return value == RESULT
    return False
