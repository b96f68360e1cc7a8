"""Change the name and the params in the text of a spec; its comments and its layout stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mimgraph.declare import tree
from mimgraph.language.yaml_reader import tree_of
from mimgraph.source import SourceFile, Span

_PLAIN = re.compile(r"[A-Za-z_][\w.]*")  # needs no quotes, unless YAML takes it for another value
_WORDS = {"null", "true", "false", "yes", "no", "on", "off"}


class Change(NamedTuple):
    """A stretch of the text, and the text that replaces it."""

    span: Span
    text: str


def named(text: str, name: str) -> str | None:
    """Return the text of a spec, which has no name, with one; it stands behind the first comments. None
    if its keys do not stand on lines of their own."""
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if not line.startswith("#")), 0)
    if lines[start].lstrip().startswith(("{", "---", "%")):
        return None
    return "\n".join([*lines[:start], f"name: {name}", *lines[start:]])


def renamed(text: str, name: str | None, params: Mapping[str, Any] | None = None) -> str | None:
    """Return the text with another name, if one is given, and other values of params; None if it has no
    place for them."""
    root = tree_of(SourceFile("", text))
    if not isinstance(root, tree.Mapping):
        return None
    at_top = {} if name is None else {"name": name}
    changes = list(_changes(root, at_top, {"params": params or {}}))
    if len(changes) != len(at_top) + len(params or {}):
        return None
    lines = text.split("\n")
    for span, new in sorted(changes, key=lambda change: change.span[1:], reverse=True):
        first, last = lines[span.line - 1], lines[span.end_line - 1]
        joined = first[: span.column - 1] + new + last[span.end_column - 1 :]
        lines[span.line - 1 : span.end_line] = [joined]
    return "\n".join(lines)


def _changes(
    root: tree.Mapping, values: Mapping[str, Any], within: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    """Yield a change for each value that has a key, at the top or in a mapping of this name."""
    for key, old in root.entries:
        inner = within.get(key.text)
        if key.text in values:
            yield Change(old.span, _yaml(values[key.text]))
        elif inner and isinstance(old, tree.Mapping):
            yield from _changes(old, inner, {})


def _yaml(value: Any) -> str:
    """Return a value as it stands in YAML, on one line."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
