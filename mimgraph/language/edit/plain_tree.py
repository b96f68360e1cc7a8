"""Turn a part of a tree into plain data."""

from __future__ import annotations

from typing import Any

from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree, is_faulty


def plain(tree: Tree) -> Any:
    """Return the value of a tree as numbers, texts, lists and dicts; an expression stays a text."""
    if isinstance(tree, Scalar):
        return tree.text if is_faulty(tree) else tree.value
    if isinstance(tree, Mapping):
        return {key.text: plain(value) for key, value in tree.entries}
    return [plain(item) for item in tree.items]
