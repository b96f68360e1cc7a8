"""Start the server for a test, with a client that accepts what a server registers later, as editors do."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import pytest_lsp
from lsprotocol import types
from pygls.protocol.language_server import lsp_method
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from pytest_lsp.protocol import LanguageClientProtocol


@lsp_method(types.CLIENT_REGISTER_CAPABILITY)
def register(protocol: LanguageClientProtocol, params: types.RegistrationParams) -> None:
    """Keep the registrations."""
    protocol.registered = [*getattr(protocol, "registered", ()), *params.registrations]


LanguageClientProtocol.lsp_client_register_capability = register


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=[sys.executable, "-m", "mimgraph", "lsp"])
)
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    """Begin and end a session of an editor."""
    await lsp_client.initialize_session(
        types.InitializeParams(capabilities=client_capabilities("visual-studio-code"))
    )
    yield
    await lsp_client.shutdown_session()
