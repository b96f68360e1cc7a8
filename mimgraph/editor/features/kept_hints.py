"""Keep the hints of nodes whose text and types stay, for the next version of a spec that is being edited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.editor.features.uses import Use
from mimgraph.ir.declared.graph import Node
from mimgraph.source import SourceFile

if TYPE_CHECKING:
    from mimgraph.editor.features.hints import Hint


MOST = 100_000  # nodes, of which no spec has so many: most have been renamed or removed


class _Kept(NamedTuple):
    """The hints of a node, with its lines, where in them it stands, and what was typed."""

    lines: Sequence[str]
    columns: tuple[int, int]
    operation: Any
    results: Any
    first: int  # the line at which it stood
    hints: tuple[Hint, ...]


class KeptHints:
    """The hints of the layers and merges of the graph itself, by name."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Kept] = {}

    def of(
        self,
        file: SourceFile,
        node: Node,
        found: Sequence[Use],
        make: Callable[[Node], Iterable[Hint]],
    ) -> Iterable[Hint]:
        """Return the hints of a node with these uses, made only if its lines or types changed.

        The items of a chain are not kept: their hints follow from the types of its sources, too.
        """
        if (
            len(found) != 1
            or node.has_branches
            or (node.applied is not None and node.applied.items)
        ):
            return make(node)
        typed, whole = found[0].node, node.whole or node.span
        first, operation, results = whole.line, typed.operation, typed.results
        lines, columns = file.lines[first - 1 : whole.end_line], (whole.column, whole.end_column)
        kept = self._nodes.get(node.name)
        if (
            kept is None
            or kept.operation is not operation
            or kept.results is not results
            or kept.columns != columns
            or kept.lines != lines
        ):
            hints = tuple(make(node))
        elif kept.first != first:
            by = first - kept.first
            hints = tuple([hint._replace(line=hint.line + by) for hint in kept.hints])
        else:
            return kept.hints
        if len(self._nodes) >= MOST:
            self._nodes.clear()
        self._nodes[node.name] = _Kept(lines, columns, operation, results, first, hints)
        return hints
