"""What a forward does about sources that may be missing: which are None then, which not passed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from mimgraph.ir.code import Call, Operand
from mimgraph.ir.lowering import MODULE
from mimgraph.ir.presence import ALWAYS, implies
from mimgraph.ir.typed import Body, Leaf, TypedNode, Value, single_nodes, unwrap


def nullable(body: Body) -> Iterator[Value]:
    """The values that are read, or returned, also where they are missing: they are None then."""
    if not body.optional:
        return
    for node in chain.from_iterable(map(single_nodes, body.nodes)):
        lowering = getattr(unwrap(node.operation), "lowering", None)
        decided = {key for keys in node.without for key in keys if not takes_none(node, keys)}
        if lowering is not None and lowering.fallback is not None:
            decided.add("input")
        for key, value in node.arguments.items():
            if key not in decided and not implies(node.presence, body.presence_of(value)):
                yield value
    yield from (value for value in body.outputs.values() if body.presence_of(value) != ALWAYS)


def takes_none(node: TypedNode, keys: frozenset[str]) -> bool:
    """Whether the module takes None for these arguments, so that the call is the same without."""
    operation, less = unwrap(node.operation), unwrap(node.without[keys].operation)
    assert isinstance(operation, Leaf) and isinstance(less, Leaf)
    whole, rest = operation.lowering, less.lowering
    if not isinstance(whole.call, Call) or whole.call.function != MODULE:
        return False
    named = tuple(
        (name, code)
        for name, code in whole.call.keywords
        if not (isinstance(code, Operand) and code.key in keys)
    )
    return replace(whole.call, keywords=named) == rest.call and whole.steps == rest.steps
