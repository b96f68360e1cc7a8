"""Take a node out of a text, or put one between a result and what reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.ir.names import CONSTANTS
from mimgraph.language.edit.entries import without_entry, without_item
from mimgraph.language.edit.find_entry import Found
from mimgraph.language.edit.find_name import SECTIONS, fault
from mimgraph.language.edit.split_names import rewired
from mimgraph.language.scopes import Occurrence, Occurrences, Scopes, Symbol, entries
from mimgraph.language.text_edits import TextEdit
from mimgraph.language.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.source import Span


class Reads(NamedTuple):
    """The sources that read a result, by the spans of their names, and a use of the node that is none."""

    sources: dict[Span, Span]
    other: Occurrence | None = None


def taken_out(occurrences: Occurrences, found: Found) -> Iterator[TextEdit]:
    """Yield the edits that remove an entry. What reads a node reads its one source instead; anything else
    must not be named by others."""
    if isinstance(found.around, Sequence):
        if len(found.around.items) == 1:
            message = f"item {found.position} is the only one of its seq"
            raise fault(message, found.value.span, "remove the whole node", code="missing-key")
        yield without_item(found.around, found.position)
        return
    if not found.section:
        message = f"{found.name} is a section of the spec"
        raise fault(message, found.key.span, "remove its entries by their names")
    if found.section == "nodes":
        yield from _rewired(occurrences, found)
    else:
        _check_unnamed(occurrences, found)
    yield from without_entry(found.around, found.key)


def _rewired(occurrences: Occurrences, found: Found) -> Iterator[TextEdit]:
    name, symbol = found.name, Symbol("node", found.name, found.block)
    reads = reads_of(occurrences, symbol, "")
    if reads.other is not None:
        span, text = reads.other.span, _text_at(reads.other.span)
        message = f"{text} is used, and it would be gone"
        raise fault(message, span, f"replace {name}, or remove what uses it first")
    if not reads.sources:
        return
    sources = [*dict.fromkeys(_sources(found.value))]
    if len(sources) != 1 or sources[0].endswith(".*"):
        message = f"{name} has several sources: {', '.join(sources)}"
        if not sources:
            message = f"{name} has no source that its readers could read in its place"
        raise fault(
            message, found.key.span, "replace it, or remove its readers first", code="wrong-arity"
        )
    yield from rewired(occurrences, reads.sources, sources[0])


def reads_of(occurrences: Occurrences, symbol: Symbol, port: str) -> Reads:
    """Return the sources that read a result of an input or node, which is its default one if `port` is ""."""
    found: dict[Span, Span] = {}
    other: Occurrence | None = None
    shares = _shares(occurrences.scopes, symbol)
    for one in occurrences.of(symbol):
        if one.defines:
            continue
        text = _text_at(one.span)
        is_share = one.span[1:3] in shares
        if text == (f"{symbol.name}.{port}" if port else symbol.name) and not is_share:
            found[one.span] = one.span.part(0, len(text))
        elif other is None:
            other = one
    return Reads(found, other)


def _text_at(span: Span) -> str:
    """Return the name at a span, with the port behind it."""
    line = span.file.line(span.line)
    end = span.end_column - 1
    while line[end : end + 1] and (line[end].isalnum() or line[end] in "._*"):
        end += 1
    return line[span.column - 1 : end]


def _shares(scopes: Scopes, symbol: Symbol) -> set[tuple[int, int]]:
    """Return where a `share` names this node, in its own scope or in a block."""
    found: set[tuple[int, int]] = set()
    for scope in scopes.by_block.values():
        for node in scope.nodes.values():
            share = node.get("share") if isinstance(node, Mapping) else None
            if not isinstance(share, Scalar) or share.text.partition(".")[0] != symbol.name:
                continue
            targets = {(target.block, name) for target, name in scopes.shared(scope, symbol.name)}
            if (symbol.block, symbol.name) in targets:
                found.add((share.part(0, 1).line, share.part(0, 1).column))
    return found


def _sources(node: Tree) -> Iterator[str]:
    """Yield the sources of a node as they are written."""
    for key, value in entries(node):
        is_source = key.text in ("from", "each", "carry") or (
            key.text == "like" and any(node.get(word) for word in (*CONSTANTS, "layer"))  # type: ignore[union-attr]
        )
        is_source |= key.text == "arange" and isinstance(value, Scalar) and value.name is not None
        is_source |= key.text == "over" and node.get("scan") is not None  # type: ignore[union-attr]
        if not is_source:
            continue
        if isinstance(value, Mapping):
            named = [one for one, _ in value.entries] if key.text == "over" else []
            items: list[Tree] = named or [one for _, one in value.entries]  # type: ignore[assignment]
        else:
            items = [*value.items] if isinstance(value, Sequence) else [value]
        yield from (one.text for one in items if isinstance(one, Scalar) and one.name is not None)


def _check_unnamed(occurrences: Occurrences, found: Found) -> None:
    """Raise an error for an input, param or block that something names."""
    kind = SECTIONS.get(found.section)
    if kind is None:  # a limit, which nothing names
        return
    block = "" if kind == "block" else found.block
    for one in occurrences.of(Symbol(kind, found.name, block)):
        if not one.defines and not one.implied:
            message = f"{found.name} is used, and it would be gone"
            raise fault(message, one.span, "remove what uses it first")
