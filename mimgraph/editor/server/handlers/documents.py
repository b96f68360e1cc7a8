"""Keep documents in step with the editor and with the files of their parts.

A change that does not fit the text shows that the two differ. The protocol cannot ask for the text, so the document is
closed, and the user is asked to open it again; a change of the whole text does it as well.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lsprotocol import types

from mimgraph.editor.server.documents import path_of
from mimgraph.editor.server.handlers import python_files

if TYPE_CHECKING:
    from mimgraph.editor.server.documents import Document
    from mimgraph.editor.server.spec_server import SpecServer


def register(server: SpecServer) -> None:
    """Answer the opening, changing and closing of documents, and changes of files."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        open_document(server, params.text_document)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        try:
            change(server, params)
        except ValueError:
            lose(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        close(server, params.text_document.uri)
        server.lost.pop(params.text_document.uri, None)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(params: types.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            renew(server, path_of(change.uri))


def open_document(server: SpecServer, given: types.TextDocumentItem) -> None:
    """Take a document that is opened."""
    server.lost.pop(given.uri, None)
    if not python_files.opened(server, given):
        put(
            server,
            server.documents.opened(given.uri, given.version, given.text, given.language_id),
        )


def change(server: SpecServer, params: types.DidChangeTextDocumentParams) -> None:
    """Follow a change; a `ValueError` says that it does not fit the text."""
    uri, version = params.text_document.uri, params.text_document.version
    if python_files.changed(server, params):
        return
    document = server.documents.get(uri)
    if document is not None:
        put(server, document.changed(version, params.content_changes))
        return
    match params.content_changes:
        case [types.TextDocumentContentChangeWholeDocument(text=text)]:
            language = server.lost.get(uri, "yaml")
            open_document(server, types.TextDocumentItem(uri, language, version, text))
        case _:
            raise ValueError(f"{uri} is not open")


def close(server: SpecServer, uri: str) -> str:
    """Forget a document that is closed, and return its language."""
    if python_files.closed(server, uri):
        return "python"
    document = server.documents.close(uri)
    if document is None:
        return "yaml"
    server.published.forget(document.uri)
    server.previews.closed(document.uri)
    renew(server, document.path)
    return document.language


def lose(server: SpecServer, uri: str) -> None:
    """Forget a document whose text is not known any more, and say so once."""
    if uri in server.lost:
        return
    server.lost[uri] = close(server, uri)
    name = posixpath.basename(uri)
    text = (
        f"{name} is not checked: a change does not fit its text. Close the file and open it again."
    )
    python_files.tell(server, text, types.MessageType.Warning)


def put(server: SpecServer, document: Document) -> None:
    """Keep a new version of a document, and show it."""
    server.documents.put(document)
    server.previews.changed(document)
    server.published.later(document)
    renew(server, document.path)


def renew(server: SpecServer, path: str | None) -> None:
    """Publish the specs anew that have a file as a part."""
    for user in server.documents.renew(path):
        server.published.later(user)
