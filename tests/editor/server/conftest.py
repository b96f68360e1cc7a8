"""Start the server for a test, with a client that accepts what a server registers later, as editors do."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.protocol.language_server import lsp_method

from tests.helpers.spec_editor import Editor


@lsp_method(types.CLIENT_REGISTER_CAPABILITY)
def register(protocol: LanguageClientProtocol, params: types.RegistrationParams) -> None:
    """Keep the registrations."""
    protocol.registered = [*getattr(protocol, "registered", ()), *params.registrations]


# the server without a pause after a change, for which a test would have to wait
SERVER = """
from mimgraph.cli import main
from mimgraph.editor.server import published
published.PAUSE = 0
main(["lsp"])
"""


if find_spec("pytest_lsp"):  # without it, the files of its tests skip themselves
    import pytest_lsp
    from pytest_lsp import LanguageClient
    from pytest_lsp.protocol import LanguageClientProtocol

    LanguageClientProtocol.lsp_client_register_capability = register

    @pytest_lsp.fixture(
        config=pytest_lsp.ClientServerConfig(server_command=[sys.executable, "-c", SERVER])
    )
    async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
        """Begin and end a session of an editor."""
        lsp_client.feature(types.WORKSPACE_CODE_LENS_REFRESH)(lambda params: None)
        await lsp_client.initialize_session(
            types.InitializeParams(
                capabilities=pytest_lsp.client_capabilities("visual-studio-code")
            )
        )
        yield
        await lsp_client.shutdown_session()


@pytest.fixture
def editor(client: LanguageClient, tmp_path: Path) -> Editor:
    return Editor(client, tmp_path)
