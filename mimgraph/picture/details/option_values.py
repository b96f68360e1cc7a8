"""The options of a node as a page lists them: all of them, with values as text and their origin."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mimgraph.inspection.facts import ResolvedOption, block_params, op_options, own_default
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Leaf, Repeated, Scan, TypedOperation, Use, unwrap
from mimgraph.picture.details.model import OptionValue, Origin
from mimgraph.picture.diagram.block_repeats import span
from mimgraph.summary.node_text import value_text


def node_options(node: TypedNode) -> tuple[OptionValue, ...]:
    """Return the options of a node; for an `each` or repeats each value is a span, `64/128`."""
    operation = unwrap(node.operation)
    if operation.branches:
        return together([node_options(item) for item in operation.branches])
    found = list(_options(operation))
    if operation.activation_name:
        found.append(OptionValue("activation", operation.activation_name))
    if take := _take(node, operation):
        found.append(OptionValue("take", take))
    if node.over is not None:
        found.append(OptionValue("over", str(node.over.axis)))
    return tuple(found)


def block_options(
    bodies: Sequence[Body], arguments: Sequence[Mapping[str, Any]]
) -> tuple[OptionValue, ...]:
    """Return the params of uses of a block, and the sizes that its inputs bind."""
    uses = zip(bodies, arguments, strict=True)
    return together([tuple(map(_option_value, block_params(*use))) for use in uses])


def together(uses: Sequence[Sequence[OptionValue]]) -> tuple[OptionValue, ...]:
    """Return the options of several uses of one op as one list, each value as a span."""
    found: dict[str, list[OptionValue]] = {}
    for option in (option for use in uses for option in use):
        found.setdefault(option.name, []).append(option)
    return tuple(
        OptionValue(name, span([option.value for option in alike]), _origin(alike))
        for name, alike in found.items()
    )


def _origin(alike: Sequence[OptionValue]) -> Origin:
    """Return where the values come from: `given` if at least one use gives it."""
    origins = {option.origin for option in alike}
    return "given" if "given" in origins else alike[0].origin


def _options(operation: TypedOperation) -> Iterable[OptionValue]:
    """Return the options of an operation, with defaults and inferred values."""
    match operation:
        case Leaf():
            return map(_option_value, op_options(operation))
        case Use(merge=merge) if merge:
            return map(_option_value, op_options(operation))
        case Use(body, arguments) | Scan(body, arguments):
            return block_options([body], [arguments])
        case Repeated(bodies, arguments):
            return block_options(bodies, arguments)
    return ()


def _take(node: TypedNode, operation: TypedOperation) -> str | None:
    """Return the port that `take` chose, if it was needed."""
    if isinstance(operation, Leaf | Scan) or operation.steps:
        return node.default if node.default != own_default(operation) else None
    return node.default if operation.bodies and not operation.merge and node.default else None


def _option_value(option: ResolvedOption) -> OptionValue:
    return OptionValue(option.name, value_text(option.value, sys.maxsize), option.origin)
