"""Compose the tree of one entry alone, at its place in the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mimgraph.diagnostics import Diagnostic
from mimgraph.editor.document.outline import Chunk
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree
from mimgraph.language.yaml_tree.tree import Sequence as SequenceTree
from mimgraph.source import SourceFile

Pair = tuple[Scalar, Tree]


class Composed(NamedTuple):
    """The innermost collection that a text has below its headers, None if there is none, and the
    faults of the text."""

    inner: Mapping | SequenceTree | None
    faults: list[Diagnostic]


def composed(file: SourceFile, text: str, first: int, headers: Sequence[str]) -> Composed:
    """Return what a text says that begins at the line with the index `first`.

    `headers` are the lines of the keys around it, so that it is read as in its place.
    """
    faults: list[Diagnostic] = []

    def add(fault: Diagnostic, *mentioned: Any) -> None:
        faults.append(fault)

    above = "\n".join(headers) + "\n" if headers else ""
    tree = compose(file, add, above + "\n" * (first - len(headers)) + text)
    for _ in headers:
        tree = _sole(tree)
    return Composed(None if isinstance(tree, Scalar) else tree, faults)


def _sole(tree: Tree | None) -> Tree | None:
    """Return the value of the only entry of a mapping, or the only item of a list."""
    if isinstance(tree, Mapping) and len(tree.entries) == 1:
        return tree.entries[0][1]
    return tree.items[0] if isinstance(tree, SequenceTree) and len(tree.items) == 1 else None


def read_entry(file: SourceFile, chunk: Chunk, headers: Sequence[str]) -> Pair | None:
    """Return the entry of a chunk; None if it cannot be read alone."""
    inner = composed(file, chunk.text, chunk.first, headers).inner
    if not isinstance(inner, Mapping) or len(inner.entries) != 1:
        return None
    return inner.entries[0]


def read_entries(
    file: SourceFile, chunks: Sequence[Chunk], headers: Sequence[str]
) -> list[Pair | None]:
    """Return the entries of chunks that follow each other, faster than one by one."""
    if len(chunks) == 1:
        return [read_entry(file, chunks[0], headers)]
    text = "".join([chunk.text for chunk in chunks])
    inner, faults = composed(file, text, chunks[0].first, headers)
    found = inner.entries if isinstance(inner, Mapping) and not faults else ()
    if len(found) == len(chunks) and all(map(_begins, found, chunks)):
        return [*found]
    half = len(chunks) // 2
    return [
        *read_entries(file, chunks[:half], headers),
        *read_entries(file, chunks[half:], headers),
    ]


def _begins(pair: Pair, chunk: Chunk) -> bool:
    """Return whether an entry begins where a chunk does."""
    return pair[0].span[1:3] == (chunk.first + 1, chunk.indent + 1)
