"""Show what a spec costs above its text, and write its picture and its source when the user asks."""

from __future__ import annotations

import asyncio
import atexit
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.uris import from_fs_path

from mimgraph.editor.server.handlers import python_files
from mimgraph.editor.server.handlers.navigation import REQUEST_FAILED
from mimgraph.editor.server.positions import range_of

if TYPE_CHECKING:
    from mimgraph.editor.analysis import Analysis
    from mimgraph.editor.server.spec_server import SpecServer

DRAW, EMIT = "mimgraph.draw", "mimgraph.emit"


def register(server: SpecServer) -> None:
    """Answer `codeLens` and the commands of the lenses."""

    @cache
    def folder() -> str:
        """Return the folder for all that is made; it is removed when the server ends."""
        made = tempfile.TemporaryDirectory(prefix="mimgraph-", ignore_cleanup_errors=True)
        atexit.register(made.cleanup)
        return made.name

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def lenses(params: types.CodeLensParams) -> list[types.CodeLens] | None:
        uri = params.text_document.uri
        if (file := server.python_files.get(uri)) is not None:
            return python_files.lenses(file)
        document = server.documents.spec(uri)
        if document is None:
            return None
        from mimgraph.editor.features.lenses import lenses

        commands = {"": "", "draw": DRAW, "emit": EMIT}
        return [
            types.CodeLens(
                range_of(one.span),
                types.Command(
                    one.text, commands[one.command], arguments=[uri] if one.command else None
                ),
            )
            for one in lenses(document.analysis, document.uses, document.facts)
        ]

    @server.command(DRAW)
    async def draw(uri: str) -> dict[str, str]:
        path = await written(server, uri, folder(), ".svg", drawn)
        return await shown(server, path, is_picture=True)

    @server.command(EMIT)
    async def emit(uri: str) -> dict[str, str]:
        path = await written(server, uri, folder(), ".py", emitted)
        return await shown(server, path, is_picture=False)


async def written(
    server: SpecServer, uri: str, folder: str, suffix: str, write: Callable[[Analysis, Path], None]
) -> Path:
    """Write a file that is made of an open spec, and return its path."""
    document = server.documents.spec(uri)
    if document is None:
        raise JsonRpcException("open the spec first", REQUEST_FAILED)
    analysis = document.analysis
    name = analysis.declared.name if analysis.declared else ""
    name = name if name.isidentifier() else "Model"  # of a wrong spec it may be any text
    path = Path(tempfile.mkdtemp(dir=folder), f"{name}{suffix}")
    await asyncio.to_thread(write, analysis, path)
    return path


async def shown(server: SpecServer, path: Path, is_picture: bool) -> dict[str, str]:
    """Let the editor show a file, a picture in another program, and return its URI."""
    uri = from_fs_path(os.fspath(path)) or ""
    if server.can_show_documents:
        params = types.ShowDocumentParams(uri, external=is_picture, take_focus=True)
        await server.window_show_document_async(params)
    return {"uri": uri}


def drawn(analysis: Analysis, path: Path) -> None:
    """Write the picture of a spec, of a wrong one that of its known part with the faults in red."""
    from mimgraph.graph import Graph
    from mimgraph.language.spec_file import LoadedSpec
    from mimgraph.picture.faulty.sketch import FaultySketch, WrongGraph

    declared = analysis.declared
    if declared is not None and analysis.typed is not None:
        Graph._of(LoadedSpec, declared, analysis.typed).draw(path)
    elif declared is not None:
        FaultySketch(lambda: WrongGraph(declared)).draw(analysis.diagnostics, path)
    else:
        raise JsonRpcException("nothing of the spec can be read", REQUEST_FAILED)


def emitted(analysis: Analysis, path: Path) -> None:
    """Write the source of a spec."""
    from mimgraph.emit.emit import emit
    from mimgraph.support.files import write_whole

    if analysis.typed is None:
        raise JsonRpcException("the spec has errors", REQUEST_FAILED)
    write_whole(path, emit(analysis.typed).text)
