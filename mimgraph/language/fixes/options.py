"""Give an option to an item of a seq, and find a value for one that is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mimgraph.diagnostics import Diagnostic
from mimgraph.language.edit.entries import with_item_value
from mimgraph.language.edit.new_entries import optioned_item
from mimgraph.language.edit.plain_tree import plain
from mimgraph.language.fixes.surroundings import Item, Surroundings
from mimgraph.language.text_edits import TextEdit
from mimgraph.language.yaml_tree.compose import tree_of
from mimgraph.language.yaml_tree.tree import Mapping
from mimgraph.ops import registry
from mimgraph.source import SourceFile

NEEDS = re.compile(r"(\w+) needs ([a-z_0-9]+(?:(?:, | and )[a-z_0-9]+)*)")


def given_options(item: Item, options: dict[str, Any]) -> Iterator[tuple[TextEdit, ...]]:
    """Yield the edit that gives options to an item of a seq."""
    new = optioned_item(item.value, options, None)
    yield (with_item_value(item.around, item.at, new),)


def missing_options(diagnostic: Diagnostic, around: Surroundings) -> dict[str, Any]:
    """Return the options that an op lacks, each with the value of its example."""
    match = NEEDS.match(diagnostic.message)
    if match is None:
        return {}
    ops = [one for kind in ("layer", "merge") if (one := registry.find(kind, match[1]))]
    names = re.split(r", | and ", match[2])
    for op in ops[:1]:
        found = {name: _value(op.shown(name)) for name in names if name in op.options}
        return {name: value for name, value in found.items() if value is not ...}
    return {"from": source} if names == ["from"] and (source := _before(around)) else {}


def _value(text: str) -> Any:
    """Return the value that a text of YAML has."""
    tree = tree_of(SourceFile("example", f"value: {text}"))
    value = tree.get("value") if isinstance(tree, Mapping) else None
    return ... if value is None or text == "..." else plain(value)


def _before(around: Surroundings) -> str | None:
    """Return the name of the node before the one at fault, of the first node that of an input."""
    node = around.node
    if node is None:
        return None
    names = [key.text for key, _ in node.around.entries]
    at = names.index(node.key.text)
    if at:
        return names[at - 1]
    inputs = around.scope.get("inputs")
    return inputs.entries[-1][0].text if isinstance(inputs, Mapping) and inputs.entries else None
