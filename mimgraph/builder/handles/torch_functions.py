"""Refuse torch's functions and modules on handles, `F.relu(x)`: name the layer that does the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from mimgraph.builder.handles.records import Reference
from mimgraph.ops.attribute import op_called, with_parentheses
from mimgraph.support.entry_point import entry_point


class RefusesTorch:
    """A handle that torch's functions do not compute with."""

    __slots__ = ()

    @classmethod
    @entry_point
    def __torch_function__(
        cls,
        function: Any,
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> NoReturn:
        """Raise a `TypeError`, after which torch leaves its operators to the handle: `tensor(2.) * y`."""
        handle = next(_handles([*args, *(kwargs or {}).values()]), None)
        name = getattr(function, "__name__", "").strip("_") or "a function"
        source = getattr(handle, "name", None) or "x"
        raise TypeError(
            f"{name} of torch computes with values, and {handle!r} has none yet: write"
            f" {instead(name, source) or f'it with layers, such as layers.ReLU()({source})'}"
        )


def _handles(given: object) -> Iterator[Reference]:
    """Yield the handles among arguments, and in lists of them."""
    if isinstance(given, Reference):
        yield given
    elif isinstance(given, list | tuple):
        for one in given:
            yield from _handles(one)


def instead(name: str, source: str) -> str:
    """Return the call of the layer or merge that does what a function or method of torch does; "" if
    there is none."""
    op = op_called(name)
    if op is None:
        return ""
    return (
        f"merges.{op.name}({source}, ...)"
        if op.kind == "merge"
        else f"{with_parentheses(op)}({source})"
    )
