"""Change the text of a spec, check it, and write it whole or not at all."""

from __future__ import annotations

import os
from difflib import unified_diff
from itertools import islice
from typing import Annotated

from pydantic import Field

from mimgraph.diagnostics import SpecError
from mimgraph.editor.mcp.answers import Answer, Edit, Edited, Step, cut
from mimgraph.editor.mcp.folder import Folder, WrongCall
from mimgraph.editor.mcp.given import Given, Path, Text, diagnostics_text, given, outcome, wrong
from mimgraph.language.edit.spec_editor import SpecEditor
from mimgraph.language.formatter import formatted
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.source import SourceFile, Span

MOST_EDITS = 1_000
MOST_DIFF = 400  # lines of the difference that are shown
EvenIfWrong = Annotated[
    bool,
    Field(description="Write the file even if the spec has mistakes then; default: only if legal"),
]
TextEdits = Annotated[
    list[Edit],
    Field(description="Changes of the text, all in its present version: the edits of fixes"),
]


Steps = Annotated[
    list[Step],
    Field(
        description="Changes of nodes and other entries, one after another; layout and comments stay"
    ),
]


def edit(
    folder: Folder,
    path: Path = "",
    spec: Text = "",
    steps: Steps = [],  # noqa: B006 - never changed
    text_edits: TextEdits = [],  # noqa: B006 - never changed
    even_if_wrong: EvenIfWrong = False,
) -> Annotated[Answer, Edited]:
    """Change a spec by `steps`, or at places of its text, and check it; comments and layout stay.

    With `path` the file is written, if the spec is legal then. `text_edits` takes the edits of the fixes of
    a diagnostic, of several fixes together if they do not overlap; they are made before the steps.
    """
    one = given(folder, path, spec)
    if len(text_edits) + len(steps) > MOST_EDITS:
        raise WrongCall(f"at most {MOST_EDITS:,} edits are made in one call")
    if not text_edits and not steps:
        raise WrongCall("give steps or text_edits")
    text = _with_edits(one.file, text_edits)
    if steps:
        text = _with_steps(one.name, text, steps)
    return _finished(folder, path, one, text, even_if_wrong)


def write(
    folder: Folder, path: Path, spec: Text, even_if_wrong: EvenIfWrong = False
) -> Annotated[Answer, Edited]:
    """Write a spec to a file, new or in place of another spec, if it is legal."""
    if not spec:
        raise WrongCall("give spec, the text to write")
    place = folder.place(path)
    before = folder.read(path) if os.path.lexists(place.path) else b""
    one = Given(before, place.path, place)
    given(folder, "", spec)  # refuses what is no text
    return _finished(folder, path, one, spec, even_if_wrong)


def format(folder: Folder, path: Path = "", spec: Text = "") -> Annotated[Answer, Edited]:
    """Write a spec in the one style of specs, as `mimgraph fmt` does; the graph and all comments stay.

    With `path` the file is written.
    """
    one = given(folder, path, spec)
    text, faults = formatted(SourceFile(one.name, one.text))
    if faults:
        raise WrongCall(f"the spec cannot be formatted:\n{diagnostics_text(faults)}")
    return _finished(folder, path, one, text, even_if_wrong=True)


def _with_edits(file: SourceFile, edits: list[Edit]) -> str:
    """Return the text with edits; a `WrongCall` refuses those that are not in it."""
    found = []
    for one in edits:
        places = ((one.line, one.column), (one.end_line, one.end_column))
        for line, column in places:
            if not 0 < line <= len(file.lines) or not 0 < column <= len(file.line(line)) + 1:
                raise WrongCall(f"the text has no line {line}, column {column}")
        if places[0] > places[1]:
            raise WrongCall(f"an edit ends before it begins, at line {one.line}")
        found.append(TextEdit(Span(file, *places[0], *places[1]), one.text))
    try:
        return edited(file, found)
    except ValueError as error:
        raise WrongCall(str(error)) from None


def _with_steps(name: str, text: str, steps: list[Step]) -> str:
    """Return the text with steps; a `WrongCall` says which one cannot be made, and why."""
    number, spec = 0, None
    try:
        spec = SpecEditor(text, name)
        for number, step in enumerate(steps, 1):  # noqa: B007 - of the one that fails
            _make(spec, step)
    except SpecError as error:
        what = f"step {number}" if number else "the spec"
        raise WrongCall(
            f"{what} cannot be changed:\n{diagnostics_text(error.diagnostics)}"
        ) from None
    except (TypeError, ValueError) as error:
        raise WrongCall(f"step {number} cannot be made: {error}") from None
    return spec.text


def _make(spec: SpecEditor, step: Step) -> None:
    """Make one step."""
    match step.do:
        case "add":
            spec.add(step.path, step.value, after=step.after or None)
        case "replace":
            spec.replace(step.path, step.value)
        case "remove":
            spec.remove(step.path)
        case "insert":
            spec.insert(step.path, step.value, name=step.name)
        case "rename":
            spec.rename(step.path, step.name)
        case "set":
            if not isinstance(step.value, dict | None):
                raise TypeError('value has options: {"out_features": 8}')
            spec.set(step.path, {**(step.value or {}), **dict.fromkeys(step.unset, ...)})


def _finished(folder: Folder, path: str, old: Given, text: str, even_if_wrong: bool) -> Answer:
    """Check a new text and write it to the path, if there is one; return what changed."""
    new = Given(text.encode(errors="surrogateescape"), old.name, old.place)
    try:
        warnings = new.graph().warnings
        found = Answer(diagnostics_text(warnings), Edited(**outcome(warnings)))
    except SpecError as error:
        found = wrong(Edited, error, new)
    data: Edited = found.data
    data.diff, data.spec = _difference(old, new), text
    is_changed = new.data != old.data
    data.written = bool(path) and is_changed and (data.ok or even_if_wrong) and not folder.read_only
    if data.written:
        if old.data and folder.read(path) != old.data:
            raise WrongCall(f"{path} was changed meanwhile: begin anew")
        folder.write(path, text)
    state = _state(folder, path, data, is_changed)
    parts = (state, data.diff, found.text, "" if path else text)
    return Answer(cut("\n\n".join(filter(None, parts))), data)


def _state(folder: Folder, path: str, data: Edited, is_changed: bool) -> str:
    """Return what became of the text and the file, in a few words."""
    if not is_changed:
        return "nothing changed"
    if not path:
        return "changed" if data.ok else "changed, with mistakes"
    if data.written:
        return f"wrote {path}"
    reason = "the server is read-only" if folder.read_only else "the spec would be wrong"
    return f"{path} was not written: {reason}"


def _difference(old: Given, new: Given) -> str:
    """Return a unified diff, cut if it is long."""
    lines = unified_diff(
        old.text.splitlines(keepends=True), new.text.splitlines(keepends=True), old.name, old.name
    )
    shown = [line if line.endswith("\n") else f"{line}\n" for line in islice(lines, MOST_DIFF + 1)]
    if len(shown) > MOST_DIFF:
        shown[-1] = "...\n"
    return "".join(shown)
