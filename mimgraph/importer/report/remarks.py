"""Collect what an import left as Python, fixed or left out, each with its line of the user's code."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from torch import nn

from mimgraph.diagnostics import Label
from mimgraph.importer.lift.constants import Constant
from mimgraph.importer.lift.lifter import Lifter
from mimgraph.importer.trace.records import NOWHERE, Call, Escape, Place
from mimgraph.importer.user_errors import shown_path
from mimgraph.source import PythonFile, Span

LARGE_CONSTANT = "large-constant"  # the code of a constant that the spec has zeros for

Kind: TypeAlias = Literal["opaque", "frozen", "left-out"]


@dataclass
class Remark:
    """Something that the spec does not say as the user's code does; it renders as a diagnostic.

    `name` is the path of the module or function, or the output; `code` is the reason: `opaque[training]`.
    """

    severity: Kind
    code: str
    name: str
    message: str
    place: Place
    help: str = ""
    note: str = ""
    labels: tuple[Label, ...] = ()

    @property
    def span(self) -> Span:
        """The line of the user's code, without its indentation."""
        file = PythonFile(self.place.file, shown_path(self.place.file) if self.place.file else "?")
        line = file.line(self.place.line)
        start = len(line) - len(line.lstrip()) + 1
        number = max(self.place.line, 1)
        return Span(file, number, start, number, max(len(line.rstrip()) + 1, start))

    def data(self, name: str) -> dict[str, Any]:
        """Return it as plain data, with its name under the key `name` or `path`."""
        return {
            name: self.name,
            "reason": self.code,
            "message": self.message,
            "file": self.place.file,
            "line": self.place.line,
        }


def remarks(lifter: Lifter, constants: Mapping[str, Constant]) -> list[Remark]:
    """Return the remarks about a lifted model, those about one module together."""
    found = [*_opaque(lifter), *_frozen(lifter), *_left_out(lifter)]
    return found + [_constant(lifter, key, one) for key, one in constants.items()]


def _opaque(lifter: Lifter) -> Iterator[Remark]:
    """Yield the modules and functions that stay Python, and are not inside of another one."""
    paths = {one.path for one in lifter.opaque}
    for one in lifter.opaque:
        if not any(_is_inside(one.path, other) for other in paths - {one.path}):
            place = one.place if one.place.file else _call_place(lifter, one.path)
            help = f"{one.path} is a layer of Python code in the spec"
            yield Remark("opaque", one.reason, one.path, one.message, place, help)


def _frozen(lifter: Lifter) -> Iterator[Remark]:
    """Yield each line where Python code reads a number that depends on the inputs."""
    seen = set[Place]()
    closed = [one.path for one in lifter.opaque]
    for escape in lifter.trace.escapes:
        inside = any(escape.path == path or _is_inside(escape.path, path) for path in closed)
        if escape.depends and escape.place not in seen and not inside:
            seen.add(escape.place)
            yield _branch(escape)


def _branch(escape: Escape) -> Remark:
    what = escape.function.strip("_")
    if escape.function == "__bool__":
        message = f"a condition on inputs is fixed as {escape.result}"
    else:
        message = f"{what} of a tensor that depends on inputs is fixed as {escape.result}"
    help = "the spec is right for inputs that give the same"
    if escape.path:
        help += f"; --opaque {escape.path} keeps the module as Python code"
    return Remark("frozen", "branch", escape.path, message, escape.place, help)


def _left_out(lifter: Lifter) -> Iterator[Remark]:
    for one in lifter.left_out:
        place = one.place if one.place.file else _class_place(lifter.model, "")
        yield Remark("left-out", one.what, one.name, f"{one.name}: {one.message}", place)


def _constant(lifter: Lifter, key: str, constant: Constant) -> Remark:
    place = constant.place if constant.place.file else _class_place(lifter.model, constant.module)
    help = f"{key} is not in the module's state_dict: --weights writes its values"
    return Remark("left-out", LARGE_CONSTANT, key, constant.message, place, help)


def _is_inside(path: str, other: str) -> bool:
    return path.startswith(f"{other}.")


def _call_place(lifter: Lifter, path: str) -> Place:
    """Return the line that calls a module first."""
    calls = (one for one in lifter.trace.root.walk() if isinstance(one, Call))
    found = next((call.place for call in calls if call.path == path), NOWHERE)
    return found if found.file else _class_place(lifter.model, path)


def _class_place(model: nn.Module, path: str) -> Place:
    """Return the line where the class of a module begins."""
    try:
        cls = type(model.get_submodule(path))
        file = inspect.getsourcefile(cls) or ""
        return Place(file, inspect.getsourcelines(cls)[1])
    except (AttributeError, OSError, TypeError):
        return NOWHERE
