"""A language server without a client, in which one document is open."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.uris import from_fs_path
from pygls.workspace import Workspace

from mimgraph.editor.server.documents import Document
from mimgraph.editor.server.positions import range_of
from mimgraph.editor.server.spec_server import SpecServer
from mimgraph.source import SourceFile, Span


class Session:
    """A server without a client, in which one document is open."""

    def __init__(self, path: Path, text: str) -> None:
        self.server = SpecServer()
        self.server.protocol._workspace = Workspace(None)  # what `initialize` makes
        self.server.protocol.client_capabilities = types.ClientCapabilities()
        self.server.text_document_publish_diagnostics = lambda params: None  # type: ignore[method-assign]
        self.path, self.version = path, 1
        self.uri = from_fs_path(str(path)) or ""
        item = types.TextDocumentItem(self.uri, "mimgraph", 1, text)
        self.send(types.TEXT_DOCUMENT_DID_OPEN, types.DidOpenTextDocumentParams(item))

    def send(self, method: str, params: Any) -> Any:
        """Let the server handle a request or notification, and return its answer."""
        answer = self.server.protocol.fm.features[method](params)
        assert not inspect.isawaitable(answer)
        return answer

    @property
    def document(self) -> Document:
        return self.server.documents.open[self.uri]

    @property
    def file(self) -> SourceFile:
        return self.document.file

    def has(self, method: str) -> bool:
        """Return whether the server answers such requests."""
        return method in self.server.protocol.fm.features

    def edit(self, start: int, end: int, new: str) -> None:
        """Type a text in place of the characters from `start` to `end`."""
        span = Span(self.file, *self.file.place(start), *self.file.place(end))
        change = types.TextDocumentContentChangePartial(range_of(span), new)
        self.version += 1
        which = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        params = types.DidChangeTextDocumentParams(which, [change])
        self.send(types.TEXT_DOCUMENT_DID_CHANGE, params)
