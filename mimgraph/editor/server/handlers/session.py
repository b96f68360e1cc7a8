"""Begin a session: read the settings of the editor, and follow their changes."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from lsprotocol import types

from mimgraph.editor.server.settings import Settings

if TYPE_CHECKING:
    from mimgraph.editor.server.spec_server import SpecServer

WATCHED = "**/*.{yaml,yml,json}"


def register(server: SpecServer) -> None:
    """Read the settings at the start, and whenever they change."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.settings = Settings.read(params.initialization_options)

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        asyncio.get_running_loop().call_soon(prepare)
        watch(server)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(params: types.DidChangeConfigurationParams) -> None:
        if params.settings is not None:
            server.settings = Settings.read(params.settings)
            refresh(server)


def prepare() -> None:
    """Import what reads specs, while the editor does not wait for it."""
    importlib.import_module("mimgraph.editor.analysis")


def watch(server: SpecServer) -> None:
    """Ask the editor to report files that change on disk: they may be parts of open specs."""
    workspace = server.client_capabilities.workspace
    watched = workspace and workspace.did_change_watched_files
    if watched and watched.dynamic_registration:
        options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(WATCHED)])
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        registration = types.Registration("watched files", method, options)
        server.client_register_capability(types.RegistrationParams([registration]))


def refresh(server: SpecServer) -> None:
    """Let the editor ask for hints anew, if it can."""
    workspace = server.client_capabilities.workspace
    if workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support:
        server.workspace_inlay_hint_refresh(None)
