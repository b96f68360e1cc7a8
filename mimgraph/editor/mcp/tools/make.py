"""Make something of a spec: its summary, source or picture, and the changes from another one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from mimgraph.diagnostics import SpecError
from mimgraph.editor.mcp.answers import (
    MOST_CODE,
    MOST_ROWS,
    Answer,
    Compared,
    Drawn,
    Emitted,
    Summarized,
    cut,
)
from mimgraph.editor.mcp.folder import Folder, WrongCall
from mimgraph.editor.mcp.given import Depth, Params, Path, Text, given, outcome, wrong
from mimgraph.graph import diff as difference
from mimgraph.picture import RenderError, rendered
from mimgraph.picture.scene import Scene

Sizes = Annotated[
    dict[str, int] | None,
    Field(description='Values of named sizes of the inputs, to count with: {"T": 50}'),
]
Batch = Annotated[int | None, Field(description="Count for a batch of this size")]
FirstLine = Annotated[int, Field(description="Begin at this line of the source, if it is long")]
Format = Annotated[
    Literal["mermaid", "svg", "png", "dot"],
    Field(description="mermaid, svg and dot are texts, png is an image to look at"),
]
Direction = Annotated[Literal["TB", "LR"], Field(description="From top to bottom or left to right")]
OldPath = Annotated[str, Field(description="The spec before, in the folder of the server")]
OldText = Annotated[str, Field(description="The text of the spec before, in place of a path")]
NewPath = Annotated[str, Field(description="The spec after, in the folder of the server")]
NewText = Annotated[str, Field(description="The text of the spec after, in place of a path")]
ENDINGS = {"mermaid": ".mmd", "svg": ".svg", "png": ".png", "dot": ".dot"}


def summary(
    folder: Folder,
    path: Path = "",
    spec: Text = "",
    params: Params = None,
    sizes: Sizes = None,
    batch: Batch = None,
    depth: Depth = None,
) -> Annotated[Answer, Summarized]:
    """Return a table of the nodes of a spec with shapes, parameters, multiply-accumulates and memory.

    Give `path` or `spec`.
    """
    one = given(folder, path, spec)
    try:
        graph = one.graph(params)
    except SpecError as error:
        return wrong(Summarized, error, one)
    try:
        table = graph.summary(batch, sizes, depth)
    except (TypeError, ValueError) as error:
        raise WrongCall(str(error)) from None
    rows = table.data()
    data = Summarized(
        **outcome(graph.warnings),
        name=graph.name,
        totals=table.totals(),
        rows=rows[:MOST_ROWS],
        rows_left_out=max(0, len(rows) - MOST_ROWS),
    )
    return Answer(cut(table.text(100)), data)


def emit(
    folder: Folder,
    path: Path = "",
    spec: Text = "",
    params: Params = None,
    first_line: FirstLine = 1,
) -> Annotated[Answer, Emitted]:
    """Return the PyTorch source of a spec, a Python file that needs only torch. Give `path` or `spec`."""
    one = given(folder, path, spec)
    try:
        graph = one.graph(params)
    except SpecError as error:
        return wrong(Emitted, error, one)
    lines = graph.source().splitlines(keepends=True)
    if not 0 < first_line <= len(lines):
        raise WrongCall(f"the source has lines 1 to {len(lines):,}")
    shown, next_line = "", first_line
    while next_line <= len(lines) and (
        not shown or len(shown) + len(lines[next_line - 1]) <= MOST_CODE
    ):
        shown += lines[next_line - 1]
        next_line += 1
    rest = 0 if next_line > len(lines) else next_line
    text = f"{shown}... cut: line {rest:,} is next" if rest else shown
    return Answer(text, Emitted(**outcome(graph.warnings), source=shown, next_line=rest))


def draw(
    folder: Folder,
    path: Path = "",
    spec: Text = "",
    params: Params = None,
    format: Format = "mermaid",
    depth: Depth = None,
    direction: Direction = "TB",
    collapse: Annotated[bool, Field(description="Draw chains and repeats as one box")] = False,
) -> Annotated[Answer, Drawn]:
    """Draw a spec; a wrong one is drawn as far as it is known, with the mistakes in red.

    Give `path` or `spec`.
    """
    view: Mapping[str, Any] = {"direction": direction, "depth": depth, "collapse": collapse}
    one = given(folder, path, spec)
    try:
        graph = one.graph(params)
    except SpecError as error:
        answer = wrong(Drawn, error, one)
        if error.sketch is None:
            return answer
        before, head = f"{answer.text}\n\n", vars(answer.data)
        scene = partial(error.sketch.scene, error.diagnostics, **view)
        return _drawn(scene, format, head, before)
    return _drawn(partial(graph.scene, **view), format, outcome(graph.warnings), "")


def _drawn(scene: Callable[[], Scene], format: str, head: dict[str, Any], before: str) -> Answer:
    """Return the answer with the picture of the scene that a function makes."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            drawn, picture = rendered(scene(), ENDINGS[format])
    except (ValueError, RenderError) as error:
        raise WrongCall(str(error)) from None
    if len(picture) > MOST_CODE * (5 if format == "png" else 1):
        raise WrongCall("the picture is too large: draw it with a smaller depth, or with collapse")
    notes = "".join(f"{warning.message}\n" for warning in caught)
    if drawn.opened < drawn.levels:
        notes += f"blocks are open to depth {drawn.opened} of {drawn.levels}\n"
    data = Drawn(**{**head, "format": format, "depth": drawn.opened})
    if isinstance(picture, bytes):
        return Answer(f"{before}{notes}" or "the picture", data, picture)
    data.picture = picture
    return Answer(f"{before}{notes}{picture}", data)


def diff(
    folder: Folder,
    old_path: OldPath = "",
    old_spec: OldText = "",
    new_path: NewPath = "",
    new_spec: NewText = "",
    params: Params = None,
) -> Annotated[Answer, Compared]:
    """Return what changed from one spec to another, and what follows: shapes, parameters, work.

    Show it to the person who has to agree to a change. Two specs are equal if they make the same model,
    however they are written.
    """
    old, new = given(folder, old_path, old_spec, "old_"), given(folder, new_path, new_spec, "new_")
    try:
        graphs = old.graph(params), new.graph(params)
    except SpecError as error:
        return wrong(Compared, error)
    found = difference(*graphs)
    changes = found.data()
    left_out = len(changes["changes"]) - MOST_ROWS
    changes["changes"] = changes["changes"][:MOST_ROWS]
    text = found.text(100) if found else "both make the same model"
    if left_out > 0:
        changes["left_out"] = left_out
    return Answer(cut(text), Compared(True, equal=not found, changes=changes))
