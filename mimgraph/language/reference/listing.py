"""List the ops by category, and the keys of a spec."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mimgraph.language.reference.entries import EVERY_KEY, bare_keys, data, every_op, key_data
from mimgraph.language.reference.pages import Sheet
from mimgraph.language.reference.plugin_list import plugin_section
from mimgraph.language.reference.search import search
from mimgraph.ops.libraries import LIBRARIES, how_to_list, names
from mimgraph.ops.op import Op


def listing(
    format: str = "text", searched: str | None = None, width: int = 100, color: bool = False
) -> str:
    """Return a list of every op by category and of every key, or of those that a search finds; the
    format `json` gives the same as data. A `KeyError` says that nothing is found."""
    ops, keys = (every_op(), bare_keys()) if searched is None else search(searched)
    sheet = Sheet.of(width, color)
    is_text = format == "text"
    of_plugins = list(plugin_section(searched, sheet)) if is_text else []
    models = list(library_section(searched, sheet)) if is_text else []
    if not ops and not keys and not of_plugins and not models:
        raise KeyError(f"no layer, merge or key has {searched!r} in its name or description")
    if format == "json":
        return json.dumps([*map(data, ops), *map(key_data, keys)], indent=2)
    return "\n".join([*_lines(ops, models, keys, sheet), *of_plugins]).rstrip()


def _lines(ops: list[Op], models: list[str], keys: list[str], sheet: Sheet) -> Iterator[str]:
    """Yield a section for each category, with layers before merges, the lines about models of
    libraries, and a section for the keys."""
    longest = max(map(len, [*(op.name for op in ops), *keys]), default=0)
    for family in sorted({op.family for op in ops}):
        members = [op for op in ops if op.family == family]
        members.sort(key=lambda op: (op.kind, op.name.lower()))
        rows = [(op.name.ljust(longest), op.summary) for op in members]
        title = family.replace("_", " ").capitalize()
        yield from sheet.section(title, sheet.table(rows))
    yield from models
    rows = [(key.ljust(longest), EVERY_KEY[key].about) for key in keys]
    yield from sheet.section("Keys of a spec", sheet.table(rows) if rows else ())


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
