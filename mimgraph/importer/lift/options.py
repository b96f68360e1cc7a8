"""Leave out the options of ops that have their defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mimgraph.ops import registry


def changed_options(layer: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a layer that a call gives, by name, without those that have their default."""
    op = registry.find("layer", layer)
    assert op is not None
    given = dict(zip(op.options, args, strict=False)) | dict(kwargs)
    return {name: value for name, value in given.items() if not is_default(layer, name, value)}


def is_default(layer: str, name: str, value: Any, kind: str = "layer") -> bool:
    """Return whether a value is the default of an option of an op."""
    op = registry.find(kind, layer)
    if op is None or name not in op.defaults:
        return False
    default: Any = op.defaults[name]
    return type(value) is type(default) and bool(value == default)
