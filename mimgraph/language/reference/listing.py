"""List the ops by category, the models of libraries, the plugins, and the keys of a spec."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from mimgraph.language.reference.entries import EVERY_KEY, bare_keys, data, every_op, key_data
from mimgraph.language.reference.pages import Sheet
from mimgraph.language.reference.search import search
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import is_plugin
from mimgraph.ops.custom.plugins import GROUPS
from mimgraph.ops.libraries import LIBRARIES, how_to_list, names
from mimgraph.ops.op import Op
from mimgraph.support.plugins import ONE, OURS, SWITCH, Plugin, are_on, installed


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


def plugin_list(format: str = "text", width: int = 100, color: bool = False) -> str:
    """Return a list of all plugins by package; a plugin that is never used says why."""
    found = installed()
    if format == "json":
        return json.dumps([_plugin_data(one, found) for one in found], indent=2)
    if not found:
        return "no installed package has plugins of mimgraph"
    return "\n".join(_plugin_lines(found, Sheet.of(width, color))).rstrip()


def plugin_section(searched: str | None, sheet: Sheet) -> Iterator[str]:
    """Yield the layers and merges of plugins for the list of all ops, or those with a word in their name."""
    words = (searched or "").lower().split()
    found = [one for one in installed() if are_on() and one.group in GROUPS.values()]
    rows = [
        (one.name, f"{ONE[one.group]} of {one.origin}")
        for one in found
        if all(word in f"{one.name} {one.package}".lower() for word in words)
    ]
    yield from sheet.section("Plugins", sheet.table(rows) if rows else ())


def _plugin_lines(found: Sequence[Plugin], sheet: Sheet) -> Iterator[str]:
    """Yield a section for each package."""
    if not are_on():
        yield from (f"plugins are turned off by {SWITCH}", "")
    by_package = sorted(found, key=lambda one: (one.package.lower(), one.version))
    for origin, members in groupby(by_package, key=lambda one: one.origin):
        rows = [(one.name, ONE[one.group], one.object + _remark(one, found)) for one in members]
        yield from sheet.section(origin, sheet.table(rows))


def _remark(plugin: Plugin, found: Sequence[Plugin]) -> str:
    reason = unused(plugin, found)
    return f"; not used: {reason}" if reason else ""


def unused(plugin: Plugin, found: Sequence[Plugin]) -> str:
    """Return why a plugin is never used; "" if it is used where its name is needed."""
    kind = ONE[plugin.group]
    if plugin.group in OURS:
        is_ours = plugin.name in OURS[plugin.group]
    else:
        op = registry.find(kind, plugin.name)
        is_ours = op is not None and not is_plugin(op)
    if is_ours:
        article = "an" if kind.startswith("i") else "a"
        return f"{plugin.name} is {article} {kind} of mimgraph"
    same = [one for one in found if (one.group, one.name) == (plugin.group, plugin.name)]
    others = " and ".join(one.origin for one in same if one != plugin)
    return f"{others} has it, too" if others else ""


def _plugin_data(plugin: Plugin, found: Sequence[Plugin]) -> dict[str, object]:
    return {
        "package": plugin.package,
        "version": plugin.version,
        "kind": ONE[plugin.group],
        "name": plugin.name,
        "object": plugin.object,
        "unused": unused(plugin, found),
    }
