"""Check the name of a project, which is a folder, a module of Python and a class."""

from __future__ import annotations

import os
import re
from keyword import iskeyword
from pathlib import Path

from mimgraph.diagnostics.text import unmarked
from mimgraph.ir.names import class_fault


class NameFault(ValueError):
    """Raised for a path that no project can have; `help` says what to write instead."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def class_name(name: str) -> str:
    """Return the name of the class of a project, `MyModel` for `my_model`.

    >>> class_name("two_tower2"), class_name("ResNet")
    ('TwoTower2', 'ResNet')
    """
    return "".join(word[0].upper() + word[1:] for word in name.split("_") if word)


def checked(folder: Path) -> str:
    """Return the name of the class of a project in this folder; raise a `NameFault` if the folder exists,
    or its name cannot be a class."""
    name = folder.name
    if name in ("", ".."):
        raise NameFault(
            f"{folder} is no new folder", "name the folder to write: mimgraph new my_model"
        )
    if not name.isidentifier() or iskeyword(name) or not class_name(name).isidentifier():
        instead = re.sub(r"\W+", "_", name).strip("_")
        fits = bool(instead) and class_name(instead).isidentifier() and not iskeyword(instead)
        help = f"mimgraph new {folder.with_name(instead)}" if fits else ""
        raise NameFault(f"{name!r} cannot be the name of a Python module", help)
    if os.path.lexists(folder):
        raise NameFault(f"{folder} exists", "mimgraph new writes a new folder: give another name")
    if not os.path.isdir(folder.parent):
        raise NameFault(f"cannot write {folder}: there is no folder {folder.parent}")
    if fault := class_fault(class_name(name)):
        other = f"my_{name}"
        help = "" if class_fault(class_name(other)) else f"mimgraph new {folder.with_name(other)}"
        raise NameFault(f"{name} cannot be the name of a model: {unmarked(fault)}", help)
    return class_name(name)
