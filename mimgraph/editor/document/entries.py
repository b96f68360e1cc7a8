"""Compose the tree of one entry alone, at its place in the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mimgraph.diagnostics import Diagnostic
from mimgraph.editor.document.moved import Pair
from mimgraph.editor.document.outline import Chunk
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree
from mimgraph.language.yaml_tree.tree import Sequence as SequenceTree
from mimgraph.source import SourceFile


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


class Read(NamedTuple):
    """An entry as it is read alone, None if it cannot be; `exact` if it is read so in its place too."""

    pair: Pair | None
    exact: bool


def read_entry(file: SourceFile, chunk: Chunk, headers: Sequence[str]) -> Read:
    """Return the entry of a chunk."""
    inner, faults = composed(file, chunk.text, chunk.first, headers)
    if not isinstance(inner, Mapping) or len(inner.entries) != 1:
        return Read(None, False)
    return Read(inner.entries[0], not faults and begins(inner.entries[0], chunk))


def read_entries(file: SourceFile, chunks: Sequence[Chunk], headers: Sequence[str]) -> list[Read]:
    """Return the entries of chunks that follow each other, faster than one by one."""
    text = "".join([chunk.text for chunk in chunks])
    inner, faults = composed(file, text, chunks[0].first, headers)
    if not faults and isinstance(inner, Mapping) and len(inner.entries) == len(chunks):
        pairs = [*zip(inner.entries, chunks, strict=True)]
        if all(begins(pair, chunk) for pair, chunk in pairs):
            return [Read(pair, True) for pair, _ in pairs]
    if len(chunks) == 1:
        return [read_entry(file, chunks[0], headers)]
    half = len(chunks) // 2
    return [
        *read_entries(file, chunks[:half], headers),
        *read_entries(file, chunks[half:], headers),
    ]


def begins(pair: Pair, chunk: Chunk) -> bool:
    """Return whether an entry begins where a chunk does."""
    return pair[0].span[1:3] == (chunk.first + 1, chunk.indent + 1)
