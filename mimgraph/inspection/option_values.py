"""Resolve the options of an operation: given values, defaults, and values inferred from the sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.ir.typed_graph import Body
from mimgraph.ir.typed_operations import Leaf, Use
from mimgraph.ops import registry

Giver: TypeAlias = Literal["given", "default", "inferred"]


class ResolvedOption(NamedTuple):
    """An option with its value; `inferred` if the shapes of the inputs decide it."""

    name: str
    value: Any
    origin: Giver = "given"


def op_options(operation: Leaf | Use) -> Iterator[ResolvedOption]:
    """Yield every option of a registered op in order; inferred ones without a value are left out."""
    op = registry.find(*operation.op) if operation.op else None
    assert op is not None
    (given,) = operation.settings
    infer = _inferred(operation, given)
    for option in op.options.values():
        value = given.get(option.name, option.default)
        if option.inferred:
            value = infer(option.name) if value is None else value
            if value is not None:
                yield ResolvedOption(option.name, value, "inferred")
        elif is_default(value, option.default):
            yield ResolvedOption(option.name, value, "default")
        else:
            yield ResolvedOption(option.name, value, "given")


def _inferred(operation: Leaf | Use, given: Mapping[str, Any]) -> Callable[[str], Any]:
    """Return what finds the value of an option that is not given: an argument of the module."""
    module = operation.lowering.module if isinstance(operation, Leaf) else None
    return given.get if module is None else module.argument


def block_params(body: Body, given: Mapping[str, Any]) -> Iterator[ResolvedOption]:
    """Yield the params of one use of a block, and the sizes that its inputs bind."""
    for name, value in body.params.items():
        is_unchanged = name not in given and is_default(value, body.defaults.get(name))
        yield ResolvedOption(name, value, "default" if is_unchanged else "given")
    yield from (ResolvedOption(name, size, "inferred") for name, size in body.dims.items())


def is_default(value: Any, default: Any) -> bool:
    """Return whether an option has its default value, be that a list or a tuple."""
    one, other = (list(v) if isinstance(v, tuple) else v for v in (value, default))
    return bool(one == other)
