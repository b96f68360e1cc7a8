"""Answer where the name under the cursor is defined and used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import from_fs_path

from mimgraph.editor.server.documents import path_of
from mimgraph.editor.server.positions import place, range_of
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.editor.server.documents import Document
    from mimgraph.editor.server.spec_server import SpecServer
    from mimgraph.language.occurrences.project import Project


def register(server: SpecServer) -> None:
    """Answer definitions, references and highlights."""

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> list[types.Location]:
        document = server.documents.spec(params.text_document.uri)
        if document is None:
            return []
        from mimgraph.editor.features import navigation

        project, path = project_of(server, document)
        spans = navigation.definition(project, path, *place(document.file, params.position))
        return [location(server, span) for span in spans]

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        document = server.documents.spec(params.text_document.uri)
        if document is None:
            return []
        from mimgraph.editor.features import navigation

        project, path = project_of(server, document)
        at = place(document.file, params.position)
        is_all = params.context.include_declaration
        found = navigation.references(project, path, *at, with_definition=is_all)
        return [location(server, one.span) for one in found]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        document = server.documents.spec(params.text_document.uri)
        if document is None:
            return []
        from mimgraph.editor.features import navigation

        project, path = project_of(server, document)
        member = project.open[path]
        found = navigation.highlights(member, *place(document.file, params.position))
        write, read = types.DocumentHighlightKind.Write, types.DocumentHighlightKind.Read
        return [
            types.DocumentHighlight(range_of(one.span), write if one.defines else read)
            for one in found
        ]


def project_of(server: SpecServer, document: Document) -> tuple[Project, str]:
    """Return the specs around a document, with the texts that the editor holds, and its real path.

    They are those of the workspace; without one, of the folder of the file. A text without a file is
    alone.
    """
    from mimgraph.language.find_specs import naming_parts
    from mimgraph.language.occurrences.project import Project, project_folder

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
