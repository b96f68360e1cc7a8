"""A page, or a picture on one, that is made from the code."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    """A file of the manual: its path from `docs/`, and what is in it."""

    path: str
    content: bytes

    @classmethod
    def of(cls, path: str, text: str) -> Page:
        """Return a page with this text."""
        return cls(path, text.encode())
