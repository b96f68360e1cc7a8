"""Declare the limits that Python code gives to a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from mimgraph.builder.user_line import spec_error
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.ir.declared.limits import LIMITED, DeclaredLimits
from mimgraph.ir.declared.values import Option
from mimgraph.source import Span
from mimgraph.support.arguments import as_mapping, as_plain

GivenLimits: TypeAlias = Mapping[str, int | str | Mapping[str, int]]

EXAMPLE = '{"parameters": "20M", "macs": "2G"}'


def declare_limits(given: GivenLimits | None, span: Span) -> DeclaredLimits | None:
    """Return the limits as declared at the user's line `span`; None if there are none."""
    limits = as_mapping("limits", given, EXAMPLE)
    if not limits:
        return None
    sizes = as_mapping("sizes in limits", limits.pop("sizes", None), '{"T": 128}')
    for name in limits:
        if name not in LIMITED:
            keys = (*LIMITED, "sizes")
            help = suggestion(name, keys) or f"its keys: {', '.join(keys)}"
            raise spec_error("unknown-key", f"limits has no key {name!r}", span, help)
    return DeclaredLimits(span, _options(limits, span), _options(sizes, span))


def _options(given: Mapping[str, object], span: Span) -> dict[str, Option]:
    return {name: Option(as_plain(name, value), span, span) for name, value in given.items()}
