"""Offer the fixes of diagnostics, one by one or all that are sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from mimgraph.editor.server.positions import range_of, span_of
from mimgraph.editor.server.published import shown
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.diagnostics import Diagnostic
    from mimgraph.editor.server.documents import Document
    from mimgraph.editor.server.spec_server import SpecServer
    from mimgraph.language.text_edits import Fix

FIX = types.CodeActionKind.QuickFix
FIX_ALL = types.CodeActionKind.SourceFixAll
MOST = 8  # diagnostics in one range whose fixes are looked for


def register(server: SpecServer) -> None:
    """Answer which code actions there are in a range."""
    options = types.CodeActionOptions(code_action_kinds=[FIX, FIX_ALL])

    @server.of_spec(types.TEXT_DOCUMENT_CODE_ACTION, options, otherwise=[])
    def code_action(document: Document, params: types.CodeActionParams) -> list[types.CodeAction]:
        wanted = params.context.only or [FIX]
        found: list[types.CodeAction] = []
        if any(FIX.value.startswith(kind) for kind in wanted):
            found += _quick_fixes(document, span_of(document.file, params.range))
        if params.context.only and any(FIX_ALL.value.startswith(kind) for kind in wanted):
            found += _all_fixes(document)
        return found


def _quick_fixes(document: Document, span: Span) -> list[types.CodeAction]:
    """Return the fixes of the diagnostics in a range."""
    from mimgraph.language.fixes import fixes  # the server answers before it imports this

    here = [
        one
        for one in document.analysis.diagnostics
        if one.span.file is document.file and _meet(one.span, span)
    ][:MOST]
    return [
        _action(document, one, fix, is_first=not at)
        for one, proposed in zip(here, fixes(document.file, here, document.place), strict=True)
        for at, fix in enumerate(proposed)
    ]


def _all_fixes(document: Document) -> list[types.CodeAction]:
    """Return the action that spells anew all that has such a fix; nothing is inserted or removed."""
    from mimgraph.language.fixes import fixed  # the server answers before it imports this

    file = document.file
    here = [one for one in document.analysis.diagnostics if one.span.file is file]
    text = fixed(file, here, document.place)
    if text == file.text:
        return []
    whole = Span(file, 1, 1, len(file.lines), len(file.lines[-1]) + 1)
    edit = types.WorkspaceEdit({document.uri: [types.TextEdit(range_of(whole), text)]})
    return [types.CodeAction("Fix all that has a sure fix", kind=FIX_ALL, edit=edit)]


def _meet(one: Span, other: Span) -> bool:
    return one[1:3] <= other[3:5] and other[1:3] <= one[3:5]


def _action(
    document: Document, diagnostic: Diagnostic, fix: Fix, is_first: bool
) -> types.CodeAction:
    """Return a fix as the protocol has it; the first one is preferred."""
    edits = [types.TextEdit(range_of(span), text) for span, text in fix.edits]
    return types.CodeAction(
        fix.title,
        kind=FIX,
        diagnostics=[shown(document, diagnostic)],
        is_preferred=is_first,
        edit=types.WorkspaceEdit({document.uri: edits}),
    )
