"""Rename the name under the cursor at all its places, in all files that name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from mimgraph.diagnostics import SpecError
from mimgraph.editor.server.handlers.navigation import location, project_of
from mimgraph.editor.server.positions import place, range_of
from mimgraph.editor.server.refusals import REQUEST_FAILED
from mimgraph.language.text_edits import TextEdit
from mimgraph.source import SourceFile

if TYPE_CHECKING:
    from mimgraph.editor.server.spec_server import SpecServer


def register(server: SpecServer) -> None:
    """Answer `textDocument/prepareRename` and `textDocument/rename`."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
        document = server.documents.spec(params.text_document.uri)
        if document is None:
            return None
        from mimgraph.editor.features.navigation import name_at

        project, path = project_of(server, document)
        found = name_at(project, path, *place(document.file, params.position))
        if found is None:
            return None
        return types.PrepareRenamePlaceholder(range_of(found.span), found.symbol.name)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def renamed(params: types.RenameParams) -> types.WorkspaceEdit | None:
        document = server.documents.spec(params.text_document.uri)
        if document is None:
            return None
        from mimgraph.editor.features.navigation import home_at
        from mimgraph.language.edit.rename import rename

        project, path = project_of(server, document)
        home = home_at(project, path, *place(document.file, params.position))
        if home is None:
            raise JsonRpcException("there is no name here", REQUEST_FAILED)
        try:
            edits = rename(project, home, params.new_name)
        except SpecError as error:
            raise JsonRpcException(_message(error), REQUEST_FAILED) from None
        return types.WorkspaceEdit(changes=_by_uri(server, edits))


def _message(error: SpecError) -> str:
    """Return an error on one line, with its place: `y is a node already (line 6)`."""
    fault = error.diagnostics[0]
    help = f": {fault.help}" if fault.help else ""
    return f"{fault.message} (line {fault.span.line}){help}"


def _by_uri(server: SpecServer, edits: list[TextEdit]) -> dict[str, list[types.TextEdit]]:
    """Return the edits of each file under the URI by which the editor knows it."""
    uris: dict[SourceFile, str] = {}
    found: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        file = edit.span.file
        uri = uris.setdefault(file, location(server, edit.span).uri)
        found.setdefault(uri, []).append(types.TextEdit(range_of(edit.span), edit.text))
    return found
