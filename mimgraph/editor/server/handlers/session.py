"""Begin a session: read the settings of the editor, and follow their changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from mimgraph.editor.server.settings import Settings

if TYPE_CHECKING:
    from mimgraph.editor.server.spec_server import SpecServer


def register(server: SpecServer) -> None:
    """Read the settings at the start, and whenever they change."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.settings = Settings.read(params.initialization_options)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(params: types.DidChangeConfigurationParams) -> None:
        if params.settings is not None:
            server.settings = Settings.read(params.settings)
            refresh(server)


def refresh(server: SpecServer) -> None:
    """Let the editor ask for hints anew, if it can."""
    workspace = server.client_capabilities.workspace
    if workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support:
        server.workspace_inlay_hint_refresh(None)
