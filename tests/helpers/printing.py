"""Print one expression, as the value of a statement."""

from __future__ import annotations

from mimgraph.emit.expressions import WIDTH, Layout
from mimgraph.ir.code import Code


def expression(
    node: Code, width: int = WIDTH, indent: int = 0, prefix: int = 0, suffix: int = 0
) -> str:
    """Return `node` as the value of a statement.

    `indent` is that of the statement, `prefix` the columns before the value, with the indent, and
    `suffix` those that must follow it.
    """
    return Layout(width).value(node, indent, prefix, suffix)
