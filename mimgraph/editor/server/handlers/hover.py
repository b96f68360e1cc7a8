"""Answer requests for what stands under the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from mimgraph.editor.server.positions import place, range_of

if TYPE_CHECKING:
    from mimgraph.editor.server.spec_server import SpecServer


def register(server: SpecServer) -> None:
    """Answer `textDocument/hover`."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(params: types.HoverParams) -> types.Hover | None:
        document = server.documents.spec(params.text_document.uri)
        if document is None:
            return None
        from mimgraph.editor.features.hover.describe import hover

        line, column = place(document.file, params.position)
        found = hover(document.analysis, document.uses, document.facts, line, column)
        if found is None:
            return None
        content = types.MarkupContent(types.MarkupKind.Markdown, found.text)
        return types.Hover(content, range_of(found.span))
