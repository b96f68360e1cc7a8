"""Insert, replace and remove entries of mappings and items of lists in a text, in the style around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from mimgraph.language.text_edits import TextEdit
from mimgraph.language.tree import BLANKS, Mapping, Scalar, Sequence, Tree
from mimgraph.language.yaml_reader import is_json
from mimgraph.language.yaml_text import Rows, Tall, entry_lines, flow
from mimgraph.source import SourceFile, Span

_COMMA = re.compile(r"[ \t]*,[ \t]*")
_LAST_COMMA = re.compile(r",\s*\Z")


def is_flow(tree: Tree) -> bool:
    """Return whether a mapping or list is written in brackets."""
    return tree.span.file.line(tree.span.line)[tree.span.column - 1 :][:1] in ("{", "[")


def with_entry(
    mapping: Mapping, key: str, value: Any, after: Scalar | None = None, first: bool = False
) -> Iterator[TextEdit]:
    """Yield the edits that give a mapping another entry: after one of its keys, as the first, or as the
    last."""
    entries = mapping.entries
    if not entries:
        yield TextEdit(mapping.span, f"{{{_flow_entry(mapping.span.file, key, value)}}}")
        return
    before = entries[-1] if after is None else next(one for one in entries if one[0] is after)
    if is_flow(mapping):
        new = _flow_entry(mapping.span.file, key, value)
        between = _between(mapping)
        if first:
            yield TextEdit(entries[0][0].span.start, f"{new},{between}")
        elif between == " ":
            yield TextEdit(before[1].span.end, f", {new}")
        else:
            yield from _on_next_line(before[1].span, f"{between}{new}")
        return
    indent = " " * (entries[0][0].span.column - 1)
    styled = _styled(value, before[1])
    lines = entry_lines(key, styled, indent)
    if first:
        top = entries[0][0].span
        text = "".join(f"{line}{_newline(top.file)}" for line in lines)
        yield TextEdit(top.start, f"{text[len(indent) :]}{indent}")
    else:
        end = _own_end(before[0].span.to(before[1].span), len(indent))
        yield TextEdit(end, _below(end.file, lines))


def with_value(key: Scalar, old: Tree, value: Any, in_block: bool) -> Iterator[TextEdit]:
    """Yield the edits that put another value behind a key; `in_block` says that the mapping around has no
    brackets."""
    file = key.span.file
    if not in_block or _is_inline(value, key):
        span = _value_span(key, old)
        is_behind = file.line(span.line)[span.column - 2 : span.column - 1] == ":"
        yield TextEdit(span, f"{' ' * is_behind}{_inline(file, value)}")
        return
    indent = " " * (key.span.column - 1)
    lines = entry_lines(key.text, _styled(value, old), indent)
    text = _newline(file).join(lines)[len(indent) :]
    yield TextEdit(key.span.to(old.span), text)


def without_entry(mapping: Mapping, key: Scalar) -> Iterator[TextEdit]:
    """Yield the edits that remove an entry; a mapping in which it is the only one becomes `{}`."""
    entries = mapping.entries
    index = next(n for n, one in enumerate(entries) if one[0] is key)
    whole = key.span.to(entries[index][1].span)
    if len(entries) == 1:
        yield TextEdit(mapping.span, "{}")
    elif is_flow(mapping):
        yield _without_flow(whole, index == len(entries) - 1)
    else:
        yield TextEdit(_lines(whole.to(_own_end(whole, key.span.column - 1))), "")


def with_item(sequence: Sequence, index: int, value: Any) -> Iterator[TextEdit]:
    """Yield the edits that insert an item into a list."""
    items = sequence.items
    file = sequence.span.file
    if not items:
        yield TextEdit(sequence.span, f"[{_inline(file, value)}]")
    elif is_flow(sequence):
        if index < len(items):
            yield TextEdit(items[index].span.start, f"{_inline(file, value)}, ")
        else:
            yield TextEdit(items[-1].span.end, f", {_inline(file, value)}")
    else:
        indent = " " * (sequence.span.column - 1)
        lines = [f"{indent}- {_row(value)}"]
        if index:
            yield TextEdit(_line_end(items[index - 1].span), _below(file, lines))
        else:
            yield TextEdit(sequence.span.start, f"{lines[0].lstrip()}{_newline(file)}{indent}")


def with_item_value(sequence: Sequence, index: int, value: Any) -> TextEdit:
    """Return the edit that replaces an item of a list."""
    item = sequence.items[index]
    file = item.span.file
    return TextEdit(item.span, _inline(file, value) if is_flow(sequence) else _row(value))


def without_item(sequence: Sequence, index: int) -> TextEdit:
    """Return the edit that removes an item of a list, which has others."""
    span = sequence.items[index].span
    if is_flow(sequence):
        return _without_flow(span, index == len(sequence.items) - 1)
    return TextEdit(_lines(span), "")


# --- how values are written -----------------------------------------------------------------------


def _inline(file: SourceFile, value: Any) -> str:
    """Return a value on one line, in a JSON file as JSON."""
    return json.dumps(value) if _is_json(file) else flow(value)


def _flow_entry(file: SourceFile, key: str, value: Any) -> str:
    if _is_json(file):
        return f"{json.dumps(key)}: {json.dumps(value)}"
    return flow({key: value})[1:-1]


def _row(value: Any) -> str:
    """Return an item of a list on a line of its own; a mapping of one key needs no braces there."""
    text = flow(value)
    return text[1:-1] if isinstance(value, dict) and len(value) == 1 else text


def _is_json(file: SourceFile) -> bool:
    return file.text.lstrip()[:1] == "{" and is_json(file.text)


def _styled(value: Any, beside: Tree) -> Any:
    """Return a mapping as one with a key a line if that beside it is written so."""
    if isinstance(value, dict) and isinstance(beside, Mapping) and not is_flow(beside):
        return Tall({k: Rows(v) if k == "seq" and v else v for k, v in value.items()})
    return value


def _is_inline(value: Any, key: Scalar) -> bool:
    """Return whether a value is written behind its key: a scalar on one line."""
    return not isinstance(value, dict | list) and not (isinstance(value, str) and "\n" in value)


# --- places in the text ---------------------------------------------------------------------------


def _value_span(key: Scalar, old: Tree) -> Span:
    """Return the span of a value; of one that is empty, or in lines below its key, from behind the colon."""
    span = old.span
    if not span.is_empty and span.line == key.span.end_line:
        return span
    file = span.file
    at = file.text.index(":", file.offset(key.span.end_line, key.span.end_column)) + 1
    line, column = file.place(at)
    start = Span(file, line, column, line, column)
    return start if span.is_empty else start.to(span)


def _on_next_line(before: Span, new: str) -> Iterator[TextEdit]:
    """Yield the edits that write an entry in brackets below another one, behind the comment of that."""
    file = before.file
    if _COMMA.match(file.text, file.offset(before.end_line, before.end_column)):
        yield TextEdit(_line_end(before), f"{new},")
        return
    yield TextEdit(before.end, ",")
    yield TextEdit(_line_end(before), new)


def _line_end(span: Span) -> Span:
    """Return the point at the end of the line in which a span ends, behind its comment."""
    column = len(span.file.line(span.end_line)) + 1
    return Span(span.file, span.end_line, column, span.end_line, column)


def _own_end(span: Span, indent: int) -> Span:
    """Return the end of the last line of an entry, with the comments below that are indented deeper than
    its key."""
    file, last = span.file, span.end_line
    while (line := file.line(last + 1)).lstrip(" ").startswith("#"):
        if len(line) - len(line.lstrip(" ")) <= indent:
            break
        last += 1
    end = len(file.line(last)) + 1
    return Span(file, last, end, last, end)


def _lines(span: Span) -> Span:
    """Return the whole lines of a span, with the end of the last one."""
    file = span.file
    if span.end_line < len(file.lines):
        return Span(file, span.line, 1, span.end_line + 1, 1)
    before = span.line - 1
    return Span(file, before, len(file.line(before)) + 1, *_line_end(span)[3:5])


def _without_flow(span: Span, is_last: bool) -> TextEdit:
    """Return the edit that removes a part in brackets, with the comma behind it, or before it."""
    file = span.file
    start, end = file.offset(span.line, span.column), file.offset(span.end_line, span.end_column)
    comma = _COMMA.match(file.text, end)
    if comma is not None:
        end = comma.end()
    line = file.place(start)[0]
    begins_line = not file.text[file.offset(line, 1) : start].strip(BLANKS)
    last = file.place(end)[0]
    rest = file.line(last)[file.place(end)[1] - 1 :].strip(BLANKS)
    before = _LAST_COMMA.search(file.text, 0, start) if is_last else None
    if before is not None:  # which JSON must not have behind the last entry
        start = before.start()
    elif begins_line and (not rest or rest.startswith("#")):
        return TextEdit(Span(file, line, 1, last + 1, 1), "")
    return TextEdit(Span(file, *file.place(start), *file.place(end)), "")


def _between(mapping: Mapping) -> str:
    """Return what stands between entries in brackets: a blank, or a new line with an indentation."""
    first, span = mapping.entries[0][0].span, mapping.span
    last = mapping.entries[-1][0].span
    is_tall = span.line != first.line and len({k.span.line for k, _ in mapping.entries}) == len(
        mapping.entries
    )
    if not is_tall or last.column != first.column:
        return " "
    return f"{_newline(span.file)}{' ' * (first.column - 1)}"


def _below(file: SourceFile, lines: list[str]) -> str:
    return "".join(f"{_newline(file)}{line}" for line in lines)


def _newline(file: SourceFile) -> str:
    return "\r\n" if "\r\n" in file.text else "\n"
