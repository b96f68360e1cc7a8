"""Define what a run of a Python file found, and move it along when the text changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple


class Lines(NamedTuple):
    """A stretch of the file: lines and columns count characters from 1, and the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Mention(NamedTuple):
    """A place that a fault refers to, in this or another file."""

    file: str
    place: Lines
    text: str


class PythonFault(NamedTuple):
    """An error of a call that builds a graph, or of other code of the user."""

    code: str
    severity: str
    message: str
    place: Lines
    note: str = ""
    help: str = ""
    mentions: tuple[Mention, ...] = ()


class CallHint(NamedTuple):
    """The shapes of the results of a call, to show behind it."""

    place: Lines
    text: str


@dataclass(frozen=True)
class Findings:
    """The faults and hints of one text, and the output of the run, cut if it is long.

    `is_complete` is false if the run was ended before the end of the file.
    """

    faults: tuple[PythonFault, ...] = ()
    hints: tuple[CallHint, ...] = ()
    output: str = ""
    is_complete: bool = True
    calls: int = field(default=0)

    def moved(self, first: int, last: int, new: int) -> Findings:
        """Return the findings after lines `first` to `last` were replaced by `new` lines.

        Those that touch a replaced line are gone; those below move.
        """
        shift = new - (last - first + 1)
        faults = (_moved(one, first, last, shift) for one in self.faults)
        hints = (_moved(one, first, last, shift) for one in self.hints)
        return replace(
            self,
            faults=tuple(one for one in faults if isinstance(one, PythonFault)),
            hints=tuple(one for one in hints if isinstance(one, CallHint)),
        )


def _moved(
    found: PythonFault | CallHint, first: int, last: int, shift: int
) -> PythonFault | CallHint | None:
    place = found.place
    if place.end_line < first:
        return found
    if place.line <= last:
        return None
    below = place._replace(line=place.line + shift, end_line=place.end_line + shift)
    return found._replace(place=below)
