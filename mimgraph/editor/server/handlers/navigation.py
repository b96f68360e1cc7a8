"""Answer what stands at a place, where its name is defined and used, and rename it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.uris import from_fs_path

from mimgraph.diagnostics import SpecError
from mimgraph.editor.server.documents import path_of
from mimgraph.editor.server.positions import place, range_of
from mimgraph.language.text_edits import TextEdit
from mimgraph.source import SourceFile, Span

if TYPE_CHECKING:
    from mimgraph.editor.server.documents import Document
    from mimgraph.editor.server.spec_server import SpecServer
    from mimgraph.language.occurrences import Project

REQUEST_FAILED = types.LSPErrorCodes.RequestFailed.value  # the answer says why it is refused


def register(server: SpecServer) -> None:
    """Answer hovers, definitions, references, highlights and renames."""

    @server.of_spec(types.TEXT_DOCUMENT_HOVER)
    def hovered(document: Document, params: types.HoverParams) -> types.Hover | None:
        from mimgraph.editor.features.hover.describe import hover

        line, column = place(document.file, params.position)
        found = hover(document.analysis, document.uses, document.facts, line, column)
        if found is None:
            return None
        content = types.MarkupContent(types.MarkupKind.Markdown, found.text)
        return types.Hover(content, range_of(found.span))

    @server.of_spec(types.TEXT_DOCUMENT_DEFINITION, otherwise=[])
    def definition(document: Document, params: types.DefinitionParams) -> list[types.Location]:
        from mimgraph.editor.features import navigation

        project, path = project_of(server, document)
        spans = navigation.definition(project, path, *place(document.file, params.position))
        return [location(server, span) for span in spans]

    @server.of_spec(types.TEXT_DOCUMENT_REFERENCES, otherwise=[])
    def references(document: Document, params: types.ReferenceParams) -> list[types.Location]:
        from mimgraph.editor.features import navigation

        project, path = project_of(server, document)
        at = place(document.file, params.position)
        is_all = params.context.include_declaration
        found = navigation.references(project, path, *at, with_definition=is_all)
        return [location(server, one.span) for one in found]

    @server.of_spec(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, otherwise=[])
    def highlight(
        document: Document, params: types.DocumentHighlightParams
    ) -> list[types.DocumentHighlight]:
        from mimgraph.editor.features import navigation

        project, path = project_of(server, document)
        member = project.open[path]
        found = navigation.highlights(member, *place(document.file, params.position))
        write, read = types.DocumentHighlightKind.Write, types.DocumentHighlightKind.Read
        return [
            types.DocumentHighlight(range_of(one.span), write if one.defines else read)
            for one in found
        ]

    @server.of_spec(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(
        document: Document, params: types.PrepareRenameParams
    ) -> types.PrepareRenamePlaceholder | None:
        from mimgraph.editor.features import navigation

        project, path = project_of(server, document)
        found = navigation.name_at(project, path, *place(document.file, params.position))
        if found is None:
            return None
        return types.PrepareRenamePlaceholder(range_of(found.span), found.symbol.name)

    @server.of_spec(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def renamed(document: Document, params: types.RenameParams) -> types.WorkspaceEdit | None:
        from mimgraph.editor.features import navigation
        from mimgraph.language.edit.rename import rename

        project, path = project_of(server, document)
        home = navigation.home_at(project, path, *place(document.file, params.position))
        if home is None:
            raise JsonRpcException("there is no name here", REQUEST_FAILED)
        try:
            edits = rename(project, home, params.new_name)
        except SpecError as error:
            raise JsonRpcException(_message(error), REQUEST_FAILED) from None
        return types.WorkspaceEdit(changes=_by_uri(server, edits))


def project_of(server: SpecServer, document: Document) -> tuple[Project, str]:
    """Return the specs around a document, with the texts that the editor holds, and its real path.

    They are those of the workspace; without one, of the folder of the file. A text without a file is
    alone.
    """
    from mimgraph.language.files import naming_parts
    from mimgraph.language.occurrences import Project, project_folder

    path = document.path
    if path is None:
        project = Project(os.devnull)
        project.open[document.uri] = document.names
        return project, document.uri
    real = os.path.realpath(path)
    folders = (path_of(folder.uri) for folder in server.workspace.folders.values())
    project = Project(project_folder(real, filter(None, folders)), listed=naming_parts)
    for one in server.documents.open.values():
        if one.path is not None and one.is_spec:
            project.open[os.path.realpath(one.path)] = one.names
    return project, real


def location(server: SpecServer, span: Span) -> types.Location:
    """Return a span as the protocol has it, under the URI that the editor uses for its file."""
    for uri, document in server.documents.open.items():
        if document.file is span.file:
            return types.Location(uri, range_of(span))
    return types.Location(from_fs_path(span.file.name) or "", range_of(span))


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
