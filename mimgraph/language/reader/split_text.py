"""Recognise a text without quotes that YAML splits at a comma inside its parentheses."""

from __future__ import annotations

from functools import partial
from itertools import islice

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.evaluation import LONGEST
from mimgraph.language.reader.context import Context
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, is_null
from mimgraph.source import Span


def has_split_text(context: Context, tree: Mapping, node: str) -> bool:
    """Report a split text in a mapping; return whether there is one.

    `{expr: max(a, b)}` is read as `{expr: "max(a", "b)": null}`.
    """
    for index, (_, value) in enumerate(tree.entries):
        if not (isinstance(value, Scalar) and "(" in value.text):  # true of most values
            continue
        last = _end_of_split(tree, index) if _is_open(value) else None
        if last is not None:
            span = value.span.to(last)
            context.report.drop(partial(_is_within, span))
            text = span.excerpt().text
            is_short = len(text) <= LONGEST and '"' not in text
            help = f'quote it: "{text}"' if is_short else "quote it"
            message = "a comma ends a string that is not quoted"
            context.fault("bad-expression", message, span, help=help, node=node)
            return True
    return False


def _is_open(scalar: Scalar) -> bool:
    """Return whether a text without quotes has a parenthesis that is not closed."""
    return scalar.plain and scalar.text.count("(") > scalar.text.count(")")


def _end_of_split(tree: Mapping, index: int) -> Span | None:
    """Return where the parentheses of the text at `index` are closed, if only keys without a value
    stand between."""
    text = tree.entries[index][1]
    assert isinstance(text, Scalar)
    depth = text.text.count("(") - text.text.count(")")
    for key, value in islice(tree.entries, index + 1, None):
        if not (key.plain and is_null(value)):
            return None
        depth += key.text.count("(") - key.text.count(")")
        if depth <= 0:
            return key.span
    return None


def _is_within(outer: Span, fault: Diagnostic) -> bool:
    span = fault.span
    return span.file is outer.file and outer[1:3] <= span[1:3] and span[3:5] <= outer[3:5]
