"""Join the parts of a Python tuple, `kernel_size: (3, 3)`, which YAML splits at its commas."""

from __future__ import annotations

import re

from mimgraph.language.yaml_tree.tree import Scalar, Tree, is_null

TUPLE_START = re.compile(r"\([^()]*")


def with_tuples_joined(items: list[Tree]) -> list[Tree]:
    """Return the keys and values of a mapping in turn, with each tuple as one text.

    `{kernel_size: (3, 3)}` is read as `{kernel_size: "(3", "3)": null}`.
    """
    found: list[Tree] = []
    start: Scalar | None = None  # the first part of an open tuple
    at = 0  # its index in `found`
    pairs = iter(items)
    for key, value in zip(pairs, pairs, strict=False):
        if start is not None and not _may_continue(start, key, value):
            start = None
        found += (key, value)
        if start is not None and isinstance(key, Scalar) and key.text.endswith(")"):
            span = start.span.to(key.span)
            text = span.file.line(span.line)[span.column - 1 : span.end_column - 1]
            found[at:] = [Scalar(text, span, text, plain=True)]
            start = None
        elif isinstance(value, Scalar) and value.plain and TUPLE_START.fullmatch(value.text):
            is_doc = isinstance(key, Scalar) and key.text == "doc"  # its value may be any text
            start, at = None if is_doc else value, len(found) - 1
    return found


def _may_continue(start: Scalar, key: Tree, value: Tree) -> bool:
    """Return whether a key may be a part of the tuple: it has no value and is on the same line."""
    is_key = isinstance(key, Scalar) and key.plain and "(" not in key.text
    return is_key and is_null(value) and key.span.line == start.span.line
