"""Convert diagnostics to the protocol, sorted by the file in which they lie."""

from __future__ import annotations

from lsprotocol import types
from pygls.uris import from_fs_path

from mimgraph.diagnostics import UNUSED, Diagnostic
from mimgraph.editor.server.documents import Document
from mimgraph.editor.server.positions import range_of
from mimgraph.language.reference.manual_address import MANUAL
from mimgraph.source import SourceFile

SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
}
TAGS = {
    **{code: [types.DiagnosticTag.Unnecessary] for code in (*UNUSED, "unused-param")},
    "deprecated": [types.DiagnosticTag.Deprecated],
}


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
