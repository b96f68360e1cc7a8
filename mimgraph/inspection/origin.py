"""The place where the user declared a part of a graph."""

from __future__ import annotations

from pathlib import PurePath

from mimgraph.source import Span
from mimgraph.support.frozen_data import locked_data


@locked_data
class Origin:
    """A place in a spec or a Python file; prints as `model.yaml:7` or `train.py:12`."""

    span: Span

    @property
    def file(self) -> str:
        """The name of the file, as it was given to `mg.load` or as Python knows it."""
        return self.span.file.name

    @property
    def line(self) -> int:
        """The line, counted from 1."""
        return self.span.line

    def __str__(self) -> str:
        return f"{PurePath(self.file).name}:{self.line}"

    def __repr__(self) -> str:
        return f"<Origin {self}>"
