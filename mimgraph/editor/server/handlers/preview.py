"""Start previews when the user asks, and show where the cursor is.

The command `mimgraph.preview` takes the URI of an open spec, and perhaps false, to open no browser; it returns the
address of the page. The notification `mimgraph/cursor` has a text document and a position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

if TYPE_CHECKING:
    from mimgraph.editor.server.spec_server import SpecServer

COMMAND = "mimgraph.preview"
CURSOR = "mimgraph/cursor"


def register(server: SpecServer) -> None:
    """Answer the command and the notification."""

    @server.command(COMMAND)
    def preview(uri: str, *rest: bool) -> str | None:
        document = server.documents.spec(uri)
        if document is None:
            text = "open the spec to preview it"
            server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))
            return None
        address = server.previews.address(document)
        opens = not rest or rest[0]
        if opens and server.can_show_documents:
            params = types.ShowDocumentParams(address, external=True)
            server.window_show_document(params, lambda answer: None)
        return address

    @server.feature(CURSOR)
    def cursor(params: Any) -> None:
        document = server.documents.get(params.textDocument.uri)
        if document is not None:
            server.previews.cursor(document, int(params.position.line) + 1)
