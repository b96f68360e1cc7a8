"""Declare `cell().scan(x=x, carry={"h": h0})`: a block that runs once for each step along an axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mimgraph.builder.blocks.call import BlockCall
from mimgraph.builder.declare_layer import option
from mimgraph.builder.user_line import spec_error, user_line
from mimgraph.ir.declared_graph import Call, Scan
from mimgraph.source import Span
from mimgraph.support.arguments import as_mapping, wrong

if TYPE_CHECKING:
    from mimgraph.builder.handles.tensor import Tensor


class ScanCall(BlockCall):
    """A block to run once for each step along an axis; it shares its weights with other scans of the
    same `block`."""

    def __init__(self, block: BlockCall, over: object, carry: tuple[str, ...]) -> None:
        super().__init__(block.family, block.args, block.keywords)
        self.uses = block.uses
        self.over = over
        self.carry = carry

    @property
    def loop(self) -> tuple[object, ...]:
        return self.over, self.carry

    def _declare(self, span: Span) -> Call:
        """Return the declared call, without its block."""
        call = super()._declare(span)
        for word, help in (
            ("repeat", "repeat a block that scans"),
            ("over", "write .scan(over=...)"),
        ):
            if self.keywords.get(word) is not None:
                raise spec_error("unknown-option", f"a scan cannot have {word}", span, help)
        axes = self.over
        if isinstance(axes, Mapping) and len(self.family.inputs) > 1:
            given = {name: option(axis, span) for name, axis in axes.items()}
            return replace(call, scan=Scan(given, None, self.carry, span))
        if isinstance(axes, Mapping):  # its one source needs no name
            axes = next(iter(axes.values()))
        return replace(call, scan=Scan({}, option(axes, span), self.carry, span))


def scan(
    block: BlockCall,
    sources: tuple[Tensor, ...],
    named: Mapping[str, Tensor],
    over: object,
    carry: Mapping[str, Tensor] | None,
) -> tuple[ScanCall, dict[str, Tensor]]:
    """Return the scan of a block, and its sources by the input that each fills."""
    carried = as_mapping("carry", carry, '{"h": h0}')
    inputs = block.argument_names
    twice = next((name for name in carried if name in named), None)
    if twice is not None:
        raise spec_error("duplicate-key", f"{twice} is given twice", user_line(), "carry it alone")
    if isinstance(over, Mapping):
        _check_axes(over, inputs, carried)
    free = [name for name in inputs if name not in named and name not in carried]
    if len(sources) > len(free):
        count = f"{len(free)} source{'' if len(free) == 1 else 's'}"
        message = f"{block.label} takes {count} by position, not {len(sources)}"
        raise spec_error("wrong-arity", message, user_line(), f"its sources: {', '.join(inputs)}")
    by_input = dict(zip(free, sources, strict=False))
    return ScanCall(block, over, tuple(carried)), {**by_input, **named, **carried}


def _check_axes(
    axes: Mapping[str, object], inputs: tuple[str, ...], carried: Mapping[str, object]
) -> None:
    """Raise an error for an axis of an unknown or a carried input."""
    if not axes:
        raise wrong("over", 'an axis, or axes by source: {"x": 1}', axes)
    for name in axes:
        if name not in inputs:
            raise wrong("over", f"an axis, or axes by source ({', '.join(inputs)})", name)
        if name in carried:
            message = f"{name} is scanned, so it cannot be carried"
            raise spec_error("bad-option", message, user_line())
