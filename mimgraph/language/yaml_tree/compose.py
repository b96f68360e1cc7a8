"""Compose the tree of a spec from its text, which is YAML or JSON."""

from __future__ import annotations

from mimgraph.language.yaml_tree.builder import TreeBuilder
from mimgraph.language.yaml_tree.faults import AddDiagnostic
from mimgraph.language.yaml_tree.limits import Unreadable, check_size
from mimgraph.language.yaml_tree.tree import Tree
from mimgraph.language.yaml_tree.yaml_events import read_yaml
from mimgraph.source import SourceFile


def compose(file: SourceFile, report: AddDiagnostic, text: str | None = None) -> Tree | None:
    """Return the tree of a file, or None if it cannot be read; every fault goes to `report`.

    `text` is read in place of the file's own: a part of it, whose lines have the same numbers.
    """
    builder = TreeBuilder(file)
    try:
        _read(file.text.removeprefix("\ufeff") if text is None else text, builder)
    except Unreadable as fault:
        builder.close_all()
        if not builder.begins_with_template():
            builder.faults.add(fault.diagnostic)
        builder.faults.report(report)
        return None
    builder.faults.report(report)
    return builder.root()


def tree_of(file: SourceFile) -> Tree | None:
    """Return the tree of a text, or None if it cannot be read; its faults are ignored."""
    return compose(file, lambda diagnostic, *words: None)


def _read(text: str, builder: TreeBuilder) -> None:
    check_size(builder.file, text)
    if text.lstrip(" \t\r\n").startswith("{"):
        from mimgraph.language.yaml_tree.json_tokens import is_json, read_json  # most are YAML

        if is_json(text):
            read_json(text, builder)
            return
    read_yaml(text, builder)
