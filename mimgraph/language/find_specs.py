"""Find the specs in a folder, by their keys, among all its YAML and JSON files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from mimgraph.diagnostics.nearest import nearest
from mimgraph.language.foreign_files import ENDINGS
from mimgraph.language.places import PLACES
from mimgraph.language.yaml_tree import tree
from mimgraph.language.yaml_tree.compose import tree_of
from mimgraph.language.yaml_tree.limits import MAX_BYTES
from mimgraph.source import SourceFile

MOST_FILES = 10_000  # that are searched for parts
MOST_BEGUN = 2_000  # characters of a text that may become a spec
# folders of other packages; hidden ones are skipped too
SKIPPED = ("node_modules", "site-packages")
_KEY = re.compile(r"\b(\w+)\b[\"']?\s*:")
_MAYBE = re.compile(rb"\b(?:no\w+|blocks)\b[\"']?\s*:")  # without parsing
_TOP = (
    re.compile(rb"^(nodes|blocks)\s*:", re.MULTILINE),
    re.compile(rb"^(inputs|outputs)\s*:", re.MULTILINE),
)


def specs_in(folder: str) -> list[str]:
    """Return the paths of the specs in a folder and below it, in order.

    A spec that is a part of another one is left out: it is checked there, with the params that it gets.
    """
    parts = _parts_of_specs(folder)
    named = {part for found in parts.values() for part in found}
    specs: list[str] = []
    seen: set[str] = set()
    for path in sorted(parts, key=lambda path: (path in named, path)):
        if path not in seen:  # a part that only parts in a cycle name is a spec of its own
            specs.append(path)
            _add_parts(path, parts, seen)
    return sorted(specs)


def specs_and_parts_in(folder: str) -> list[str]:
    """Return the paths of all specs in a folder and below it, in order, parts of others too."""
    return sorted(_parts_of_specs(folder))


def is_spec(path: str, text: str) -> bool:
    """Return whether a text is a spec, perhaps a wrong one, by its keys."""
    if not _MAYBE.search(text.encode(errors="surrogatepass")):
        return False
    root = tree_of(SourceFile(path, text))
    if isinstance(root, tree.Mapping):
        return _is_spec({key.text for key, _ in root.entries})
    return root is None and _is_spec({*_KEY.findall(text)})


def may_become_spec(path: str, text: str) -> bool:
    """Return whether a text has no key, or only keys that a spec may have."""
    if len(text) > MOST_BEGUN:
        return False
    root = tree_of(SourceFile(path, text))
    if not isinstance(root, tree.Mapping):
        return not isinstance(root, tree.Sequence)
    return {key.text for key, _ in root.entries} <= {*PLACES["a spec"]}


def naming_parts(folder: str) -> list[str]:
    """Return the files in a folder and below it that may be specs with parts."""
    found = islice(files_in(folder), MOST_FILES)
    return sorted(path for path in found if b"parts" in _data(path))


def _data(path: str) -> bytes:
    """Return the bytes of a file, one more than a spec may have if it is too large; none if it cannot be
    read."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        return b""


def files_in(folder: str) -> Iterator[str]:
    """Yield the paths of files that may be specs, in order; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            one for one in folders if not one.startswith(".") and one not in SKIPPED
        )
        for name in sorted(names):
            path = os.path.join(place, name)
            if name.endswith(ENDINGS) and not name.startswith(".") and os.path.isfile(path):
                yield os.path.normpath(path)


def _parts_of_specs(folder: str) -> dict[str, list[str]]:
    """Return the specs in a folder and below it, and the parts of each."""
    return {path: found for path in files_in(folder) if (found := _parts(path)) is not None}


def _parts(path: str) -> list[str] | None:
    """Return the paths of the parts of a spec; None if the file is no spec."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except PermissionError:
        return []  # a check says that it cannot be read
    except OSError:
        return None
    if not _MAYBE.search(data):
        return None
    if len(data) > MAX_BYTES:  # a check says that a spec is too large
        return [] if all(pattern.search(data) for pattern in _TOP) else None
    text = data.decode(errors="surrogateescape")
    root = tree_of(SourceFile(path, text))
    if not isinstance(root, tree.Mapping):  # a spec with a syntax error is one
        return [] if root is None and _is_spec({*_KEY.findall(text)}) else None
    if not _is_spec({key.text for key, _ in root.entries}):
        return None
    section = root.get("parts")
    entries = section.entries if isinstance(section, tree.Mapping) else ()
    names = (value.name for _, value in entries if isinstance(value, tree.Scalar))
    return [os.path.normpath(os.path.join(os.path.dirname(path), name)) for name in names if name]


def _is_spec(keys: set[str]) -> bool:
    """Return whether a file with these keys is a spec, perhaps a wrong one: keys may be misspelt."""
    meant = {nearest(key, ("inputs", "outputs", "nodes", "blocks")) for key in keys}
    return not meant.isdisjoint(("nodes", "blocks")) and not meant.isdisjoint(("inputs", "outputs"))


def _add_parts(path: str, parts: Mapping[str, list[str]], seen: set[str]) -> None:
    """Add a spec and the parts in it, at any depth."""
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += parts.get(one, ())
