"""List the specs of the gallery by category, as text or as data."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mimgraph.gallery.catalogue import CATEGORIES, Entry, entries
from mimgraph.language.reference_pages import Sheet


def listing(format: str = "text", width: int = 100, color: bool = False) -> str:
    """Return the list of all specs; the format `json` gives the same as data."""
    if format == "json":
        return json.dumps([one._asdict() for one in entries()], indent=2)
    return "\n".join(_lines(Sheet.of(width, color))).rstrip()


def _lines(sheet: Sheet) -> Iterator[str]:
    longest = max(len(one.name) for one in entries())
    for category in CATEGORIES:
        rows = [_row(one, longest) for one in entries() if one.category == category]
        yield from sheet.section(category.capitalize(), sheet.table(rows))


def _row(entry: Entry, longest: int) -> tuple[str, str]:
    return entry.name.ljust(longest), entry.about
