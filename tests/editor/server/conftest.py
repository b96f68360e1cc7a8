"""Let the client of pytest-lsp accept what a server registers later, as editors do."""

from __future__ import annotations

from lsprotocol import types
from pygls.protocol.language_server import lsp_method
from pytest_lsp.protocol import LanguageClientProtocol


@lsp_method(types.CLIENT_REGISTER_CAPABILITY)
def register(protocol: LanguageClientProtocol, params: types.RegistrationParams) -> None:
    """Keep the registrations."""
    protocol.registered = [*getattr(protocol, "registered", ()), *params.registrations]


LanguageClientProtocol.lsp_client_register_capability = register
