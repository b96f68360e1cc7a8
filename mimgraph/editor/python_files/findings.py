"""Define what a run of a Python file found, and move it along when the text changes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

Place = tuple[int, int]  # a line and a column


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

    `is_complete` is false if an error or a limit ended the run, and `is_stale` true if the text has
    changed since.
    """

    faults: tuple[PythonFault, ...] = ()
    hints: tuple[CallHint, ...] = ()
    output: str = ""
    is_complete: bool = True
    is_stale: bool = False
    calls: int = 0

    def moved(self, start: Place, end: Place, text: str) -> Findings:
        """Return the findings after a text was written in place of the stretch from `start` to `end`.

        Those that touch the stretch are gone; those behind it move. All are of an older text now.
        """
        *above, last = re.split(r"\r\n?|\n", text)
        lines = len(above) - (end[0] - start[0])
        columns = len(last) + (1 if above else start[1]) - end[1]

        def shifted(place: Lines) -> Lines | None:
            if place[2:] <= start:
                return place
            if place[:2] < end:
                return None
            first, last = (
                (line + lines, column + (columns if line == end[0] else 0))
                for line, column in (place[:2], place[2:])
            )
            return Lines(*first, *last)

        faults = ((one, shifted(one.place)) for one in self.faults)
        hints = ((one, shifted(one.place)) for one in self.hints)
        return replace(
            self,
            faults=tuple(one._replace(place=place) for one, place in faults if place),
            hints=tuple(one._replace(place=place) for one, place in hints if place),
            is_stale=True,
        )
