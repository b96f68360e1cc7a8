"""The options of a node as a page lists them: all of them, with values as text and their origin."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from mimgraph.ir.typed.graph import Body, TypedNode
from mimgraph.ir.typed.operations import Leaf, Repeated, Scan, TypedOperation, Use, unwrap
from mimgraph.ops import registry
from mimgraph.picture.details.model import OptionValue, Origin
from mimgraph.picture.diagram.block_repeats import span
from mimgraph.summary.node_text import is_default, own_default, value_text


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
    return together([tuple(_params(body, given)) for body, given in uses])


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
        case Leaf(options=options, lowering=lowering):
            infer = options.get if lowering.module is None else lowering.module.argument
            return _op_options(operation, options, infer)
        case Use(arguments=arguments, merge=merge) if merge:
            return _op_options(operation, arguments, arguments.get)
        case Use(body, arguments) | Scan(body, arguments):
            return block_options([body], [arguments])
        case Repeated(bodies, arguments):
            return block_options(bodies, arguments)
    return ()


def _op_options(
    operation: Leaf | Use, given: Mapping[str, Any], infer: Callable[[str], Any]
) -> Iterator[OptionValue]:
    """Yield every option of a registered op; `infer` returns the value of one that is not given."""
    op = registry.find(*operation.op) if operation.op else None
    assert op is not None
    for option in op.options.values():
        value = given.get(option.name, option.default)
        if option.inferred:
            value = infer(option.name) if value is None else value
            if value is not None:
                yield _option_value(option.name, value, "inferred")
        elif is_default(value, option.default):
            yield _option_value(option.name, value, "default")
        else:
            yield _option_value(option.name, value, "given")


def _params(body: Body, given: Mapping[str, Any]) -> Iterator[OptionValue]:
    for name, value in body.params.items():
        is_unchanged = name not in given and is_default(value, body.defaults.get(name))
        yield _option_value(name, value, "default" if is_unchanged else "given")
    yield from (_option_value(name, size, "inferred") for name, size in body.dims.items())


def _take(node: TypedNode, operation: TypedOperation) -> str | None:
    """Return the port that `take` chose, if it was needed."""
    if isinstance(operation, Leaf | Scan) or operation.steps:
        return node.default if node.default != own_default(operation) else None
    return node.default if operation.bodies and not operation.merge and node.default else None


def _option_value(name: str, value: Any, origin: Origin) -> OptionValue:
    return OptionValue(name, value_text(value, sys.maxsize), origin)
