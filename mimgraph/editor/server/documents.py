"""Keep the open documents: the text of each, its version, and its analysis."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from lsprotocol.types import TextDocumentContentChangeEvent, TextDocumentContentChangePartial
from pygls.uris import to_fs_path

from mimgraph.editor.server.positions import changed_span
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.source import SourceFile

if TYPE_CHECKING:  # what reads and infers is imported when the first document is open
    from mimgraph.editor.analysis import Analysis
    from mimgraph.editor.features.hints import Hint
    from mimgraph.editor.features.node_facts import Facts
    from mimgraph.editor.features.tokens import Token
    from mimgraph.editor.features.uses import Uses
    from mimgraph.language.files import Place
    from mimgraph.language.occurrences import Member


LANGUAGE = "mimgraph"  # of documents that are specs whatever they have in them


@dataclass(eq=False)
class Document:
    """One version of an open document; its analysis, hints and costs are made when they are first read.

    `others` are the texts of all open documents by real path, which are read in place of the files.
    `file` has the text under the name that diagnostics show. `was_spec` says that an earlier version was
    found to be a spec.
    """

    uri: str
    version: int
    file: SourceFile
    language: str = LANGUAGE
    others: Mapping[str, str] = field(default_factory=dict)
    was_spec: bool = False

    @cached_property
    def is_spec(self) -> bool:
        """Whether it is a spec, or was one before it was changed; the server is silent on other YAML."""
        from mimgraph.language.files import is_spec

        if self.was_spec or self.language == LANGUAGE:
            return True
        return is_spec(self.file.name, self.file.text)

    @property
    def may_become_spec(self) -> bool:
        """Whether it is a spec, or has so little text that it may become one: it has no key but a spec's."""
        if self.is_spec:
            return True
        from mimgraph.language.files import may_become_spec

        return may_become_spec(self.file.name, self.file.text)

    @property
    def path(self) -> str | None:
        """The path of the file; None for a text that has none yet."""
        return path_of(self.uri)

    @cached_property
    def place(self) -> Place | None:
        """Where the parts of the spec are found."""
        from mimgraph.language.files import first_place

        return first_place(self.path, self.others) if self.path else None

    @cached_property
    def analysis(self) -> Analysis:
        """The analysis of this version."""
        from mimgraph.editor.analysis import analyse

        return analyse(self.file, self.place)

    @property
    def names(self) -> Member:
        """The places of its names, as a spec of a project."""
        from mimgraph.language.occurrences import Member, find_occurrences

        return Member(self.file, find_occurrences(self.analysis.tree))

    @property
    def uses(self) -> Uses | None:
        """The typed uses of its nodes."""
        from mimgraph.editor.features.uses import uses_of

        return uses_of(self.analysis)

    @cached_property
    def facts(self) -> Facts:
        """The costs and the emitted source, as far as they are asked for."""
        from mimgraph.editor.features.node_facts import Facts

        return Facts(self.analysis)

    def hints(self, first: int, last: int) -> list[Hint]:
        """Return the hints of some lines."""
        from mimgraph.editor.features.hints import hints

        return hints(self.analysis, self.uses, range(first, last + 1))

    @property
    def tokens(self) -> list[Token]:
        """The words of the text by their meaning."""
        from mimgraph.editor.features.tokens import tokens

        return tokens(self.analysis)

    def changed(self, version: int, changes: Sequence[TextDocumentContentChangeEvent]) -> Document:
        """Return the next version of the document; a `ValueError` says that a change does not fit the
        text."""
        file = self.file
        for change in changes:
            text = change.text
            if isinstance(change, TextDocumentContentChangePartial):
                text = edited(file, [TextEdit(changed_span(file, change.range), text)])
            file = SourceFile(file.name, text)
        return replace(self.renewed(), version=version, file=file)

    def renewed(self) -> Document:
        """Return the document with nothing computed, because a part of it changed."""
        was_spec = bool(self.__dict__.get("is_spec", self.was_spec))
        return replace(self, was_spec=was_spec)

    def reads(self, path: str) -> bool:
        """Return whether it has a file as a part, or would have it if it existed."""
        place = self.__dict__.get("place")
        return place is not None and path in place.files.tried


def path_of(uri: str) -> str | None:
    """Return the path of a file; None if it is no URI of a file, or no file can have the path."""
    try:
        path = to_fs_path(uri)
        return None if path is None or b"\0" in os.fsencode(path) else path
    except ValueError:
        return None


@dataclass(eq=False)
class Documents:
    """The open documents by URI."""

    open: dict[str, Document] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # by real path

    def get(self, uri: str) -> Document | None:
        """Return an open document; None if the editor has not opened it, or closed it."""
        return self.open.get(uri)

    def spec(self, uri: str) -> Document | None:
        """Return an open document that is a spec."""
        document = self.open.get(uri)
        return document if document is not None and document.is_spec else None

    def begun(self, uri: str) -> Document | None:
        """Return an open document that is a spec, or may become one."""
        document = self.open.get(uri)
        return document if document is not None and document.may_become_spec else None

    def opened(self, uri: str, version: int, text: str, language: str = LANGUAGE) -> Document:
        """Return a document that the editor opens."""
        name = path_of(uri) or posixpath.basename(uri)
        return Document(uri, version, SourceFile(name, text), language, self.texts)

    def put(self, document: Document) -> None:
        """Keep a new version of a document."""
        self.open[document.uri] = document
        if document.path:
            self.texts[os.path.realpath(document.path)] = document.file.text

    def close(self, uri: str) -> Document | None:
        """Forget a document, and return it."""
        document = self.open.pop(uri, None)
        if document is not None and document.path:
            self.texts.pop(os.path.realpath(document.path), None)
        return document

    def renew(self, path: str | None) -> Iterator[Document]:
        """Yield the documents that have a file as a part, each with nothing computed."""
        real = os.path.realpath(path) if path else ""
        for uri, document in [*self.open.items()]:
            if real and document.reads(real):
                self.open[uri] = document.renewed()
                yield self.open[uri]
