"""Clients of the official SDK, which talk to a server in this process or in one of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import ROOT, needed

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

mcp, stdio = needed("mcp"), needed("mcp.client.stdio")


def client_of(folder: Path, **options: Any) -> Client:
    """Return a client of a server in this process."""
    from mimgraph.editor.mcp.folder import Folder
    from mimgraph.editor.mcp.server import make_server

    return mcp.Client(make_server(Folder(str(folder.resolve())), **options))


def client_of_process(*words: str, folder: Path | None = None) -> Client:
    """Return a client of `mimgraph mcp`; Python looks for no module in the folder if `words` say so."""
    command = ["-m", "mimgraph", "mcp"]
    if words[0] == "-P":
        command, words = ["-P", *command], words[1:]
    server = stdio.StdioServerParameters(
        command=sys.executable, args=[*command, *words], env={"PYTHONPATH": str(ROOT)}, cwd=folder
    )
    return mcp.Client(server)


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert content.type == "text"
    return str(content.text)


def data(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error and result.structured_content is not None
    return result.structured_content
