"""Type a repeated block: the outputs of each time feed the inputs of the next."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.infer.nodes.block_body import Using, type_use
from mimgraph.infer.nodes.block_use import Times
from mimgraph.infer.nodes.optional import check_repeat_presence, missing_inputs, output_presences
from mimgraph.infer.nodes.sources import known_types
from mimgraph.infer.scope import Fed
from mimgraph.ir.graph import Repeat
from mimgraph.ir.presence import Presence
from mimgraph.ir.typed import Body, Repeated
from mimgraph.ir.types import TensorType


def type_repeat(
    using: Using, repeat: Repeat, times: Times, fed: Mapping[str, Fed]
) -> Repeated | None:
    """Return the repeated block: the outputs of each body feed the next."""
    block = using.block
    presence = fed[block.inputs[0].name].presence
    current = dict(fed)
    bodies: list[Body] = []
    for time, arguments in enumerate(times.given):
        types = known_types(current)
        assert types is not None  # those of the sources, then of outputs that were typed
        body = type_use(using, arguments, current, types, missing_inputs(current), time)
        handed = None if body is None else _hand_on(using, repeat, body, presence, current)
        if body is None or handed is None:
            return None
        bodies.append(body)
        current |= handed
    given = tuple(times.given)
    return Repeated(tuple(bodies), given, repeat.shared, block.carried, times.number, block.family)


def _hand_on(
    using: Using,
    repeat: Repeat,
    body: Body,
    whole: Presence,
    current: Mapping[str, Fed],
) -> dict[str, Fed] | None:
    """Return the sources of the next repeat that the outputs of this one feed; None if one does not
    fit, which is reported.

    `whole` says when the repeat runs.
    """
    site, block = using.site, using.block
    presences = output_presences(body, whole, {key: one.presence for key, one in current.items()})
    handed = dict[str, Fed]()
    for name, port in block.carried.items():
        before, type_ = current[name], body.results[port]
        if repeat.shared and not _same(before.type, type_):
            message = f"a shared repeat needs equal shapes in and out: {before.type} gives {type_}"
            help = "leave shared: true out, and each repeat has weights of its own"
            site.fault("shape-mismatch", message, repeat.span, help=help)
            return None
        presence = presences[port or block.outputs[0].name]
        is_needed = repeat.shared or name == block.inputs[0].name
        if is_needed and not check_repeat_presence(site, repeat, before, presence):
            return None
        handed[name] = before._replace(type=type_, presence=presence)
    return handed


def _same(one: TensorType | None, other: TensorType) -> bool:
    """Return whether two types are equal but for their vocabulary."""
    return one is not None and one.cast(one.dtype) == other.cast(other.dtype)
