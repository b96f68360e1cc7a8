"""Define what the tools answer: a text to read, and data whose types are the output schemas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

MOST_FAULTS = 50  # diagnostics in one answer
MOST_ROWS = 500  # nodes, shapes or changes in one answer
MOST_TEXT = 60_000  # characters of the text of an answer
MOST_CODE = 200_000  # characters of a source or picture


class Answer(NamedTuple):
    """The answer of a tool: a text, data of a class below, and perhaps a picture in PNG."""

    text: str
    data: Any
    png: bytes = b""


@dataclass
class Edit:
    """A change of the text: `text` replaces what stands from line and column to the end, which is
    exclusive; both count from 1."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass
class Step:
    """One change of a node or another entry, by its path.

    `fc1` is a node, `features.2` an item of a seq, `residual.conv` a node in a block; `params.hidden`,
    `inputs.x` and `outputs.score` are entries of these sections.

    - add: `value` is a node, such as {"layer": "Linear", "from": "x", "out_features": 8}, or an item or value
    - replace: `value` is what it does now; sources stay unless they are given
    - set: `value` has options, such as {"out_features": 8}; `unset` names options to leave out
    - remove: its readers read its source instead
    - insert: `value` is a node without `from`, `name` its name; all that read the path read it instead
    - rename: `name` is the new name, at all places
    """

    do: Literal["add", "replace", "set", "remove", "insert", "rename"]
    path: str
    value: Any = None
    name: str = ""
    unset: list[str] = field(default_factory=list)
    after: str = ""


@dataclass
class Repair:
    """A change that mends a diagnostic; the tool `edit` takes its edits as `text_edits`."""

    title: str
    edits: list[Edit]


@dataclass
class Related:
    """Another place that a diagnostic refers to."""

    file: str
    line: int
    column: int
    text: str


@dataclass
class Fault:
    """One diagnostic; lines and columns count characters from 1, and the end is exclusive."""

    code: str
    severity: str
    message: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    node: str
    note: str
    help: str
    related: list[Related]
    fixes: list[Repair] = field(default_factory=list)


@dataclass
class Outcome:
    """Whether a spec is legal, and its diagnostics; `left_out` counts those that are not in the list."""

    ok: bool
    diagnostics: list[Fault] = field(default_factory=list)
    left_out: int = 0


@dataclass
class Checked(Outcome):
    """The outcome of a check, with the size of a legal model, and the shapes that are known.

    The shapes of a wrong spec are those of the part that no mistake touches.
    """

    name: str = ""
    nodes: int | None = None
    parameters: int | None = None
    macs: int | str | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Summarized(Outcome):
    """The rows of a summary, one for each input and node, and the totals."""

    name: str = ""
    totals: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    rows_left_out: int = 0


@dataclass
class Emitted(Outcome):
    """The source of a model, whole or from a line on; `next_line` is that of the rest, 0 if there is none."""

    source: str = ""
    next_line: int = 0


@dataclass
class Drawn(Outcome):
    """A picture as text; one in PNG is an image beside it. `depth` is how deep blocks are open."""

    format: str = ""
    picture: str = ""
    depth: int | None = None


@dataclass
class Compared(Outcome):
    """What changed from one spec to another, and what follows."""

    equal: bool = False
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Edited(Outcome):
    """The text after a change, the change as a unified diff, and whether the file was written."""

    written: bool = False
    diff: str = ""
    spec: str = ""


@dataclass
class Found:
    """The facts of a name, or the list that a search finds."""

    found: list[dict[str, Any]]


@dataclass
class Page:
    """A page in Markdown with its name, or all names with a meaning."""

    name: str
    page: str
    names: dict[str, str] = field(default_factory=dict)


@dataclass
class Listed:
    """The paths of specs, and whether these are all."""

    specs: list[str]
    complete: bool


@dataclass
class Example:
    """A spec of the gallery, or the list of all of them."""

    name: str = ""
    spec: str = ""
    entries: list[dict[str, str]] = field(default_factory=list)


def cut(text: str, most: int = MOST_TEXT) -> str:
    """Return a text, cut behind a line if it is too long, with a note of that."""
    if len(text) <= most:
        return text
    kept = text[:most].rpartition("\n")[0] or text[:most]
    return f"{kept}\n... cut: {len(text) - len(kept):,} of {len(text):,} characters are left out"
