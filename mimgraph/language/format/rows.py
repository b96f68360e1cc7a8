"""The lines of a formatted spec, with the comments at their ends in columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SPACES = 2  # before a comment


class Row(NamedTuple):
    """A line, and the comment at its end; `column` is where the author put that, `is_text` is true in a text
    of several lines."""

    text: str
    comment: str = ""
    column: int = 0
    is_text: bool = False

    @property
    def is_comment(self) -> bool:
        """Return whether the line is blank or a comment of its own."""
        return not self.is_text and not self.comment and self.text.lstrip(" ")[:1] in ("", "#")


def joined(rows: Sequence[Row]) -> str:
    """Return the text of lines.

    Comments that the author put below each other, with no blank line between them, stay so; others stand
    two blanks behind their line.
    """
    columns: dict[int, int] = {}
    run: list[int] = []
    for n, row in enumerate(rows):
        if row.comment:
            if run and rows[run[0]].column != row.column:
                run = []
            run.append(n)
            column = max(len(rows[one].text) for one in run) + SPACES
            columns.update(dict.fromkeys(run, column))
        elif row.is_comment:
            run = []
    lines = (
        f"{row.text.ljust(columns[n])}{row.comment}" if row.comment else row.text
        for n, row in enumerate(rows)
    )
    return "".join(f"{line}\n" for line in lines)
