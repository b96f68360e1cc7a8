"""Make the next version of a legal spec from the last one, if only some of its nodes changed.

What takes time for all nodes, such as reading them and checking how they hang together, is done for
those that changed. Where it is not sure that the spec is legal, the version is refused, and the text is
read as a whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.editor.document.common_lines import common_lines
from mimgraph.editor.document.entries import read_entries
from mimgraph.editor.document.moved import Pair
from mimgraph.editor.document.outline import KEY, Chunk, chunks, entry_starts
from mimgraph.infer.advice.warnings import deprecated_ops, warnings
from mimgraph.infer.names_read import in_nodes
from mimgraph.infer.patch import Inferred, patched
from mimgraph.ir.declared.graph import Graph, Node
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.nodes import read_nodes
from mimgraph.language.yaml_tree.tree import Mapping
from mimgraph.source import SourceFile
from mimgraph.support.frozen_data import data

NOWHERE = SourceFile("", "").start


class Change(NamedTuple):
    """The nodes with the indices `first` to `last - 1` are replaced by those in the new `chunks`."""

    first: int
    last: int
    chunks: list[Chunk]


@data(eq=False)
class Version:
    """A legal version of a text: its lines, at which of them each node starts, its tree and graph.

    `starts` ends with the line behind the last node. Unless it `is_exact`, nodes and what follows them
    stand on other lines than their spans say; it then has no warnings.
    """

    lines: list[str]
    starts: list[int]
    indent: int
    tree: Mapping
    inferred: Inferred
    warnings: tuple[Diagnostic, ...]
    blocks: frozenset[str]  # their names
    is_exact: bool = True

    def next(self, file: SourceFile) -> Version | None:
        """Return the version with the text that a file has now; None if it must be read as a whole."""
        if file.lines == self.lines:
            return self
        change = self._change(file.lines)
        pairs = None if change is None else _read(file, change.chunks)
        nodes = None if pairs is None else self._declared(file, pairs)
        if change is None or pairs is None or nodes is None:
            return None
        inferred = patched(self.inferred, change.first, change.last, nodes)
        more = len(file.lines) - len(self.lines)
        is_exact = self.is_exact and not more
        warned = None if inferred is None else self._warnings(change, inferred.declared, is_exact)
        if inferred is None or warned is None:
            return None
        before, behind = self.starts[: change.first], self.starts[change.last :]
        starts = [*before, *(one.first for one in change.chunks), *[one + more for one in behind]]
        tree = self._tree(change, pairs)
        return Version(
            *(file.lines, starts, self.indent, tree, inferred, warned, self.blocks, is_exact)
        )

    def _change(self, lines: list[str]) -> Change | None:
        """Return which nodes have other lines; None if other entries may have changed."""
        old, starts = self.lines, self.starts
        same, behind = common_lines(old, lines)
        first = bisect_left(starts, same)
        is_whole = (
            first < len(starts) and starts[first] == same and _starts_entry(self, lines, same)
        )
        first = first if is_whole else first - 1  # the lines go on an entry
        last = bisect_left(starts, len(old) - behind)
        if first < 0 or last >= len(starts):
            return None
        start, end = starts[first], starts[last] + len(lines) - len(old)
        if start == end:  # entries were deleted
            return Change(first, last, []) if last - first < len(starts) - 1 else None
        if next(entry_starts(lines, start, end, 0), None) is not None:
            return None
        found = [*chunks(lines, start, end, self.indent, "nodes")]
        is_regular = all(KEY.match(one.text, one.indent) for one in found)
        return Change(first, last, found) if is_regular else None

    def _declared(self, file: SourceFile, pairs: Sequence[Pair]) -> list[Node] | None:
        """Return the nodes that entries declare; None if something is wrong or odd about them."""
        report = Report()
        context = Context(report, file.start, blocks=self.blocks)
        nodes = read_nodes(context, Mapping(tuple(pairs), file.start), "")
        is_odd = report.diagnostics or report.renamed or report.mentioned
        return None if is_odd or context.lost or context.misnamed else [*nodes]

    def _warnings(
        self, change: Change, declared: Graph, is_exact: bool
    ) -> tuple[Diagnostic, ...] | None:
        """Return the warnings of a graph with other nodes; None if they are not sure to have right
        spans."""
        first, added = change.first, len(change.chunks)
        old = self.inferred.declared.nodes[first : change.last]
        if not self.warnings and _may_warn(old) == _may_warn(declared.nodes[first : first + added]):
            return ()
        return warnings(declared) if is_exact else None

    def _tree(self, change: Change, pairs: Sequence[Pair]) -> Mapping:
        """Return the tree with other nodes; its spans are right if no line has moved."""
        entries: list[Pair] = []
        for key, value in self.tree.entries:
            if key.value == "nodes" and isinstance(value, Mapping):
                inside = value.entries
                inside = (*inside[: change.first], *pairs, *inside[change.last :])
                value = Mapping(inside, inside[0][0].span.to(inside[-1][1].span))
            entries.append((key, value))
        return Mapping(tuple(entries), self.tree.span.to(entries[-1][1].span))


def _read(file: SourceFile, some: list[Chunk]) -> list[Pair] | None:
    """Return the entries of chunks; None if one cannot be read alone."""
    reads = read_entries(file, some, ["nodes:"]) if some else []
    found = [read.pair for read in reads if read.pair is not None and read.exact]
    return found if len(found) == len(some) else None


def _starts_entry(version: Version, lines: list[str], at: int) -> bool:
    """Return whether a line begins an entry, or the section behind the nodes."""
    starts = (entry_starts(lines, at, at + 1, indent) for indent in (0, version.indent))
    return at < len(lines) and any(next(one, None) is not None for one in starts)


def _may_warn(nodes: Sequence[Node]) -> tuple[set[str], list[str]]:
    """Return all in nodes that warnings follow from: the params that they read, and deprecated ops."""
    alone = Graph("", NOWHERE, nodes=tuple(nodes))
    return {*in_nodes(nodes)}, [one.node for one in deprecated_ops(alone)]
