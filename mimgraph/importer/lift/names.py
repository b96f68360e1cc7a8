"""Make names for nodes out of class names and of the user's variables."""

from __future__ import annotations

import linecache
import re

from mimgraph.importer.trace.records import Call, Place

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ASSIGNMENT = re.compile(r"\s*(?:return\s+)?(\w+)\s*(?::[^=]+)?[-+*/@]?=[^=]")


def snake(name: str) -> str:
    """Return the name of a class in small letters: `BasicBlock` as `basic_block`."""
    return _WORD.sub("_", name).lower()


def family_of(call: Call) -> str:
    """Return the name of the blocks of a module: of its class, or of its place if torch made the class."""
    cls = type(call.module)
    words = [word for word in call.path.split(".") if not word.isdecimal()]
    if cls.__module__.startswith("torch.export") and words:
        return words[-1]
    return snake(cls.__name__)


def assigned_name(place: Place) -> str:
    """Return the variable that a line assigns, "" if it assigns none."""
    match = _ASSIGNMENT.match(linecache.getline(*place))
    return match[1] if match and match[1] != "self" else ""
