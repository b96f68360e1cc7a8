"""Write, replace and remove entries in the text of a spec: comments, layout and order stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingType
from collections.abc import Sequence as SequenceType
from contextlib import contextmanager
from typing import Any

from mimgraph.declare.tree import BLANKS, Mapping, Scalar, Sequence, Tree, is_null, plain
from mimgraph.diagnostics import Report
from mimgraph.ir.grammar import KINDS, PLACES
from mimgraph.language.edit.paths import Found, Missing, fault, find, unknown
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.language.yaml_reader import compose, is_json
from mimgraph.language.yaml_text import Rows, Tall, entry_lines, flow
from mimgraph.ops import registry
from mimgraph.source import SourceFile, Span
from mimgraph.support.arguments import as_text


class EditedSpec:
    """The present version of the text of a spec, and its tree."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.tree = _composed(file)

    def apply(self, edits: Iterable[TextEdit]) -> None:
        """Change the text; the edits are of its present version."""
        file = SourceFile(self.file.name, edited(self.file, [*edits]))
        self.tree = _composed(file)
        self.file = file

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Put the text back as it was if one of the edits inside cannot be made."""
        file, tree = self.file, self.tree
        try:
            yield
        except BaseException:
            self.file, self.tree = file, tree
            raise

    def find(self, path: str) -> Found | Missing:
        """Return what a path names, or where it would be."""
        return find(self.tree, as_text("the path", path))

    def known(self, path: str) -> Found:
        """Return what a path names; raise a `SpecError` if nothing has that name."""
        found = self.find(path)
        if isinstance(found, Missing):
            raise unknown(found)
        return found


def _composed(file: SourceFile) -> Mapping:
    """Return the tree of a text; raise a `SpecError` if it has none."""
    report = Report()
    tree = compose(file, report.add)
    report.raise_if_any()
    if not isinstance(tree, Mapping):
        raise fault("a spec must be a mapping", file.start)
    return tree


# Add an entry to a section of a spec or block, and the section where it is missing.


def add_entry(
    spec: EditedSpec,
    at: Missing,
    value: Any,
    after: str | None,
    before: str | None,
    first: bool = False,
) -> None:
    """Add an entry to a section, which is made if it is not there."""
    section = at.section or "nodes"
    entry = at.scope.entry(section)
    if entry is None:
        order = order_of(spec.tree, at.scope)
        spec.apply(with_section(at.scope, section, {at.name: value}, order))
        return
    around = entry[1]
    if is_null(around):
        spec.apply(with_value(*entry, {at.name: value}, not is_flow(at.scope)))
        return
    if not isinstance(around, Mapping):
        raise fault(f"{section} is not a mapping", around.span, f"set {section!r} as a whole")
    key = None
    beside = after if after is not None else before
    if beside is not None:
        one = around.entry(beside.rpartition(".")[2])
        if one is None:
            raise unknown(at._replace(name=beside))
        key = one[0]
    if before is not None and after is None:
        keys = [key for key, _ in around.entries]
        index = next(n for n, one in enumerate(keys) if one is key)
        key, first = (keys[index - 1], False) if index else (None, True)
    spec.apply(with_entry(around, at.name, value, key, first))


def order_of(spec: Mapping, scope: Mapping) -> SequenceType[str]:
    """Return the order of the sections of the spec itself or of a block in it."""
    return (*PLACES["a spec" if scope is spec else "a block"],)


def with_section(
    scope: Mapping, section: str, value: Any, order: SequenceType[str]
) -> Iterator[TextEdit]:
    """Return the edits that add a section at its place in an order."""
    earlier = order[: order.index(section)] if section in order else order
    keys = [key for key, _ in scope.entries if key.text in earlier]
    return with_entry(scope, section, value, keys[-1] if keys else None, first=not keys)


# Insert, replace and remove entries of mappings and items of lists in a text, in the style around
# them.


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


# Make the new value of a node or of an item of a seq: replaced, or with other options.


KEPT = ("take", "over")  # of the old node, as `Graph.replace` keeps them


def replaced_node(old: Tree, new: MappingType[str, Any]) -> dict[str, Any]:
    """Return a node that does something else: it keeps its sources, `take` and `over` unless the new one
    has its own."""
    before = plain(old) if isinstance(old, Mapping) else {}
    word = next((key for key in KINDS if key in new), None)
    first = {word: new[word]} if word is not None else {}
    sources: dict[str, Any] = {}
    if "from" not in new and "each" not in new:
        sources = {key: before[key] for key in ("each", "from") if key in before}
        if "from" in sources and word in ("layer", "merge"):
            sources["from"] = _sources(sources["from"], word, str(new[word]))
        if "each" in sources and "with" in before and "with" not in new:
            sources["with"] = _columns(before["with"], word, new)
    rest = {key: value for key, value in new.items() if key != word}
    kept = {key: before[key] for key in KEPT if key in before and key not in new}
    found = {**first, **sources, **rest, **kept}
    return {key: value for key, value in found.items() if (key, value) != ("with", {})}


def _sources(given: Any, kind: str, name: str) -> Any:
    """Return sources by argument as a list if the new op has no such arguments."""
    op = registry.find(kind, name)
    if not isinstance(given, dict) or op is None or op.inputs.kind == "named":
        return given
    if set(given) <= set(op.inputs.names):
        return given
    values = [*given.values()]
    return values[0] if len(values) == 1 else values


def _columns(columns: Any, word: str | None, new: MappingType[str, Any]) -> Any:
    """Return the options of each source that the new op has too."""
    op = registry.find(word or "", str(new.get(word or "")))
    if not isinstance(columns, dict) or op is None:
        return columns
    return {key: value for key, value in columns.items() if key in op.options and key not in new}


def as_item(given: Any) -> Any:
    """Return an item of a seq; one written as a node, `{layer: Linear, out_features: 8}`, as an item."""
    if not isinstance(given, dict):
        return given
    word = next((key for key in ("layer", "block") if key in given), None)
    if word is None:
        return given
    options = {key: value for key, value in given.items() if key != word}
    return {given[word]: options} if options else given[word]


def replaced_item(old: Tree, new: Any) -> Any:
    """Return an item of a seq that does something else, with `take` and `over` of the old one."""
    new = as_item(new)
    options = old.entries[0][1] if isinstance(old, Mapping) and old.entries else None
    before = plain(options) if isinstance(options, Mapping) else {}
    kept = {key: before[key] for key in KEPT if key in before}
    if not kept:
        return new
    name, own = next(iter(new.items())) if isinstance(new, dict) else (new, {})
    if not isinstance(own, dict):
        op = registry.find("layer", str(name))
        own = {op.lone_option: own} if op is not None and op.lone_option else own
    return {name: {**own, **{k: v for k, v in kept.items() if k not in own}}}


def optioned_item(old: Tree, options: MappingType[str, Any], first_param: str | None) -> Any:
    """Return an item of a seq with other options; `...` leaves one out. A lone value is the first option,
    of a block the `first_param`."""
    key = old.entries[0][0] if isinstance(old, Mapping) and old.entries else old
    assert isinstance(key, Scalar)
    name, given = key.text, plain(old.entries[0][1]) if isinstance(old, Mapping) else None
    op = registry.find("layer", name)
    lone = first_param if first_param is not None else op.lone_option if op is not None else None
    named: dict[str, Any] = {}
    if isinstance(given, dict):
        named = {**given}
    elif given is not None:
        named = {str(lone): given}
    was_lone = given is not None and not isinstance(given, dict)
    named = {k: v for k, v in {**named, **options}.items() if v is not ...}
    if not named:
        return name
    if was_lone and named.keys() == {lone}:
        return {name: named[str(lone)]}
    return {name: named}
