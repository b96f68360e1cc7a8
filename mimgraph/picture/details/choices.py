"""The options of a node, all of them, with their values as text and where those come from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mimgraph.ir.typed import Body, Each, Leaf, Repeated, TypedNode, Use, unwrap
from mimgraph.ops import registry
from mimgraph.picture.details.model import Choice, Origin
from mimgraph.picture.diagram.block_repeats import span
from mimgraph.summary.node_text import plain, value_text


def node_choices(node: TypedNode) -> tuple[Choice, ...]:
    """The options of a node; of several items or repeats their values as a span."""
    match unwrap(node.operation):
        case Leaf() as leaf:
            found = [*_leaf(leaf), *_activation(leaf)]
            taken = node.default if node.default != leaf.lowering.default else None
        case Use(arguments=arguments, merge=merge) as use if merge:
            found, taken = (
                [*_options("merge", merge, arguments, arguments.get), *_activation(use)],
                None,
            )
        case Use(body, arguments) as use:
            found = [*block_choices([body], [arguments]), *_activation(use)]
            taken = node.default if len(body.outputs) > 1 else None
        case Repeated(bodies, arguments):
            found = list(block_choices(bodies, arguments))
            taken = node.default if bodies and len(bodies[0].outputs) > 1 else None
        case Each(items):
            return together([node_choices(item) for item in items])
        case _:
            return ()
    return (*found, *([Choice("take", taken)] if taken else []))


def block_choices(
    bodies: Sequence[Body], arguments: Sequence[Mapping[str, Any]]
) -> tuple[Choice, ...]:
    """The params of uses of a block, and the sizes that its inputs bind."""
    uses = zip(bodies, arguments, strict=True)
    return together([tuple(_use(body, given)) for body, given in uses])


def together(uses: Sequence[Sequence[Choice]]) -> tuple[Choice, ...]:
    """The choices of several uses of one op, as one."""
    found: dict[str, list[Choice]] = {}
    for choice in (choice for use in uses for choice in use):
        found.setdefault(choice.name, []).append(choice)
    return tuple(
        Choice(name, span([choice.value for choice in alike]), _origin(alike))
        for name, alike in found.items()
    )


def _origin(alike: Sequence[Choice]) -> Origin:
    """Where the values come from: what one of them was given, the others have by default."""
    origins = {choice.origin for choice in alike}
    return "given" if "given" in origins else alike[0].origin


def _leaf(leaf: Leaf) -> Iterator[Choice]:
    module = leaf.lowering.module
    inferred = module.argument if module is not None else leaf.options.get
    return _options(leaf.kind, leaf.name, leaf.options, inferred)


def _options(
    kind: str, name: str, given: Mapping[str, Any], inferred: Callable[[str], Any]
) -> Iterator[Choice]:
    """Every option of an op of the catalogue."""
    op = registry.find(kind, name)
    assert op is not None
    for option in op.options.values():
        value = given.get(option.name, option.default)
        if option.inferred:
            value = inferred(option.name) if value is None else value
            if value is not None:
                yield _choice(option.name, value, "inferred")
        elif plain(value) == plain(option.default):
            yield _choice(option.name, value, "default")
        else:
            yield _choice(option.name, value, "given")


def _use(body: Body, given: Mapping[str, Any]) -> Iterator[Choice]:
    for name, value in body.params.items():
        usual = name not in given and plain(value) == plain(body.defaults.get(name))
        yield _choice(name, value, "default" if usual else "given")
    yield from (_choice(name, size, "inferred") for name, size in body.dims.items())


def _activation(operation: Leaf | Use) -> Iterator[Choice]:
    if operation.activation_name:
        yield Choice("activation", operation.activation_name)


def _choice(name: str, value: Any, origin: Origin) -> Choice:
    return Choice(name, value_text(value, sys.maxsize), origin)
