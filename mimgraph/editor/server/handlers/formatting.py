"""Answer requests to format a document, or the selected lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lsprotocol import types

from mimgraph.editor.server.positions import range_of

if TYPE_CHECKING:
    from mimgraph.editor.server.documents import Document
    from mimgraph.editor.server.spec_server import SpecServer
    from mimgraph.language.text_edits import TextEdit


def register(server: SpecServer) -> None:
    """Answer `textDocument/formatting` and `textDocument/rangeFormatting`."""

    @server.of_spec(types.TEXT_DOCUMENT_FORMATTING)
    def whole(document: Document, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        from mimgraph.editor.features.formatting import formatting

        return _shown(formatting(document.file))

    @server.of_spec(types.TEXT_DOCUMENT_RANGE_FORMATTING)
    def lines(
        document: Document, params: types.DocumentRangeFormattingParams
    ) -> list[types.TextEdit]:
        from mimgraph.editor.features.formatting import formatting

        start, end = params.range.start, params.range.end
        last = end.line if end.character == 0 and end.line > start.line else end.line + 1
        return _shown(formatting(document.file, start.line + 1, last))


def _shown(edits: Iterable[TextEdit]) -> list[types.TextEdit]:
    return [types.TextEdit(range_of(one.span), one.text) for one in edits]
