"""Classify the words of a spec by their meaning, for colors: layers, blocks, options, params, sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias, get_args

from mimgraph.editor.analysis import Analysis
from mimgraph.ir.declared_graph import Apply, Call, Node
from mimgraph.language.occurrences import find_occurrences
from mimgraph.source import SourceFile, Span

# names that the protocol knows, so that every theme of an editor has colors for them
TokenType: TypeAlias = Literal[
    "class", "function", "type", "property", "parameter", "typeParameter", "variable", "enumMember"
]
TYPES: tuple[str, ...] = get_args(TokenType)
OF_SYMBOLS: dict[str, TokenType] = {
    "input": "variable",
    "node": "variable",
    "output": "variable",
    "variable": "variable",
    "param": "parameter",
    "size": "typeParameter",
    "block": "type",
    "port": "enumMember",
}
OF_OPS: dict[str, TokenType] = {"layer": "class", "merge": "function", "tensor": "function"}


class Token(NamedTuple):
    """A word on one line, by line and column, with its type and whether it is a declaration."""

    line: int
    column: int
    length: int
    type: TokenType
    declares: bool = False


def tokens(analysis: Analysis) -> list[Token]:
    """Return the tokens of a spec in the order of its text; of two at one place the first."""
    found: dict[tuple[int, int], Token] = {}
    for token in (*_names(analysis), *_of_graph(analysis)):
        found.setdefault(token[:2], token)
    ordered = sorted(found.values())
    kept: list[Token] = []
    for token in ordered:  # tokens may not overlap
        if not kept or (token.line, token.column) >= (
            kept[-1].line,
            kept[-1].column + kept[-1].length,
        ):
            kept.append(token)
    return kept


def _names(analysis: Analysis) -> Iterator[Token]:
    """Yield the names that the spec declares and uses."""
    for one in find_occurrences(analysis.tree).all:
        if not one.implied:
            yield from _token(analysis.file, one.span, OF_SYMBOLS[one.symbol.kind], one.defines)


def _of_graph(analysis: Analysis) -> Iterator[Token]:
    """Yield the ops and options."""
    graph = analysis.declared
    if graph is not None:
        yield from _of_nodes(analysis.file, graph.nodes)
        for block in graph.blocks.values():
            yield from _of_nodes(analysis.file, block.nodes)


def _of_nodes(file: SourceFile, nodes: Iterable[Node]) -> Iterator[Token]:
    for node in nodes:
        applied = node.applied
        operation = node.operation
        keys = (
            [one.key for one in operation.every_option()] if operation and node.has_branches else []
        )
        if isinstance(applied, Apply):
            yield from _token(file, applied.span, OF_OPS.get(applied.kind, "class"))
            if applied.activation is not None:
                yield from _token(file, applied.activation.span, "class")
                keys += (option.key for option in applied.activation.options.values())
        elif isinstance(applied, Call):
            yield from _token(file, applied.span, "type")
        if applied is not None:
            keys += (option.key for option in applied.named.values())
            yield from _of_nodes(file, applied.items)
        for key in keys:
            yield from _token(file, key, "property")
        for source in node.sources or ():
            if source.port is not None and source.port_span != source.span:
                yield from _token(file, source.port_span, "enumMember")


def _token(
    file: SourceFile, span: Span, type_: TokenType, declares: bool = False
) -> Iterator[Token]:
    """Yield the token of a span, if it is in this file, on one line, and not empty."""
    if span.file is file and span.line == span.end_line and span.end_column > span.column:
        length = span.end_column - span.column
        yield Token(span.line, span.column, length, type_, declares)
