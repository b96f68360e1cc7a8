"""Answer requests for inlay hints, and for the tooltip of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from mimgraph.editor.server.documents import Document
from mimgraph.editor.server.handlers import python_files
from mimgraph.editor.server.positions import place, position

if TYPE_CHECKING:
    from mimgraph.editor.features.hints import Hint
    from mimgraph.editor.server.spec_server import SpecServer

KINDS = {"shape": types.InlayHintKind.Type, "option": types.InlayHintKind.Parameter}


def register(server: SpecServer) -> None:
    """Answer `textDocument/inlayHint` and `inlayHint/resolve`."""

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT, types.InlayHintOptions(resolve_provider=True))
    def hints(params: types.InlayHintParams) -> list[types.InlayHint] | None:
        if (file := server.python_files.get(params.text_document.uri)) is not None:
            return python_files.hints(file, params.range) if server.settings.shapes else None
        document = server.documents.spec(params.text_document.uri)
        if document is None:
            return None
        start, end = (
            place(document.file, params.range.start),
            place(document.file, params.range.end),
        )
        settings = server.settings
        wanted = {"shape"} if settings.shapes else set()
        wanted |= {"option"} if settings.options else set()
        return [
            shown(document, index, hint)
            for index, hint in enumerate(document.hints)
            if hint.kind in wanted and start <= hint[:2] <= end
        ]

    @server.feature(types.INLAY_HINT_RESOLVE)
    def resolved(hint: types.InlayHint) -> types.InlayHint:
        from mimgraph.editor.features.hints import tooltip

        match hint.data:
            case {"uri": str(uri), "version": version, "index": int(index)}:
                document = server.documents.get(uri)
                if document and document.version == version and index < len(document.hints):
                    text = tooltip(document.hints[index])
                    hint.tooltip = types.MarkupContent(types.MarkupKind.Markdown, text)
        return hint


def shown(document: Document, index: int, hint: Hint) -> types.InlayHint:
    """Return a hint as the protocol has it; one that leaves something out can be resolved."""
    data = {"uri": document.uri, "version": document.version, "index": index}
    return types.InlayHint(
        position(document.file, hint.line, hint.column),
        hint.text,
        kind=KINDS[hint.kind],
        padding_left=True,
        padding_right=hint.behind,
        data=data if hint.uses else None,
    )
