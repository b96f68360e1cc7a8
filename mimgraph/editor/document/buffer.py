"""The text of an open document, which changes."""

from __future__ import annotations

from mimgraph.source import SourceFile


class Buffer(SourceFile):
    """A file whose text changes while it is edited; spans of an older text may be wrong in a new one.

    It stays the same object, so that what did not change and did not move keeps its spans.
    """

    def become(self, text: str) -> None:
        """Replace the text."""
        self.text = text
        self.__dict__.pop("lines", None)
        self.__dict__.pop("line_starts", None)
