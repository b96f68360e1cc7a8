"""Compose the tree of a spec from its text, which is YAML or JSON."""

from __future__ import annotations

import json
import re

from mimgraph.language.yaml_tree.builder import TreeBuilder
from mimgraph.language.yaml_tree.faults import AddDiagnostic
from mimgraph.language.yaml_tree.limits import Unreadable, check_size
from mimgraph.language.yaml_tree.tree import Mapping, Sequence, Tree
from mimgraph.language.yaml_tree.yaml_events import read_yaml
from mimgraph.source import SourceFile, Span

TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*+"|[-+.\w]+|[\[\]{}]|\r\n?|\n')


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
    if text.lstrip(" \t\r\n").startswith("{") and is_json(text):
        read_json(text, builder)
    else:
        read_yaml(text, builder)


def is_json(text: str) -> bool:
    """Return whether a text is JSON, without NaN and Infinity."""
    try:
        # numbers stay texts, as they are not needed; int() refuses NaN and Infinity
        json.loads(text, parse_int=str, parse_float=str, parse_constant=int)
    except (ValueError, RecursionError):
        return False
    return True


def read_json(text: str, builder: TreeBuilder) -> None:
    """Read a text that is known to be JSON, so that its commas and colons can be skipped."""
    line, line_start = 1, 0
    for match in TOKEN.finditer(text):
        token = match[0]
        column, end_column = match.start() - line_start + 1, match.end() - line_start + 1
        if token[0] in "\r\n":
            line, line_start = line + 1, match.end()
        elif token in "{[":
            builder.open(Mapping if token == "{" else Sequence, line, column)
        elif token in "}]":
            builder.close(line, end_column)
        else:
            plain = token[0] != '"'
            inner = token if plain else json.loads(token) if "\\" in token else token[1:-1]
            builder.add(inner, Span(builder.file, line, column, line, end_column), plain)
