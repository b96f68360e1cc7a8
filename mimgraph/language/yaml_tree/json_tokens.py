"""Read JSON into a tree by its tokens, so that each part has its place in the text."""

from __future__ import annotations

import json
import re

from mimgraph.language.yaml_tree.builder import TreeBuilder
from mimgraph.language.yaml_tree.tree import Mapping, Sequence
from mimgraph.source import Span

TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*+"|[-+.\w]+|[\[\]{}]|\r\n?|\n')


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
