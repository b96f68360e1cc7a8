"""Find the tensors in what a forward returns, and name them by their places."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from torch import Tensor

Leaf = TypeVar("Leaf")


def parts(given: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the parts of a tuple, list, dict, named tuple or dataclass with their keys, fields or
    positions; nothing for other objects."""
    if isinstance(given, Mapping) or (hasattr(given, "keys") and hasattr(given, "items")):
        yield from given.items()
    elif isinstance(given, tuple) and hasattr(given, "_fields"):
        yield from zip(given._fields, given, strict=True)
    elif isinstance(given, list | tuple):
        yield from enumerate(given)
    elif dataclasses.is_dataclass(given) and not isinstance(given, type):
        yield from ((one.name, getattr(given, one.name)) for one in dataclasses.fields(given))


def tensors(given: Any) -> tuple[Tensor, ...]:
    """Return the tensors in nested tuples, lists, dicts and dataclasses, in order."""
    if isinstance(given, Tensor):
        return (given,)
    return tuple(one for _, part in parts(given) for one in tensors(part))


def named(given: Any, leaf: type[Leaf], name: str = "") -> list[tuple[str, Leaf]]:
    """Return the tensors, or other leaves, in what a forward returned, each with the name of an output."""
    if isinstance(given, leaf):
        return [(name or "output", given)]
    found = list[tuple[str, Leaf]]()
    for key, part in parts(given):
        place = key if isinstance(key, str) or name else f"out{key}"
        joined = f"{name}_{place}" if name else str(place)
        found += named(part, leaf, re.sub(r"\W", "_", joined))
    return found
