"""Open the spec that the arguments of a tool name or hold, and report its diagnostics.

The arguments that several tools have are here, with the descriptions that a language model reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.render import render_text
from mimgraph.editor.mcp.answers import (
    MOST_FAULTS,
    Answer,
    Edit,
    Fault,
    Outcome,
    Related,
    Repair,
    cut,
)
from mimgraph.editor.mcp.folder import Folder, WrongCall
from mimgraph.graph import Graph
from mimgraph.language.files import Place
from mimgraph.language.fixes import fixes
from mimgraph.language.spec_file import load_bytes
from mimgraph.source import SourceFile

Path = Annotated[
    str, Field(description="A spec in the folder of the server, by its path from there: net.yaml")
]
Text = Annotated[str, Field(description="The text of a spec, in place of a path")]
Params = Annotated[
    dict[str, Any] | None,
    Field(description='Values in place of those of the params of the spec: {"hidden": 128}'),
]
Depth = Annotated[
    int | Literal["all"] | None,
    Field(description="How many levels of blocks are open: a number or all"),
]

TEXT = "<spec>"  # the name of a text that is no file


@dataclass(frozen=True)
class Given:
    """A spec as bytes, with the name that messages show and where its parts are found."""

    data: bytes
    name: str
    place: Place | None

    @property
    def text(self) -> str:
        """The text; a byte that is no UTF-8 is a mark, which the reader reports."""
        return self.data.decode(errors="surrogateescape")

    @cached_property
    def file(self) -> SourceFile:
        """The text as a file, to which spans refer."""
        return SourceFile(self.name, self.text)

    def graph(self, params: Mapping[str, Any] | None = None) -> Graph:
        """Return the graph, with values for params; a `SpecError` has the diagnostics."""
        try:
            return Graph._of(load_bytes, self.data, params, self.name, self.place)
        except SpecError:
            raise
        except (TypeError, ValueError) as error:  # of a param
            raise WrongCall(str(error)) from None


def given(folder: Folder, path: str, spec: str, what: str = "") -> Given:
    """Return the spec of the arguments `path` and `spec`, of which one must be given."""
    if bool(path) == bool(spec):
        one, other = (f"{what}path", f"{what}spec")
        raise WrongCall(f"give either {one}, a file, or {other}, a text")
    if spec:
        try:
            return Given(spec.encode(), TEXT, None)
        except UnicodeEncodeError:
            raise WrongCall("the text has half of a character: a lone surrogate") from None
    place = folder.place(path)
    return Given(folder.read(path), place.path, place)


def wrong(kind: type[Outcome], error: SpecError, one: Given | None = None, **more: Any) -> Answer:
    """Return the answer for a wrong spec, with the fixes of its diagnostics if the spec is given."""
    found = error.diagnostics[:MOST_FAULTS]
    repairs = _repairs(found, one) if one else [[] for _ in found]
    rows = [fault(one, some) for one, some in zip(found, repairs, strict=True)]
    left_out = len(error.diagnostics) - len(found)
    text = "\n\n".join(filter(None, (diagnostics_text(error.diagnostics), _fix_lines(rows))))
    return Answer(cut(text), kind(False, rows, left_out, **more))


def outcome(warnings: Sequence[Diagnostic]) -> dict[str, Any]:
    """Return the fields of the `Outcome` for a legal spec with these warnings."""
    shown = [fault(one, []) for one in warnings[:MOST_FAULTS]]
    return vars(Outcome(True, shown, max(0, len(warnings) - MOST_FAULTS)))


def _repairs(diagnostics: Sequence[Diagnostic], one: Given) -> list[list[Repair]]:
    """Return the fixes of each diagnostic in the text of a spec; none of those in its parts."""
    files = [found.span.file for found in diagnostics if found.span.file.name == one.name]
    if not files:
        return [[] for _ in diagnostics]
    return [
        [Repair(fix.title, [Edit(*span[1:], text) for span, text in fix.edits]) for fix in some]
        for some in fixes(files[0], diagnostics, one.place)
    ]


def _fix_lines(faults: Sequence[Fault]) -> str:
    """Return the fixes as text, with their edits as the tool `edit` takes them."""
    lines = [
        f"  {one.line}:{one.column} {one.code}: {fix.title}: {json.dumps([vars(e) for e in fix.edits])}"
        for one in faults
        for fix in one.fixes
    ]
    return "\n".join(["fixes, each with the text_edits of the tool edit:", *lines]) if lines else ""


def fault(one: Diagnostic, repairs: list[Repair]) -> Fault:
    """Return a diagnostic as data."""
    span = one.span
    return Fault(
        one.code,
        one.severity,
        one.message,
        _name(span.file),
        span.line,
        span.column,
        span.end_line,
        span.end_column,
        one.node,
        one.note,
        one.help,
        [Related(_name(at.file), at.line, at.column, text) for at, text in one.labels],
        repairs,
    )


def diagnostics_text(diagnostics: Sequence[Diagnostic]) -> str:
    """Return the diagnostics as text, with the lines that they are about."""
    text = render_text(diagnostics[:MOST_FAULTS])
    if len(diagnostics) > MOST_FAULTS:
        text += f"\n\n... and {len(diagnostics) - MOST_FAULTS} more"
    return cut(text)


def _name(file: SourceFile) -> str:
    """Return the name of a file; that of a part is a path from the folder of the server."""
    with suppress(ValueError):  # on another drive
        if os.path.isabs(file.name):
            return os.path.relpath(file.name)
    return file.name
