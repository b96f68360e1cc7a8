"""Hold the parts of the last version of a text that the next one may use again."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.editor.document.entry_trees import EntryTrees, TreeRead
from mimgraph.infer.kept_types import KeptTypes
from mimgraph.language.reader.kept_nodes import KeptNodes
from mimgraph.source import SourceFile


class Memory:
    """The trees, declared nodes and typed nodes of the entries of a text."""

    def __init__(self, file: SourceFile) -> None:
        self.trees = EntryTrees(file)
        self.nodes = KeptNodes()
        self.types = KeptTypes()

    def begin_types(self, read: TreeRead) -> KeptTypes:
        """Return the typed nodes, once the nodes of this version are read."""
        texts: Mapping[int, str] = {
            id(node): text
            for tree, node in self.nodes.of_graph()
            if (text := read.texts.get(id(tree))) is not None
        }
        self.types.begin(read.frame, texts)
        return self.types
