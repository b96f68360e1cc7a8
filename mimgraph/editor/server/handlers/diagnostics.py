"""Keep documents in step with the editor, and publish the diagnostics of each version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import from_fs_path

from mimgraph.diagnostics import Diagnostic
from mimgraph.editor.server.documents import Document
from mimgraph.editor.server.handlers import python_files
from mimgraph.editor.server.positions import range_of
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.editor.server.spec_server import SpecServer

SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
}


def register(server: SpecServer) -> None:
    """Answer the opening, changing and closing of documents."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        given = params.text_document
        if python_files.opened(server, given):
            return
        server.documents.open[given.uri] = Document.opened(given.uri, given.version, given.text)
        publish(server, server.documents[given.uri])

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        given = params.text_document
        if python_files.changed(server, params):
            return
        document = server.documents[given.uri].changed(given.version, params.content_changes)
        server.documents.open[given.uri] = document
        publish(server, document)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        if python_files.closed(server, uri):
            return
        server.documents.open.pop(uri, None)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


def publish(server: SpecServer, document: Document) -> None:
    """Send the diagnostics of a version."""
    found = [
        shown(document, one)
        for one in document.analysis.diagnostics
        if one.span.file is document.file
    ]
    params = types.PublishDiagnosticsParams(document.uri, found, document.version)
    server.text_document_publish_diagnostics(params)


def shown(document: Document, diagnostic: Diagnostic) -> types.Diagnostic:
    """Return a diagnostic as the protocol has it, with the other places it refers to."""
    related = [
        types.DiagnosticRelatedInformation(_location(document, label.span), label.text)
        for label in diagnostic.labels
    ]
    lines = [diagnostic.message, diagnostic.note, diagnostic.help and f"help: {diagnostic.help}"]
    return types.Diagnostic(
        range_of(diagnostic.span),
        "\n".join(line for line in lines if line),
        severity=SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        source="mimgraph",
        related_information=related,
    )


def _location(document: Document, span: Span) -> types.Location:
    here = span.file is document.file
    return types.Location(
        document.uri if here else from_fs_path(span.file.name) or "", range_of(span)
    )
