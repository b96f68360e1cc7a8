"""Move the spans of a tree to other lines, and cut those that end behind the text."""

from __future__ import annotations

from collections.abc import Callable

from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.source import Span

Pair = tuple[Scalar, Tree]


def moved(pair: Pair, by: int) -> Pair:
    """Return an entry so many lines further down."""

    def move(span: Span) -> Span:
        file, line, column, end_line, end_column = span
        return new(Span, (file, line + by, column, end_line + by, end_column))

    new = tuple.__new__
    key, value = pair
    return _mapped(key, move), _with_spans(value, move)


def within_text(tree: Tree) -> Tree:
    """Return a tree whose spans end where their lines end at the latest."""

    def cut(span: Span) -> Span:
        file, line, column, end_line, end_column = span
        column = min(column, len(file.line(line)) + 1)
        return Span(file, line, column, end_line, min(end_column, len(file.line(end_line)) + 1))

    return _with_spans(tree, cut)


def _with_spans(tree: Tree, change: Callable[[Span], Span]) -> Tree:
    """Return a tree with the span of each part changed."""
    if type(tree) is Scalar:
        return _mapped(tree, change)
    if type(tree) is Sequence:
        items = tuple([_with_spans(item, change) for item in tree.items])
        return Sequence(items, change(tree.span))
    assert type(tree) is Mapping
    entries = tuple([(_mapped(key, change), _with_spans(v, change)) for key, v in tree.entries])
    return Mapping(entries, change(tree.span), tree.lost)


def _mapped(scalar: Scalar, change: Callable[[Span], Span]) -> Scalar:
    value, span, text, plain, tagged = scalar
    return tuple.__new__(Scalar, (value, change(span), text, plain, tagged))
