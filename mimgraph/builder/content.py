"""What declared things say, as a value to compare and hash: without where they stand."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from mimgraph.ir.expression import Expression
from mimgraph.ir.graph import Written
from mimgraph.source import Span


def content(value: Any) -> Hashable:
    """The content of plain data, types and declared things; 1, 1.0 and True stay apart."""
    if isinstance(value, Span):
        return None
    if isinstance(value, Written):
        return content(value.expression)
    if isinstance(value, Expression):
        return value
    if isinstance(value, list | tuple):
        return (type(value), *map(content, value))
    if isinstance(value, Mapping):
        return tuple(sorted((key, content(item)) for key, item in value.items()))
    if is_dataclass(value):
        return (type(value), *(content(getattr(value, field.name)) for field in fields(value)))
    return (type(value), value)
