"""Answer requests for the symbols, folds and colors of a document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lsprotocol import types

from mimgraph.editor.server.positions import place, position, range_of

if TYPE_CHECKING:
    from mimgraph.editor.features.outline import Symbol
    from mimgraph.editor.features.tokens import Token
    from mimgraph.editor.server.documents import Document
    from mimgraph.editor.server.spec_server import SpecServer

KINDS = {
    "section": types.SymbolKind.Namespace,
    "param": types.SymbolKind.Constant,
    "input": types.SymbolKind.Variable,
    "part": types.SymbolKind.Module,
    "block": types.SymbolKind.Class,
    "node": types.SymbolKind.Function,
    "item": types.SymbolKind.Object,
    "output": types.SymbolKind.Field,
}
# those of `features.tokens`, which is imported when a document is open; a test compares them
TOKEN_TYPES = (
    "class", "function", "type", "property", "parameter", "typeParameter", "variable", "enumMember",
)  # fmt: skip
LEGEND = types.SemanticTokensLegend(list(TOKEN_TYPES), ["declaration"])


def register(server: SpecServer) -> None:
    """Answer `documentSymbol`, `foldingRange` and `semanticTokens`."""

    @server.of_spec(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(
        document: Document, params: types.DocumentSymbolParams
    ) -> list[types.DocumentSymbol]:
        from mimgraph.editor.features.outline import symbols

        return [shown(one) for one in symbols(document.analysis, document.uses)]

    @server.of_spec(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def folds(document: Document, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        from mimgraph.editor.features.outline import folds

        comment = types.FoldingRangeKind.Comment
        return [
            types.FoldingRange(
                one.first - 1, one.last - 1, kind=comment if one.is_comment else None
            )
            for one in folds(document.analysis)
        ]

    @server.of_spec(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    def all_tokens(document: Document, params: types.SemanticTokensParams) -> types.SemanticTokens:
        return types.SemanticTokens(encoded(document, document.tokens))

    @server.of_spec(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, LEGEND)
    def some_tokens(
        document: Document, params: types.SemanticTokensRangeParams
    ) -> types.SemanticTokens:
        start, end = (place(document.file, at) for at in (params.range.start, params.range.end))
        found = (one for one in document.tokens if start <= one[:2] <= end)
        return types.SemanticTokens(encoded(document, found))


def shown(symbol: Symbol) -> types.DocumentSymbol:
    """Return a symbol as the protocol has it."""
    return types.DocumentSymbol(
        symbol.name,
        KINDS[symbol.kind],
        range_of(symbol.whole),
        range_of(symbol.span),
        detail=symbol.detail or None,
        children=[shown(one) for one in symbol.inside],
    )


def encoded(document: Document, tokens: Iterable[Token]) -> list[int]:
    """Return tokens as the protocol packs them: five numbers each, places relative to the one before."""
    found: list[int] = []
    file = document.file
    last_line = last_start = 0
    for token in tokens:
        start = position(file, token.line, token.column)
        end = position(file, token.line, token.column + token.length)
        line = start.line - last_line
        found += (
            line,
            start.character - (0 if line else last_start),
            end.character - start.character,
            TOKEN_TYPES.index(token.type),
            int(token.declares),
        )
        last_line, last_start = start.line, start.character
    return found
