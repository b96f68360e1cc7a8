"""Keep the open documents: the text of each, its version, and its analysis."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lsprotocol.types import TextDocumentContentChangeEvent, TextDocumentContentChangePartial
from pygls.uris import to_fs_path

from mimgraph.editor.analysis import Analysis
from mimgraph.editor.document.open_spec import OpenSpec
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
    spec: OpenSpec

    @classmethod
    def opened(cls, uri: str, version: int, text: str) -> Document:
        """Return the document that an editor opens."""
        path = _path(uri)
        return cls(uri, version, OpenSpec(path or posixpath.basename(uri), text))

    @cached_property
    def path(self) -> str | None:
        """The path of the file; None for a text that has none yet."""
        return _path(self.uri)

    @property
    def file(self) -> SourceFile:
        """The text of the newest version, under the name that diagnostics show."""
        return self.spec.file

    @cached_property
    def place(self) -> Place | None:
        """Where the parts of the spec are found."""
        return first_place(self.path) if self.path else None

    @cached_property
    def analysis(self) -> Analysis:
        """The analysis of this version."""
        return self.spec.analyse(self.place)

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
        """Return the next version of the document; this one is not used any more, as its file changes."""
        for change in changes:
            text = change.text
            if isinstance(change, TextDocumentContentChangePartial):
                text = edited(self.file, [TextEdit(span_of(self.file, change.range), text)])
            self.spec.file.become(text)
        return Document(self.uri, version, self.spec)


def _path(uri: str) -> str | None:
    return to_fs_path(uri) if uri.startswith("file:") else None


@dataclass(eq=False)
class Documents:
    """The open documents by URI."""

    open: dict[str, Document] = field(default_factory=dict)

    def __getitem__(self, uri: str) -> Document:
        return self.open[uri]

    def get(self, uri: str) -> Document | None:
        """Return an open document; None if the editor has not opened it, or closed it."""
        return self.open.get(uri)
