"""Name and import the user's own classes and functions in an emitted file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from types import MethodType
from typing import Any

from mimgraph.emit.format.line_breaking import INDENT, WIDTH
from mimgraph.ir.lowering import Maker


class OwnClasses:
    """The user's classes and functions that a file imports, under names that shadow nothing in it."""

    def __init__(self) -> None:
        # by its name in the file, the class or function, or the class around it
        self.imported: dict[str, Any] = {}

    def name_of(self, maker: Maker, free: Callable[[str], str]) -> str:
        """Return the code of a class or function: `Gate`, or `Layers.Gate` for one in a class.

        `free` gives a name that is not taken.
        """
        thing, inner = _importable(maker)
        name = next((name for name, one in self.imported.items() if one is thing), None)
        if name is None:
            name = free(thing.__name__)
            self.imported[name] = thing
        return f"{name}{inner}"


def _importable(maker: Maker) -> tuple[Maker, str]:
    """Return what an import names, and the attributes from it to the class or function, `.Gate`."""
    if isinstance(maker, MethodType):
        assert isinstance(maker.__self__, type)
        thing, inner = _importable(maker.__self__)
        return thing, f"{inner}.{maker.__name__}"
    outer, dot, inner = maker.__qualname__.partition(".")
    if not dot or "<locals>" in inner:  # what stands in a function no import reaches
        return maker, ""
    return getattr(sys.modules[maker.__module__], outer), dot + inner


def import_lines(imported: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the imports of each module, sorted as ruff does; several lines if one is too long."""
    by_module: dict[str, dict[str, str]] = {}
    for name, thing in imported.items():
        spelled = name if name == thing.__name__ else f"{thing.__name__} as {name}"
        by_module.setdefault(thing.__module__, {})[spelled] = thing.__name__
    return tuple(
        line
        for module, names in sorted(by_module.items())
        for line in _import(module, sorted(names, key=lambda spelled: _rank(names[spelled])))
    )


def _rank(name: str) -> tuple[bool, bool, str]:
    """Return the key that sorts constants first, then classes, then the rest, by their spelling."""
    is_constant = len(name) > 1 and name.isupper()
    return not is_constant, not name[:1].isupper(), name


def _import(module: str, names: list[str]) -> Iterator[str]:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"from {module} import ("
    yield from (f"{' ' * INDENT}{name}," for name in names)
    yield ")"
