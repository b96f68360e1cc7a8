"""Translate the references of a custom layer to its params: "$dim" and "${2 * dim}" to ours."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from mimgraph.importer.foreign.located import refuse
from mimgraph.importer.foreign.mlnode.file import Node

CALL = re.compile(r"[A-Za-z_]\w*\s*\(")
WORD = re.compile(r"[A-Za-z_]\w*")


def translated(node: Node, declared: Collection[str]) -> Node:
    """Return a node whose params refer to the params of the block as a spec does."""
    return node._replace(params=_value(node.params, node, declared))


def _value(value: Any, node: Node, declared: Collection[str]) -> Any:
    match value:
        case dict():
            return {key: _value(item, node, declared) for key, item in value.items()}
        case list():
            return [_value(item, node, declared) for item in value]
        case str() if value.startswith("$"):
            return _reference(value, node, declared)
    return value


def _reference(text: str, node: Node, declared: Collection[str]) -> str:
    is_formula = text.startswith("${") and text.endswith("}")
    inside = text[2:-1] if is_formula else text[1:]
    if CALL.search(inside):
        message = f"{text:.40} calls a function, which an expression of a spec cannot"
        refuse("bad-expression", message, node.span)
    for word in WORD.findall(inside) if is_formula else [inside]:
        if word not in declared:
            refuse("unknown-param", f"no param is called {word:.40}", node.span)
    return f"$({inside})" if is_formula else text
