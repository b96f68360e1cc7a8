"""Keep documents in step with the editor and with the files of their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import to_fs_path

from mimgraph.editor.server.handlers import python_files

if TYPE_CHECKING:
    from mimgraph.editor.server.documents import Document
    from mimgraph.editor.server.spec_server import SpecServer


def register(server: SpecServer) -> None:
    """Answer the opening, changing and closing of documents, and changes of files."""
    documents = server.documents

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        given = params.text_document
        if python_files.opened(server, given):
            return
        put(documents.opened(given.uri, given.version, given.text, given.language_id))

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        if python_files.changed(server, params):
            return
        document = documents.get(params.text_document.uri)
        if document is not None:
            put(document.changed(params.text_document.version, params.content_changes))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        if python_files.closed(server, params.text_document.uri):
            return
        document = documents.close(params.text_document.uri)
        if document is not None:
            server.published.forget(document.uri)
            server.previews.closed(document.uri)
            renew(document.path)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(params: types.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            renew(to_fs_path(change.uri))

    def put(document: Document) -> None:
        documents.put(document)
        server.previews.changed(document)
        server.published.later(document)
        renew(document.path)

    def renew(path: str | None) -> None:
        """Publish the specs anew that have a file as a part."""
        for user in documents.renew(path):
            server.published.later(user)
