"""Make the new value of a node or of an item of a seq: replaced, or with other options."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from typing import Any

from mimgraph.ir.names import CONSTANTS, OPS
from mimgraph.language.tree import Mapping, Scalar, Tree, plain
from mimgraph.ops import registry

KEPT = ("take", "over")  # of the old node, as `Graph.replace` keeps them


def replaced_node(old: Tree, new: MappingType[str, Any]) -> dict[str, Any]:
    """Return a node that does something else: it keeps its sources, `take` and `over` unless the new one
    has its own."""
    before = plain(old) if isinstance(old, Mapping) else {}
    word = next((key for key in (*OPS, *CONSTANTS) if key in new), None)
    first = {word: new[word]} if word is not None else {}
    sources: dict[str, Any] = {}
    if "from" not in new and "each" not in new:
        sources = {key: before[key] for key in ("each", "from") if key in before}
        if "from" in sources and word in ("layer", "merge"):
            sources["from"] = _sources(sources["from"], word, str(new[word]))
        if "each" in sources and "with" in before and "with" not in new:
            sources["with"] = _columns(before["with"], word, new)
    rest = {key: value for key, value in new.items() if key != word}
    kept = {key: before[key] for key in KEPT if key in before and key not in new}
    found = {**first, **sources, **rest, **kept}
    return {key: value for key, value in found.items() if (key, value) != ("with", {})}


def _sources(given: Any, kind: str, name: str) -> Any:
    """Return sources by argument as a list if the new op has no such arguments."""
    op = registry.find(kind, name)
    if not isinstance(given, dict) or op is None or op.inputs.kind == "named":
        return given
    if set(given) <= set(op.inputs.names):
        return given
    values = [*given.values()]
    return values[0] if len(values) == 1 else values


def _columns(columns: Any, word: str | None, new: MappingType[str, Any]) -> Any:
    """Return the options of each source that the new op has too."""
    op = registry.find(word or "", str(new.get(word or "")))
    if not isinstance(columns, dict) or op is None:
        return columns
    return {key: value for key, value in columns.items() if key in op.options and key not in new}


def as_item(given: Any) -> Any:
    """Return an item of a seq; one written as a node, `{layer: Linear, out_features: 8}`, as an item."""
    if not isinstance(given, dict):
        return given
    word = next((key for key in ("layer", "block") if key in given), None)
    if word is None:
        return given
    options = {key: value for key, value in given.items() if key != word}
    return {given[word]: options} if options else given[word]


def replaced_item(old: Tree, new: Any) -> Any:
    """Return an item of a seq that does something else, with `take` and `over` of the old one."""
    new = as_item(new)
    options = old.entries[0][1] if isinstance(old, Mapping) and old.entries else None
    before = plain(options) if isinstance(options, Mapping) else {}
    kept = {key: before[key] for key in KEPT if key in before}
    if not kept:
        return new
    name, own = next(iter(new.items())) if isinstance(new, dict) else (new, {})
    if not isinstance(own, dict):
        op = registry.find("layer", str(name))
        own = {op.lone_option: own} if op is not None and op.lone_option else own
    return {name: {**own, **{k: v for k, v in kept.items() if k not in own}}}


def optioned_item(old: Tree, options: MappingType[str, Any], first_param: str | None) -> Any:
    """Return an item of a seq with other options; `...` leaves one out. A lone value is the first option,
    of a block the `first_param`."""
    key = old.entries[0][0] if isinstance(old, Mapping) and old.entries else old
    assert isinstance(key, Scalar)
    name, given = key.text, plain(old.entries[0][1]) if isinstance(old, Mapping) else None
    op = registry.find("layer", name)
    lone = first_param if first_param is not None else op.lone_option if op is not None else None
    named: dict[str, Any] = {}
    if isinstance(given, dict):
        named = {**given}
    elif given is not None:
        named = {str(lone): given}
    was_lone = given is not None and not isinstance(given, dict)
    named = {k: v for k, v in {**named, **options}.items() if v is not ...}
    if not named:
        return name
    if was_lone and named.keys() == {lone}:
        return {name: named[str(lone)]}
    return {name: named}
