"""Answer what may stand at the cursor, and describe one proposal when it is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from mimgraph.editor.server.positions import place, range_of

if TYPE_CHECKING:
    from mimgraph.editor.features.completion.complete import Completion
    from mimgraph.editor.features.completion.proposal import Proposal
    from mimgraph.editor.server.spec_server import SpecServer

KINDS = {
    "key": types.CompletionItemKind.Property,
    "layer": types.CompletionItemKind.Class,
    "merge": types.CompletionItemKind.Function,
    "option": types.CompletionItemKind.Field,
    "value": types.CompletionItemKind.EnumMember,
    "source": types.CompletionItemKind.Variable,
    "port": types.CompletionItemKind.Field,
    "param": types.CompletionItemKind.Constant,
    "size": types.CompletionItemKind.TypeParameter,
    "block": types.CompletionItemKind.Module,
    "path": types.CompletionItemKind.File,
}
TRIGGERS = [":", " ", "{", "[", ".", "$", ",", "-"]


def register(server: SpecServer) -> None:
    """Answer `textDocument/completion` and `completionItem/resolve`."""
    options = types.CompletionOptions(trigger_characters=TRIGGERS, resolve_provider=True)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, options)
    def completed(params: types.CompletionParams) -> types.CompletionList:
        document = server.documents.begun(params.text_document.uri)
        if document is None:
            return types.CompletionList(False, [])
        from mimgraph.editor.features.completion.complete import complete

        at = place(document.file, params.position)
        found = complete(document.analysis, document.uses, document.place, *at)
        if found is None:
            return types.CompletionList(False, [])
        snippets = _takes_snippets(server)
        items = [_item(found, one, at, snippets) for at, one in enumerate(found.proposals)]
        return types.CompletionList(False, items)

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def resolved(item: types.CompletionItem) -> types.CompletionItem:
        from mimgraph.editor.features.completion.proposal import documentation

        if isinstance(item.data, str) and (text := documentation(item.data, item.label)):
            item.documentation = types.MarkupContent(types.MarkupKind.Markdown, text)
        return item


def _takes_snippets(server: SpecServer) -> bool:
    """Return whether the editor knows snippets, in which a value can be typed over."""
    text = server.client_capabilities.text_document
    item = text and text.completion and text.completion.completion_item
    return bool(item and item.snippet_support)


def _item(found: Completion, proposal: Proposal, at: int, snippets: bool) -> types.CompletionItem:
    """Return a proposal as the protocol has it."""
    text = proposal.label
    is_key = proposal.kind in ("key", "option") and not found.has_colon and not found.is_quoted
    is_snippet = bool(is_key and snippets and proposal.value)
    if is_key:
        text = f"{text}: "
    if is_snippet:
        value = (proposal.value or "").replace("\\", "\\\\").replace("$", "\\$").replace("}", "\\}")
        text = f"{text}${{1:{value}}}"
    formats = types.InsertTextFormat
    return types.CompletionItem(
        proposal.label,
        kind=KINDS[proposal.kind],
        detail=proposal.detail or None,
        sort_text=f"{at:04}",
        filter_text=proposal.label,
        insert_text_format=formats.Snippet if is_snippet else formats.PlainText,
        text_edit=types.TextEdit(range_of(found.span), text),
        data=proposal.about or None,
    )
