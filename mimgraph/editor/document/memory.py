"""Hold the parts of the last version of a text that the next one may use again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mimgraph.diagnostics import Diagnostic
from mimgraph.editor.document.entry_trees import EntryTrees, TreeRead
from mimgraph.editor.document.version import Version
from mimgraph.infer.kept_types import KeptTypes, Needs
from mimgraph.infer.patch import patchable
from mimgraph.infer.scope import Context
from mimgraph.ir.declared.graph import Graph
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.language.yaml_tree.tree import Mapping as MappingTree
from mimgraph.source import SourceFile


class Legal(NamedTuple):
    """All that was found of a legal spec whose text was read as a whole."""

    lines: list[str]
    read: TreeRead
    declared: Graph
    typed: TypedGraph
    context: Context
    needs: Mapping[str, Needs]
    blocks: frozenset[str]
    warnings: tuple[Diagnostic, ...]


class Memory:
    """The trees, declared nodes and typed nodes of the entries of a text, and its last legal version."""

    def __init__(self, file: SourceFile) -> None:
        self.trees = EntryTrees(file)
        self.types = KeptTypes()
        self.legal: Legal | None = None  # of which no version has been made yet
        self._version: Version | None = None

    def begin_types(self, read: TreeRead) -> KeptTypes:
        """Return the typed nodes, once the nodes of this version are read."""
        self.types.begin(read.frame, {})
        return self.types

    def next(self) -> Version | None:
        """Return the version with the text as it is now, made from the last legal one; None if the text
        must be read as a whole."""
        if self.legal is not None:
            self._version, self.legal = version_of(self.legal), None
        found = self._version and self._version.next(self.trees.file)
        self._version = found or self._version
        return found


def version_of(legal: Legal) -> Version | None:
    """Return a legal spec as a version; None if no next one can be made from it."""
    tree, found = legal.read.tree, legal.read.outline
    section = next((one for one in found.sections if one.key == "nodes" and one.is_split), None)
    is_alone = isinstance(tree, MappingTree) and tree.get("parts") is None  # a part may change
    if section is None or not (is_alone and found.regular) or legal.read.frame is None:
        return None
    inferred = patchable(legal.declared, legal.typed, legal.context, legal.needs)
    if inferred is None:
        return None
    at = found.sections.index(section) + 1
    end = found.sections[at].header if at < len(found.sections) else len(legal.lines)
    starts = [*(one.first for one in section.entries), end]
    assert isinstance(tree, MappingTree)
    indent = section.entries[0].indent
    return Version(legal.lines, starts, indent, tree, inferred, legal.warnings, legal.blocks)
