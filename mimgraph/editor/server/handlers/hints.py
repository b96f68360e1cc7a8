"""Answer requests for inlay hints, and for the tooltip of one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
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
        from mimgraph.editor.features.hints import PLACE

        settings = server.settings
        wanted = {"shape"} if settings.shapes else set()
        wanted |= {"option"} if settings.options else set()
        found = (
            hint
            for hint in document.hints(start[0], end[0])
            if hint.kind in wanted and start <= hint[:2] <= end
        )
        return [shown(document, [*group]) for _, group in groupby(found, key=PLACE)]

    @server.feature(types.INLAY_HINT_RESOLVE)
    def resolved(hint: types.InlayHint) -> types.InlayHint:
        from mimgraph.editor.features.hints import tooltip

        match hint.data:
            case {"uri": str(uri), "version": version, "place": [line, column]}:
                document = server.documents.get(uri)
                if document and document.version == version:
                    found = document.hints(line, line)
                    here = [one for one in found if one[:2] == (line, column)]
                    text = "\n".join(tooltip(one) for one in here if one.uses)
                    hint.tooltip = types.MarkupContent(types.MarkupKind.Markdown, text)
        return hint


def shown(document: Document, hints: Sequence[Hint]) -> types.InlayHint:
    """Return the hints at one place as the protocol has it; one that leaves something out can be resolved.

    They are one hint, as editors differ in the order and in the space of several.
    """
    first, last = hints[0], hints[-1]
    data = {"uri": document.uri, "version": document.version, "place": first[:2]}
    return types.InlayHint(
        position(document.file, first.line, first.column),
        "  ".join(hint.text for hint in hints),
        kind=KINDS[first.kind],
        padding_left=True,
        padding_right=last.behind,
        data=data if any(hint.uses for hint in hints) else None,
    )
