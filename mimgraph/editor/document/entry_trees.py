"""Read the tree of a text that is edited: entries that did not change are not read again."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from mimgraph.diagnostics import Report
from mimgraph.editor.document.entries import Read, begins, read_entries
from mimgraph.editor.document.moved import Pair, moved
from mimgraph.editor.document.outline import Chunk, Outline, outline
from mimgraph.editor.document.repair import mapping_of, repaired, repaired_whole
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.limits import NOT_PRINTABLE
from mimgraph.language.yaml_tree.tree import Mapping as MappingTree
from mimgraph.language.yaml_tree.tree import Scalar, Tree
from mimgraph.source import SourceFile, Span


class TreeRead(NamedTuple):
    """The tree of a text; unless it `is_whole`, the text cannot be read, and the tree is that of the
    entries that can be."""

    tree: Tree
    is_whole: bool
    texts: Mapping[int, str]  # of the nodes that follow from their own text, by the id of the value
    frame: Hashable  # the text of all other entries; None if these do not follow from it
    outline: Outline


class EntryTrees:
    """The entries of a text, kept until the next version of it is read."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.known: dict[Chunk, Read] = {}

    def read(self, report: Report) -> TreeRead:
        """Return the tree of the text; the report gets the faults that `compose` would report."""
        found = outline(self.file.lines)
        chunks = found.chunks
        reads = self._kept(chunks)
        if not found.regular or not self._is_plain(found):
            tree = compose(self.file, report.add)
        elif not self.known:
            tree = compose(self.file, report.add)
            if tree is not None and not report.diagnostics:
                reads = _taken(found, tree) or reads
        else:
            self._read_rest(found, reads)
            if all(one.exact for one in reads.values()) and _are_unlike(found, reads):
                self.known = reads
                return _tree_read(self._joined(found, reads), True, found, reads)
            tree = compose(self.file, report.add)
        if tree is None or found.regular:
            self._read_rest(found, reads)
        self.known = reads
        if tree is not None:
            return _tree_read(_with_known(tree, reads), True, found, reads)
        self._repair(found, reads)
        return _tree_read(
            repaired_whole(self.file) or self._joined(found, reads), False, found, reads
        )

    def _is_plain(self, found: Outline) -> bool:
        """Return whether what lies between the entries of the text may stand there."""
        return not re.search(NOT_PRINTABLE, found.between)

    def _kept(self, chunks: Sequence[Chunk]) -> dict[Chunk, Read]:
        """Return the entries that are known, moved to where they stand now."""
        found: dict[Chunk, Read] = {}
        others: dict[Chunk, list[Chunk]] | None = None
        for chunk in chunks:
            read = self.known.get(chunk)
            if read is None:
                if others is None:
                    others = self._by_text(chunks)
                same = others.get(chunk._replace(first=0))
                if same:
                    old = same.pop(0)
                    read = self.known[old]
                    if read.pair is not None:
                        by = chunk.first - old.first
                        read = read._replace(pair=moved(read.pair, by))
            if read is not None:
                found[chunk] = read
        return found

    def _by_text(self, chunks: Iterable[Chunk]) -> dict[Chunk, list[Chunk]]:
        """Return the known entries that do not stand where they stood, by their text."""
        here = set(chunks)
        found: dict[Chunk, list[Chunk]] = {}
        for chunk in self.known:
            if chunk not in here:
                found.setdefault(chunk._replace(first=0), []).append(chunk)
        return found

    def _read_rest(self, found: Outline, reads: dict[Chunk, Read]) -> None:
        """Read the entries that are not known, those that follow each other at once."""
        for section in found.sections:
            headers = [f"{section.key}:"] if section.is_split else []
            for is_known, some in groupby(section.entries, lambda chunk: chunk in reads):
                if not is_known:
                    run = [*some]
                    reads.update(zip(run, read_entries(self.file, run, headers), strict=True))

    def _repair(self, found: Outline, reads: dict[Chunk, Read]) -> None:
        """Repair the entries that cannot be read."""
        for section in found.sections:
            headers = [f"{section.key}:"] if section.is_split else []
            for chunk in section.entries:
                if reads[chunk].pair is None:
                    reads[chunk] = Read(repaired(self.file, chunk, headers), False)

    def _joined(self, found: Outline, reads: dict[Chunk, Read]) -> MappingTree:
        """Return the entries as one tree."""
        pairs: list[Pair] = []
        for section in found.sections:
            entries = [pair for one in section.entries if (pair := reads[one].pair) is not None]
            if not section.is_split:
                pairs += entries
                continue
            line = section.header + 1
            span = Span(self.file, line, 1, line, 1 + len(section.key))
            inner = mapping_of(entries, span)
            pairs.append((Scalar(section.key, span, section.key, plain=True), inner))
        return mapping_of(pairs, self.file.start)


def _tree_read(tree: Tree, is_whole: bool, found: Outline, reads: Mapping[Chunk, Read]) -> TreeRead:
    """Return a tree with the texts from which its nodes, and all else, follow."""
    texts: dict[int, str] = {}
    frame: list[str] = []
    is_exact = (found.regular or not is_whole) and _are_unlike(found, reads, ("nodes",))
    for chunk in found.chunks:
        read = reads.get(chunk)
        is_fine = read is not None and read.exact
        if chunk.section != "nodes":
            frame += chunk.section, chunk.text
            is_exact = is_exact and is_fine
        elif is_fine and read is not None and read.pair is not None:
            texts[id(read.pair[1])] = chunk.text
    return TreeRead(tree, is_whole, texts, tuple(frame) if is_exact else None, found)


def _are_unlike(found: Outline, reads: Mapping[Chunk, Read], without: Sequence[str] = ()) -> bool:
    """Return whether the entries of each section, `without` some, can be read and have unlike keys."""
    for section in found.sections:
        if section.key not in without:
            some = [reads[chunk].pair for chunk in section.entries if chunk in reads]
            keys = {pair[0].value for pair in some if pair is not None}
            if len(keys) < len(section.entries):
                return False
    return True


def _taken(found: Outline, tree: Tree) -> dict[Chunk, Read] | None:
    """Return the entries of a whole tree without faults; None if they do not begin as the outline says."""
    if not isinstance(tree, MappingTree) or len(tree.entries) != len(found.sections):
        return None
    reads: dict[Chunk, Read] = {}
    for section, entry in zip(found.sections, tree.entries, strict=True):
        pairs: Sequence[Pair] = (entry,)
        if section.is_split:
            if not isinstance(entry[1], MappingTree):
                return None
            pairs = entry[1].entries
        if len(pairs) != len(section.entries):
            return None
        for chunk, pair in zip(section.entries, pairs, strict=True):
            if not begins(pair, chunk):
                return None
            reads[chunk] = Read(pair, True)
    return reads


def _with_known(tree: Tree, reads: dict[Chunk, Read]) -> Tree:
    """Return a tree whose entries are the known objects where they are equal to these."""
    if not isinstance(tree, MappingTree):
        return tree
    known = {
        (read.pair[0].span[1], read.pair[0].span[2]): read.pair
        for read in reads.values()
        if read.pair is not None and read.exact
    }

    def same(pair: Pair) -> Pair:
        kept = known.get((pair[0].span[1], pair[0].span[2]))
        return kept if kept is not None and kept == pair else pair

    entries: list[Pair] = []
    for key, value in tree.entries:
        if isinstance(value, MappingTree):
            value = value._replace(entries=tuple([same(pair) for pair in value.entries]))
        entries.append(same((key, value)))
    return tree._replace(entries=tuple(entries))
