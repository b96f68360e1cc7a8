"""Find what a path names in the tree of a spec: a node, an item of a seq, an input, a section."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.diagnostics import SpecError
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.language.edit.find_name import SECTIONS, fault
from mimgraph.language.tree import Mapping, Scalar, Sequence, Tree, is_null

BY_NAME = ("nodes", "inputs", "params", "blocks", "parts", "outputs")


class Found(NamedTuple):
    """An entry of a mapping, or an item of a seq by its `position`, in the scope of a block, or of the spec "".

    `section` is that of the entry; "" for a section itself. `key` is the key of the entry or of the seq.
    """

    block: str
    section: str
    around: Mapping | Sequence
    key: Scalar
    value: Tree
    position: int = -1

    @property
    def name(self) -> str:
        """The name of the entry."""
        return self.key.text


class Missing(NamedTuple):
    """The last name of a path, which nothing has, and the scope in which it would be; `section` if the path
    names that."""

    block: str
    scope: Mapping
    name: str
    section: str = ""
    seq: tuple[Scalar, Sequence] | None = None


def find(tree: Mapping, path: str) -> Found | Missing:
    """Return what a path names, or where it would be; raise a `SpecError` if there is no such place.

    `fc` is a node, or else an input, param, block or output; `params.fc` names its section. A path goes
    into a block by its name, or by a node that uses it: `residual.conv`, `stage1.conv`.
    """
    scope, block, names = tree, "", path.split(".")
    while True:
        name, *rest = names
        is_section = _is_section(scope, name)
        if is_section and len(rest) == 1 and is_absent(scope.get(name)):
            return Missing(block, scope, rest[0], name)
        if is_section and (not rest or isinstance(scope.get(name), Mapping)):
            found = _in_section(scope, block, name, rest[:1])
            if len(rest) < 2 or isinstance(found, Missing):
                return found
            name, *rest = rest
        else:
            found = _by_name(scope, block, name)
        if not rest:
            return found
        if isinstance(found, Missing):
            raise unknown(found)
        inner = _inside(tree, found)
        if inner is None:
            message = f"{found.name} has no nodes inside"
            raise fault(message, found.key.span, f"write {found.name!r}")
        if not isinstance(inner, _Inner):
            return _item(inner, block, rest)
        block, scope = inner.block, inner.tree
        chain = scope.entry("seq")
        is_item = len(rest) == 1 and rest[0].isdecimal()
        if is_item and chain is not None and isinstance(chain[1], Sequence):
            return _item((chain[0], chain[1]), block, rest)
        names = rest


def _is_section(scope: Mapping, name: str) -> bool:
    """Return whether a name is that of a section; `limits` may be a node's, too."""
    if name != "limits":
        return name in SECTIONS
    nodes = scope.get("nodes")
    return not isinstance(nodes, Mapping) or nodes.entry(name) is None


class _Inner(NamedTuple):
    block: str
    tree: Mapping


def _in_section(scope: Mapping, block: str, section: str, rest: list[str]) -> Found | Missing:
    entry = scope.entry(section)
    if not rest:
        if entry is None:
            return Missing(block, scope, section, section)
        return Found(block, "", scope, *entry)
    assert entry is not None
    around = entry[1]
    assert isinstance(around, Mapping)
    one = around.entry(rest[0])
    if one is None:
        return Missing(block, scope, rest[0], section)
    return Found(block, section, around, *one)


def _by_name(scope: Mapping, block: str, name: str) -> Found | Missing:
    for section in BY_NAME:
        around = scope.get(section)
        entry = around.entry(name) if isinstance(around, Mapping) else None
        if entry is not None and isinstance(around, Mapping):
            return Found(block, section, around, *entry)
    return Missing(block, scope, name)


def _inside(tree: Mapping, found: Found) -> _Inner | tuple[Scalar, Sequence] | None:
    """Return the inside of an entry: the block itself, the block that a node uses, or its seq."""
    value = found.value
    if found.section == "blocks":
        return _Inner(found.name, value) if isinstance(value, Mapping) else None
    if found.section != "nodes" or not isinstance(value, Mapping):
        return None
    chain = value.entry("seq")
    if chain is not None:
        return (chain[0], chain[1]) if isinstance(chain[1], Sequence) else None
    used = value.get("block") or value.get("scan")
    blocks = tree.get("blocks")
    if isinstance(used, Scalar) and isinstance(blocks, Mapping):
        inner = blocks.get(used.text)
        return _Inner(used.text, inner) if isinstance(inner, Mapping) else None
    return None


def _item(chain: tuple[Scalar, Sequence], block: str, rest: list[str]) -> Found | Missing:
    key, items = chain
    count = len(items.items)
    if len(rest) > 1 or not rest[0].isdecimal() or int(rest[0]) > count:
        message = f"no item of a seq is called {'.'.join(rest)!r}"
        raise fault(message, key.span, f"its items are 0 to {count - 1}")
    index = int(rest[0])
    if index == count:
        return Missing(block, Mapping((), key.span), rest[0], "seq", chain)
    return Found(block, "seq", items, key, items.items[index], index)


def unknown(missing: Missing) -> SpecError:
    """Return the error for a path that names nothing."""
    known = [
        key.text
        for section in BY_NAME
        if isinstance(around := missing.scope.get(section), Mapping)
        for key, _ in around.entries
    ]
    where = f" in {missing.block}" if missing.block else ""
    help = suggestion(missing.name, known, "known here")
    return fault(f"nothing{where} is called {missing.name!r}", missing.scope.span, help)


def is_absent(section: Tree | None) -> bool:
    """Return whether a section is not there, or empty."""
    return section is None or is_null(section)
