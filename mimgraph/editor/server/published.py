"""Publish the diagnostics of changed documents, at the files in which they lie, and clear old ones.

A spec may have diagnostics in its parts, and a part may be read by several specs: a file has the
diagnostics that each of them finds there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import from_fs_path

from mimgraph.diagnostics import UNUSED, Diagnostic
from mimgraph.diagnostics.codes import MANUAL
from mimgraph.editor.server.documents import Document
from mimgraph.editor.server.positions import range_of
from mimgraph.source import SourceFile

if TYPE_CHECKING:
    from mimgraph.editor.server.spec_server import SpecServer

SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
}
TAGS = {
    **{code: [types.DiagnosticTag.Unnecessary] for code in (*UNUSED, "unused-param")},
    "deprecated": [types.DiagnosticTag.Deprecated],
}
PAUSE = 0.05  # seconds without a change after which a document is checked
Found = Mapping[str, list[types.Diagnostic]]  # by the URI of the file


class Published:
    """The diagnostics that the editor shows, by the spec that has them and the file they are in."""

    def __init__(self, server: SpecServer) -> None:
        self.server = server
        self.found: dict[str, Found] = {}
        self.waiting: dict[str, None] = {}  # documents whose diagnostics are to be sent
        self.timer: asyncio.TimerHandle | None = None  # at the end of the pause

    def later(self, document: Document) -> None:
        """Publish the diagnostics of a document after a pause; each change begins it anew."""
        self._stop()
        self.waiting[document.uri] = None
        self.timer = asyncio.get_running_loop().call_later(PAUSE, self.now)

    def _stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def now(self) -> None:
        """Publish the diagnostics of all changed documents."""
        self._stop()
        waiting, self.waiting = [*self.waiting], {}
        for uri in waiting:
            document = self.server.documents.get(uri)
            if document is not None:
                try:
                    self._publish(uri, by_file(document) if document.is_spec else {uri: []})
                except Exception as error:  # noqa: BLE001  # the server must not end
                    self.server.report_server_error(error, type(error))

    def forget(self, uri: str) -> None:
        """Clear the diagnostics of a document that was closed."""
        self.waiting.pop(uri, None)
        if not self.waiting:
            self._stop()
        self._publish(uri, {uri: []})
        del self.found[uri]

    def _publish(self, spec: str, found: Found) -> None:
        """Send the diagnostics of every file in which a spec has or had some."""
        before = self.found.get(spec, {})
        self.found[spec] = found
        for uri in {spec: None, **found, **before}:
            if uri == spec or before.get(uri, []) != found.get(uri, []):
                self._send(uri)

    def _send(self, uri: str) -> None:
        document = self.server.documents.get(uri)
        every: dict[
            Hashable, types.Diagnostic
        ] = {}  # what a part has by itself is no news of its users
        for spec in sorted(self.found, key=lambda spec: spec != uri):
            for one in self.found[spec].get(uri, ()):
                start, end = one.range.start, one.range.end
                place = start.line, start.character, end.line, end.character
                every.setdefault((*place, one.code, one.message), one)
        version = None if document is None else document.version
        params = types.PublishDiagnosticsParams(uri, [*every.values()], version)
        self.server.text_document_publish_diagnostics(params)


def by_file(document: Document) -> dict[str, list[types.Diagnostic]]:
    """Return the diagnostics of a spec by the URI of the file, the spec's own first."""
    found: dict[str, list[types.Diagnostic]] = {document.uri: []}
    for one in document.analysis.diagnostics:
        found.setdefault(uri_of(document, one.span.file), []).append(shown(document, one))
    return found


def shown(document: Document, diagnostic: Diagnostic) -> types.Diagnostic:
    """Return a diagnostic as the protocol has it, with the other places it refers to and its page."""
    related = [
        types.DiagnosticRelatedInformation(
            types.Location(uri_of(document, label.span.file), range_of(label.span)), label.text
        )
        for label in diagnostic.labels
    ]
    lines = [diagnostic.message, diagnostic.note, diagnostic.help and f"help: {diagnostic.help}"]
    return types.Diagnostic(
        range_of(diagnostic.span),
        "\n".join(line for line in lines if line),
        severity=SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        code_description=types.CodeDescription(f"{MANUAL}errors/{diagnostic.code}.html"),
        source="mimgraph",
        tags=TAGS.get(diagnostic.code),
        related_information=related,
    )


def uri_of(document: Document, file: SourceFile) -> str:
    """Return the URI of the file of a span: the document itself, or a part of it."""
    return document.uri if file is document.file else from_fs_path(file.name) or document.uri
