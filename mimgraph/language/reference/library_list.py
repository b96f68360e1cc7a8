"""List the models of libraries that are layers, without importing a library."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.language.reference.pages import Sheet
from mimgraph.ops.libraries import LIBRARIES, how_to_list, names


def library_section(searched: str | None, sheet: Sheet) -> Iterator[str]:
    """Yield the libraries for the list of all ops, or the models with these words in their names."""
    if searched is None:
        rows = [(f"{one}.NAME", how_to_list(one)) for one in LIBRARIES]
        yield from sheet.section("Models of libraries", sheet.table(rows))
        return
    words = searched.lower().split()
    for library in LIBRARIES:
        found = [name for name in names(library) if all(word in name.lower() for word in words)]
        rows = [(name, f"model of {library}") for name in found]
        if not names(library) and all(word in f"{library}." for word in words):
            rows = [(f"{library}.NAME", how_to_list(library))]
        yield from sheet.section(f"Models of {library}", sheet.table(rows) if rows else ())
