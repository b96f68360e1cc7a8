"""Find the plugins of installed packages, by the entry points that they declare, and load one of them.

Nothing is imported to find a plugin. A package in the working directory is no installed one: a spec from
a stranger, in a folder of the stranger's, may not choose what is imported.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

SWITCH = "MIMGRAPH_PLUGINS"  # the environment variable that turns plugins off: 0

Group = Literal["layers", "merges", "pictures", "importers"]
GROUPS: tuple[Group, ...] = get_args(Group)
ONE: dict[Group, str] = {
    "layers": "layer",
    "merges": "merge",
    "pictures": "picture format",
    "importers": "importer",
}
OURS: dict[Group, tuple[str, ...]] = {  # endings of files that mimgraph writes or reads itself
    "pictures": ("dot", "html", "mmd", "pdf", "png", "svg"),
    "importers": ("json", "keras", "pt2", "py", "yaml", "yml"),
}


class Plugin(NamedTuple):
    """A name that a package declares in a group, and the object that stands for it."""

    group: Group
    name: str
    package: str
    version: str
    object: str  # `acme_blocks.layers:Gate`
    entry: EntryPoint

    @property
    def origin(self) -> str:
        """Return the package with its version."""
        return f"{self.package} {self.version}"

    @property
    def text(self) -> str:
        """Return what it is, for messages: `the layer Gate of acme-blocks 0.1`."""
        return f"the {ONE[self.group]} {self.name} of {self.origin}"


class BrokenPlugin(Exception):
    """A plugin that cannot be used: the message names its package, `note` and `help` are for a diagnostic."""

    def __init__(self, message: str, note: str = "", help: str = "") -> None:
        super().__init__(": ".join(filter(None, (message, note))))
        self.message, self.note, self.help = message, note, help


def are_on() -> bool:
    """Return whether plugins are used, as they are unless the environment variable is 0."""
    return os.environ.get(SWITCH, "1").strip().lower() not in ("0", "false", "no", "off")


def plugins(group: Group | None = None) -> list[Plugin]:
    """Return the plugins of all installed packages, or those in a group; none if they are turned off."""
    return installed(group) if are_on() else []


def installed(group: Group | None = None) -> list[Plugin]:
    """Return the plugins of all installed packages, or those in a group, even if they are turned off."""
    folders = tuple(_folders())
    found = _found(folders, tuple(_changed(folder) for folder in folders))
    return [one for one in found if group in (None, one.group)]


def plugin(group: Group, name: str) -> Plugin | None:
    """Return the plugin with this name; raise a `BrokenPlugin` if several packages have it."""
    found = [one for one in plugins(group) if one.name == name]
    if len(found) > 1:
        packages = " and ".join(one.origin for one in found)
        help = f"uninstall one of them, or turn plugins off: {SWITCH}=0"
        raise BrokenPlugin(f"several packages have the {ONE[group]} {name}: {packages}", help=help)
    return found[0] if found else None


def load(plugin: Plugin) -> object:
    """Import the object of a plugin; raise a `BrokenPlugin` if that fails."""
    try:
        return plugin.entry.load()
    except (Exception, SystemExit) as error:
        raise cannot(plugin, "cannot be imported", error) from error


def cannot(plugin: Plugin, what: str, error: BaseException | None = None) -> BrokenPlugin:
    """Return the error for a plugin that `what`, `cannot be imported`, and where its author looks."""
    note = "" if error is None else f"{type(error).__name__}: {error}".splitlines()[0]
    module = plugin.object.partition(":")[0]
    help = f'python -c "import {module}" shows the whole error' if error is not None else ""
    help = help or f"its entry point is {plugin.object}: ask the authors of {plugin.package}"
    return BrokenPlugin(f"{plugin.text} {what}", note, help)


def _folders() -> list[str]:
    """Return the folders in which packages may be installed: `sys.path` without the working directory."""
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # it was removed
        return [one for one in sys.path if os.path.isabs(one)]
    return [one for one in sys.path if one and os.path.realpath(one) != here]


def _changed(folder: str) -> int:
    """Return the time of the last installation in a folder, 0 if there is no such folder."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


@cache
def _found(folders: tuple[str, ...], changed: tuple[int, ...]) -> list[Plugin]:
    """Return all plugins in these folders, the first of several versions of a package."""
    from importlib.metadata import distributions  # takes long to import

    found: dict[str, list[Plugin]] = {}
    for one in distributions(path=[*folders]):
        try:
            members = _declared(one)
        except (AttributeError, KeyError, OSError, TypeError, ValueError):
            continue  # of metadata that cannot be read; most packages have nothing to do with us
        if members:
            found.setdefault(members[0].package, members)
    return sorted(
        (plugin for group in found.values() for plugin in group),
        key=lambda one: (GROUPS.index(one.group), one.name, one.package),
    )


def _declared(package: Distribution) -> list[Plugin]:
    """Return the plugins that a package declares."""
    groups = {f"mimgraph.{group}": group for group in GROUPS}
    entries = [entry for entry in package.entry_points if entry.group in groups]
    name, version = (package.metadata["Name"], package.version) if entries else ("", "")
    if not name:
        return []
    return [
        Plugin(groups[entry.group], entry.name, name, version, entry.value, entry)
        for entry in entries
    ]
