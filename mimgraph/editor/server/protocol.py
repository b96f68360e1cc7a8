"""Speak the protocol as pygls does, but without its own copies of the documents, and in UTF-16."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from cattrs import transform_error
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcInvalidRequest
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from mimgraph.editor.server.handlers.documents import lose

if TYPE_CHECKING:
    from cattrs import Converter
    from pygls.lsp.server import LanguageServer

    from mimgraph.editor.server.spec_server import SpecServer

DOCUMENTS = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
)


class SpecProtocol(LanguageServerProtocol):
    """The protocol of a `SpecServer`, which keeps the documents itself."""

    _server: SpecServer

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        for method in DOCUMENTS:  # which the handlers keep
            del self.fm.builtin_features[method]

    def take(self, message: bytes) -> None:
        """Handle a message; one that is not as the protocol has it is answered with an error."""
        try:
            data = json.loads(message)
        except (ValueError, RecursionError):
            data = None
        match data:
            case {"jsonrpc": self.VERSION, "method": str()}:
                data.setdefault("params", None)
            case {"jsonrpc": self.VERSION, "id": _} if "method" not in data:
                pass  # it answers a request of ours
            case _:
                refusal = JsonRpcInvalidRequest().to_response_error()
                self._send_data(types.ResponseErrorMessage(error=refusal))
                return
        try:
            found = self.structure_message(data)
        except JsonRpcException as error:
            self._refuse(data, error)
        else:
            self.handle_message(found)

    def _refuse(self, data: dict[str, Any], error: JsonRpcException) -> None:
        """Answer a request with wrong params; after such a change the text of a document is not known."""
        match data:
            case {
                "method": types.TEXT_DOCUMENT_DID_CHANGE,
                "params": {"textDocument": {"uri": str(uri)}},
            }:
                lose(self._server, uri)
            case {"method": _, "id": int() | str() as id}:
                message = "; ".join(transform_error(error.__cause__ or error))
                self._send_response(id, error=JsonRpcInvalidParams(message).to_response_error())

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Agree on UTF-16, which every editor must know and in which `positions` counts."""
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = [types.PositionEncodingKind.Utf16]
        return (yield from super().lsp_initialize(params))

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    def lsp_workspace__execute_command(
        self, params: types.ExecuteCommandParams
    ) -> Generator[Any, Any, Any]:
        """Run a command, whose arguments pygls checks only if there is a list of them."""
        params.arguments = params.arguments or []
        return (yield from super().lsp_workspace__execute_command(params))
