"""List the plugins of installed packages, without importing any of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from mimgraph.language.reference.pages import Sheet
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import is_plugin
from mimgraph.ops.custom.plugins import GROUPS
from mimgraph.support.plugins import ONE, OURS, SWITCH, Plugin, are_on, installed


def plugin_list(format: str = "text", width: int = 100, color: bool = False) -> str:
    """Return a list of all plugins by package; a plugin that is never used says why."""
    found = installed()
    if format == "json":
        return json.dumps([_data(one, found) for one in found], indent=2)
    if not found:
        return "no installed package has plugins of mimgraph"
    return "\n".join(_lines(found, Sheet.of(width, color))).rstrip()


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


def _lines(found: Sequence[Plugin], sheet: Sheet) -> Iterator[str]:
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


def _data(plugin: Plugin, found: Sequence[Plugin]) -> dict[str, object]:
    return {
        "package": plugin.package,
        "version": plugin.version,
        "kind": ONE[plugin.group],
        "name": plugin.name,
        "object": plugin.object,
        "unused": unused(plugin, found),
    }
