"""Make ops of the layers and merges that plugins bring, when a name is in no catalogue.

An entry point of `mimgraph.layers` or `mimgraph.merges` is a class of modules, a function that makes
one, or what `mg.register` returned for it, with a shape rule of its own.
"""

from __future__ import annotations

from typing import cast

from mimgraph.ir.lowering import Maker
from mimgraph.ops import registry
from mimgraph.ops.custom.maker import is_maker
from mimgraph.ops.custom.module_signature import Registered, RegisteredMerge, is_plugin
from mimgraph.ops.custom.register import RegisteredKind, made
from mimgraph.ops.op import Op
from mimgraph.support import plugins
from mimgraph.support.plugins import BrokenPlugin, Group, Plugin

GROUPS: dict[str, Group] = {"layer": "layers", "merge": "merges"}


def find(kind: str, name: str) -> Op | None:
    """Return the op of that kind and name: one of the registry, or else one that a plugin brings.

    A `BrokenPlugin` says why the plugin with that name cannot be used.
    """
    op = registry.find(kind, name)
    if is_plugin(op) and not plugins.are_on():
        return None
    if op is not None or kind not in GROUPS:
        return op
    plugin = plugins.plugin(GROUPS[kind], name)
    return None if plugin is None else _load(plugin)


def names(kind: str) -> list[str]:
    """Return the names that plugins bring for a kind of op."""
    return [one.name for one in plugins.plugins(GROUPS[kind])] if kind in GROUPS else []


def load_all() -> list[BrokenPlugin]:
    """Import the layers and merges of all plugins, and return why some cannot be used."""
    broken: dict[str, BrokenPlugin] = {}
    for kind in GROUPS:
        for name in names(kind):
            try:
                find(kind, name)
            except BrokenPlugin as error:
                broken[str(error)] = error
    return list(broken.values())


def _load(plugin: Plugin) -> Op:
    """Import the class or function of a plugin, and register it."""
    kind: RegisteredKind = "layer" if plugin.group == "layers" else "merge"
    given = _imported(plugin)
    there = registry.find(kind, plugin.name)
    op: object = there if isinstance(there, Registered) and there.maker == given else given
    if is_maker(op):
        try:
            op = made(cast("Maker", op), plugin.name, kind=kind)
        except (TypeError, ValueError) as error:
            raise plugins.cannot(plugin, "cannot be registered", error) from error
    if not isinstance(op, Registered):
        shown = f"is {type(op).__name__}, not a class of modules, a function, or what mg.register returned"
        raise plugins.cannot(plugin, shown)
    _check(plugin, op, kind)
    op.plugin = plugin.origin
    return registry.add(op)


def _imported(plugin: Plugin) -> object:
    """Return the object of a plugin; what its modules register when they are imported is the plugin's."""
    before = set(registry.loaded())
    try:
        return plugins.load(plugin)
    finally:
        for op in registry.loaded():
            if op not in before and isinstance(op, Registered):
                op.plugin = plugin.origin


def _check(plugin: Plugin, op: Registered, kind: RegisteredKind) -> None:
    """Refuse an op that was registered as something else than the plugin declares."""
    if op.name != plugin.name:
        raise plugins.cannot(plugin, f"is registered under another name, {op.name}")
    if isinstance(op, RegisteredMerge) != (kind == "merge"):
        raise plugins.cannot(
            plugin, f"is registered as a {op.kind}: give mg.register kind={kind!r}"
        )
