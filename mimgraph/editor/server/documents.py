"""Keep the open documents: the text of each, its version, and its analysis."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lsprotocol.types import TextDocumentContentChangeEvent, TextDocumentContentChangePartial
from pygls.uris import to_fs_path

from mimgraph.editor.analysis import Analysis, analyse
from mimgraph.editor.features.hints import Hint, hints
from mimgraph.editor.features.node_facts import Facts
from mimgraph.editor.features.uses import Uses, uses_of
from mimgraph.editor.server.positions import span_of
from mimgraph.language.parts.part_files import Place, first_place
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.source import SourceFile


@dataclass(eq=False)
class Document:
    """One version of an open document; its analysis is made when it is first read."""

    uri: str
    version: int
    text: str

    @cached_property
    def path(self) -> str | None:
        """The path of the file; None for a text that has none yet."""
        return to_fs_path(self.uri) if self.uri.startswith("file:") else None

    @cached_property
    def file(self) -> SourceFile:
        """The text under the name that diagnostics show."""
        return SourceFile(self.path or posixpath.basename(self.uri), self.text)

    @cached_property
    def place(self) -> Place | None:
        """Where the parts of the spec are found."""
        return first_place(self.path) if self.path else None

    @cached_property
    def analysis(self) -> Analysis:
        """The analysis of this version."""
        return analyse(self.file, self.place)

    @cached_property
    def uses(self) -> Uses | None:
        """The typed uses of its nodes."""
        return uses_of(self.analysis)

    @cached_property
    def facts(self) -> Facts:
        """The costs and the emitted source, as far as they are asked for."""
        return Facts(self.analysis)

    @cached_property
    def hints(self) -> list[Hint]:
        """The hints of the whole text."""
        return hints(self.analysis, self.uses)

    def changed(self, version: int, changes: Sequence[TextDocumentContentChangeEvent]) -> Document:
        """Return the next version of the document."""
        file = self.file
        for change in changes:
            text = change.text
            if isinstance(change, TextDocumentContentChangePartial):
                text = edited(file, [TextEdit(span_of(file, change.range), text)])
            file = SourceFile(file.name, text)
        return Document(self.uri, version, file.text)


@dataclass(eq=False)
class Documents:
    """The open documents by URI."""

    open: dict[str, Document] = field(default_factory=dict)

    def __getitem__(self, uri: str) -> Document:
        return self.open[uri]

    def get(self, uri: str) -> Document | None:
        """Return an open document; None if the editor has not opened it, or closed it."""
        return self.open.get(uri)
