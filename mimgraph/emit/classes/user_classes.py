"""The user's own classes in an emitted file: the names that they have there, and their import lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mimgraph.emit.format.line_breaking import INDENT, WIDTH


class OwnClasses:
    """Hands out the name of each class, one that shadows nothing in the file."""

    def __init__(self) -> None:
        # by the name in the file, the class or the one around it
        self.imported: dict[str, Any] = {}

    def name_of(self, cls: type, free: Callable[[str], str]) -> str:
        """`Gate`, what is `free` where that is taken, `Layers.Gate` of a class in a class."""
        thing, inner = _importable(cls)
        name = next((name for name, one in self.imported.items() if one is thing), None)
        if name is None:
            name = free(thing.__name__)
            self.imported[name] = thing
        return f"{name}{inner}"


def _importable(cls: type) -> tuple[type, str]:
    """What an import names, and how the class is had from it: a class in a class by attributes."""
    outer, dot, inner = cls.__qualname__.partition(".")
    if not dot or "<locals>" in inner:  # what stands in a function no import reaches
        return cls, ""
    return getattr(sys.modules[cls.__module__], outer), dot + inner


def import_lines(imported: Mapping[str, Any]) -> tuple[str, ...]:
    """A line for each module, as ruff sorts them; several lines where one is too long."""
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
    """Constants first, then classes, then the rest, as their spelling tells."""
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
