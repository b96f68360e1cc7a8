"""Read a text that is no YAML by its entries: close open brackets, and leave out other faulty text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from mimgraph.declare.tree import NOT_PRINTABLE, Mapping, Scalar, Tree
from mimgraph.declare.tree import Sequence as SequenceTree
from mimgraph.diagnostics import Diagnostic
from mimgraph.editor.document.outline import (
    KEY,
    Chunk,
    chunks,
    indent_of,
    is_content,
    outline,
    text_of,
)
from mimgraph.language.tree_builder import AddDiagnostic
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile, Span

MOST_TRIES = 6
MOST_LEVELS = 16
CLOSING = {"{": "}", "[": "]"}
BEFORE_VALUE = ",[{:-?"  # behind them, or nothing, a value begins
QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)

Pair: TypeAlias = tuple[Scalar, Tree]
Collection: TypeAlias = Mapping | SequenceTree


def read_text(file: SourceFile, report: AddDiagnostic) -> tuple[Tree, bool]:
    """Return the tree of a text that may be half written, and whether all of it can be read; its faults go
    to `report`."""
    tree = compose(file, report)
    if tree is not None:
        return tree, True
    return _repaired_whole(file) or _repaired_entries(file), False


def _repaired_whole(file: SourceFile) -> Mapping | None:
    """Return the tree of a text that is one mapping in brackets; None if it is none."""
    text = "\n".join(file.lines)
    inner = _mended(file, Chunk(0, 0, text), ()) if text.lstrip().startswith("{") else None
    tree = None if inner is None else _within_text(inner)
    return tree if isinstance(tree, Mapping) else None


def _repaired_entries(file: SourceFile) -> Mapping:
    """Return the tree of a text whose entries are read one by one, and repaired if they must be."""
    pairs: list[Pair] = []
    for section in outline(file.lines):
        headers = [f"{section.key}:"] if section.is_split else []
        reads = _read_entries(file, section.entries, headers)
        found = [
            pair or _repaired(file, chunk, headers)
            for chunk, pair in zip(section.entries, reads, strict=True)
        ]
        entries = [pair for pair in found if pair is not None]
        if not section.is_split:
            pairs += entries
            continue
        line = section.header + 1
        span = Span(file, line, 1, line, 1 + len(section.key))
        key = Scalar(section.key, span, section.key, plain=True)
        pairs.append((key, _mapping_of(entries, span)))
    return _mapping_of(pairs, file.start)


def _repaired(file: SourceFile, chunk: Chunk, headers: Sequence[str]) -> Pair | None:
    """Return the entry of a chunk that cannot be read, with what can be read of it; None if nothing can."""
    pair = _read_inside(file, chunk, headers)
    if pair is not None:
        return pair
    inner = _mended(file, chunk, headers)
    if not isinstance(inner, Mapping) or not inner.entries:
        return None
    key, value = inner.entries[0]
    return key, _within_text(value)


def _read_inside(file: SourceFile, chunk: Chunk, headers: Sequence[str]) -> Pair | None:
    """Return an entry whose value follows in lines of its own, each of these read alone; None if it is
    no such entry."""
    lines = chunk.text.split("\n")
    match = KEY.match(lines[0], chunk.indent)
    if match is None or is_content(lines[0][match.end() :]) or len(headers) >= MOST_LEVELS:
        return None
    first = next((at for at, line in enumerate(lines) if at and is_content(line)), None)
    if first is None:
        return None
    indent, header = indent_of(lines[first]), lines[0][: match.end()]
    is_list = lines[first].startswith("-", indent)
    if indent < chunk.indent + (not is_list):
        return None
    key = _read_entry(file, chunk._replace(text=header), headers)
    if key is None:
        return None
    parts = _items(lines, first, indent) if is_list else chunks(lines, first, len(lines), indent)
    around = (*headers, header)
    inside = [part._replace(first=chunk.first + part.first) for part in parts]
    if is_list:
        items = [item for one in inside if (item := _item(file, one, around)) is not None]
        span = items[0].span.to(items[-1].span) if items else key[0].span
        value: Tree = SequenceTree(tuple(items), span)
    else:
        entries = [pair for one in inside if (pair := _entry(file, one, around)) is not None]
        value = _mapping_of(entries, key[0].span)
    return key[0], value


def _mapping_of(pairs: Sequence[Pair], before: Span) -> Mapping:
    """Return entries as a mapping, of two with one key the first; an empty one stands behind `before`."""
    kept: dict[str, Pair] = {}
    for key, value in pairs:
        if isinstance(key.value, str):
            kept.setdefault(key.value, (key, value))
    found = tuple(kept.values())
    if found:
        return Mapping(found, found[0][0].span.to(found[-1][1].span))
    return Mapping((), before.end)


def _items(lines: Sequence[str], first: int, indent: int) -> list[Chunk]:
    """Return the items of a list, each from its dash to the line before the next."""
    starts = [
        at
        for at in range(first, len(lines))
        if lines[at].startswith("-", indent) and not lines[at][:indent].strip(" ")
    ]
    return [
        Chunk(start, indent, text_of(lines, start, end))
        for start, end in pairwise([*starts, len(lines)])
    ]


def _entry(file: SourceFile, chunk: Chunk, headers: Sequence[str]) -> Pair | None:
    """Return an entry inside another one, repaired if it must be."""
    return _read_entry(file, chunk, headers) or _repaired(file, chunk, headers)


def _item(file: SourceFile, chunk: Chunk, headers: Sequence[str]) -> Tree | None:
    """Return an item of a list, repaired if it must be."""
    inner = _composed(file, chunk.text, chunk.first, headers)[0]
    if inner is None:
        inner = _mended(file, chunk, headers)
    if not isinstance(inner, SequenceTree) or not inner.items:
        return None
    return _within_text(inner.items[0])


def _within_text(tree: Tree) -> Tree:
    """Return a tree whose spans end where their lines end at the latest."""

    def cut(span: Span) -> Span:
        file, line, column, end_line, end_column = span
        column = min(column, len(file.line(line)) + 1)
        return Span(file, line, column, end_line, min(end_column, len(file.line(end_line)) + 1))

    span = cut(tree.span)
    if isinstance(tree, Scalar):
        return tree._replace(span=span)
    if isinstance(tree, SequenceTree):
        return SequenceTree(tuple(map(_within_text, tree.items)), span)
    entries = [(key._replace(span=cut(key.span)), _within_text(one)) for key, one in tree.entries]
    return Mapping(tuple(entries), span, tree.lost)


def _mended(file: SourceFile, chunk: Chunk, headers: Sequence[str]) -> Collection | None:
    """Return what a chunk says once its text is mended.

    Characters are replaced, cut off or added at the end, so that the others keep their places.
    """
    text = re.sub(NOT_PRINTABLE, "?", chunk.text).replace("\t", " ")
    for _ in range(MOST_TRIES):
        inner, faults = _composed(file, closed(text), chunk.first, headers)
        if inner is not None and (not isinstance(inner, Mapping) or inner.entries):
            return inner
        fault = next((one for one in faults if one.code == "yaml-syntax"), None)
        shorter = _with_colon(text) if fault is None else _without_fault(text, chunk.first, fault)
        if shorter == text:
            return None
        text = shorter
    return None


def _with_colon(text: str) -> str:
    """Return the text of a lone word as that of a key."""
    line, newline, rest = text.partition("\n")
    return text if ":" in line else f"{line.rstrip()}:{newline}{rest}"


def _without_fault(text: str, first: int, fault: Diagnostic) -> str:
    """Return a text without the character at which it cannot be read, or without all behind it."""
    lines = text.split("\n")
    line, column = fault.span.line - 1 - first, fault.span.column - 1
    if not 0 <= line < len(lines):
        return text
    at = sum(len(one) + 1 for one in lines[:line]) + column
    if "begin with" in fault.message:  # a character such as @, or one before a name
        return f"{text[:at]}_{text[at + 1 :]}"
    return text[:at] if text[at:].strip() else _with_colon(text)


def closed(text: str) -> str:
    """Return a text with every bracket that it opens closed, where its last line with content ends; a
    quote that is not closed becomes a blank."""
    while (found := _scanned(text)).quote is not None:
        text = f"{text[: found.quote]} {text[found.quote + 1 :]}"
    ends = "".join(CLOSING[bracket] for bracket in reversed(found.open))
    return f"{text[: found.end]} {ends}{text[found.end :]}" if ends else text


class _Scanned(NamedTuple):
    """The brackets that a text leaves open, the offset of an open quote, and the end of its content."""

    open: list[str]
    quote: int | None
    end: int


def _scanned(text: str) -> _Scanned:
    """Return what a text leaves open."""
    opened: list[str] = []
    before, end, at = "", 0, 0  # the last character that is not blank; its end; where we are
    while at < len(text):
        character = text[at]
        if character in "\"'" and before in BEFORE_VALUE:
            match = QUOTED.match(text, at)
            if match is None:
                return _Scanned(opened, at, end)
            at = end = match.end()
            before = character
            continue
        if character == "#" and text[at - 1 : at] in ("", " ", "\n"):
            newline = text.find("\n", at)
            at = len(text) if newline < 0 else newline
            continue
        if character in CLOSING and (opened or before in BEFORE_VALUE):
            opened.append(character)
        elif opened and character == CLOSING[opened[-1]]:
            opened.pop()
        at += 1
        if character == "\n" and not opened:
            before = ""
        elif not character.isspace():
            before, end = character, at
    return _Scanned(opened, None, end)


# --- one entry alone ------------------------------------------------------------------------------


def _composed(
    file: SourceFile, text: str, first: int, headers: Sequence[str]
) -> tuple[Collection | None, list[Diagnostic]]:
    """Return the innermost collection below the headers of a text that begins at the line with the index
    `first`, None if there is none, and the faults of the text.

    `headers` are the lines of the keys around it, so that it is read as in its place.
    """
    faults: list[Diagnostic] = []

    def add(fault: Diagnostic, *mentioned: Any) -> None:
        faults.append(fault)

    above = "\n".join(headers) + "\n" if headers else ""
    tree = compose(file, add, above + "\n" * (first - len(headers)) + text)
    for _ in headers:
        tree = _sole(tree)
    return None if isinstance(tree, Scalar) else tree, faults


def _sole(tree: Tree | None) -> Tree | None:
    """Return the value of the only entry of a mapping, or the only item of a list."""
    if isinstance(tree, Mapping) and len(tree.entries) == 1:
        return tree.entries[0][1]
    return tree.items[0] if isinstance(tree, SequenceTree) and len(tree.items) == 1 else None


def _read_entry(file: SourceFile, chunk: Chunk, headers: Sequence[str]) -> Pair | None:
    """Return the entry of a chunk; None if it cannot be read alone."""
    inner = _composed(file, chunk.text, chunk.first, headers)[0]
    if not isinstance(inner, Mapping) or len(inner.entries) != 1:
        return None
    return inner.entries[0]


def _read_entries(
    file: SourceFile, chunks: Sequence[Chunk], headers: Sequence[str]
) -> list[Pair | None]:
    """Return the entries of chunks that follow each other, faster than one by one."""
    if len(chunks) == 1:
        return [_read_entry(file, chunks[0], headers)]
    text = "".join([chunk.text for chunk in chunks])
    inner, faults = _composed(file, text, chunks[0].first, headers)
    found = inner.entries if isinstance(inner, Mapping) and not faults else ()
    if len(found) == len(chunks) and all(map(_begins, found, chunks)):
        return [*found]
    half = len(chunks) // 2
    return [
        *_read_entries(file, chunks[:half], headers),
        *_read_entries(file, chunks[half:], headers),
    ]


def _begins(pair: Pair, chunk: Chunk) -> bool:
    """Return whether an entry begins where a chunk does."""
    return pair[0].span[1:3] == (chunk.first + 1, chunk.indent + 1)
