"""Format a spec: order its keys and lay out its lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from mimgraph.declare.tree import BLANKS, Mapping, Scalar, Tree
from mimgraph.declare.tree import Sequence as SequenceTree
from mimgraph.diagnostics import Diagnostic
from mimgraph.ir.grammar import AMONG_OPTIONS, BY_NAME, OPTIONS, keys_of
from mimgraph.language.concrete import (
    Collection,
    Comment,
    Document,
    Entry,
    Node,
    NotOfSpecs,
    Text,
    comments_in,
    has_comments,
    read_concrete,
)
from mimgraph.language.yaml_reader import compose, is_json
from mimgraph.language.yaml_text import WIDTH, filled_list, filled_text, is_literal
from mimgraph.source import LINE_END, SourceFile
from mimgraph.support.progress import uncollected


def put_in_order(found: Node, part: str = "a spec") -> None:
    """Sort the keys of a part of a spec, and of the parts inside it.

    Names and options stay in the author's order.
    """
    if not isinstance(found, Collection):
        return
    if part in BY_NAME:
        for entry in found.entries:
            put_in_order(entry.value, part if found.is_list else BY_NAME[part])
        return
    keys = keys_of(part, {entry.key or "" for entry in found.entries})
    if keys and not found.is_list:
        for entry in found.entries:
            put_in_order(entry.value, keys.get(entry.key or "", ""))
        among = AMONG_OPTIONS if OPTIONS in keys else ()
        _sort(found, [key for key in keys if key not in among])


def _sort(mapping: Collection, order: Sequence[str]) -> None:
    """Put the entries of a mapping in order, unless comments would change places.

    A key that the order lacks has the place of "" in it, or follows the key before it.
    """
    ranks = {key: rank for rank, key in enumerate(order)}
    rank = ranks.get("", -1)
    placed: list[tuple[int, Entry]] = []
    for entry in mapping.entries:
        if not entry.bare:
            rank = ranks.get(entry.key or "", ranks.get("", rank))
        placed.append((rank, entry))
    ordered = [entry for _, entry in sorted(placed, key=lambda one: one[0])]
    if ordered == mapping.entries:
        return
    top = mapping.entries[0]
    first = top.above  # is about the whole mapping
    top.above = []
    if _commented(ordered) == _commented(mapping.entries):
        mapping.entries = ordered
    mapping.entries[0].above[:0] = first


def _commented(entries: Iterable[Entry]) -> list[int]:
    return [id(entry) for entry in entries if entry.has_comments]


# Lay out a concrete tree as lines.
#
# A collection without brackets stays so. One in brackets stays on one line if it fits there and
# has no comments, else it loses the brackets; a list of words alone keeps them and is filled.


SPACES = 2  # before a comment
STEP = 2
SWITCH = re.compile(r"#\s*fmt:\s*(on|off|skip)\b")


class Row(NamedTuple):
    """A line, and the comment at its end; `column` is where the author put that, `is_text` is true in a text
    of several lines."""

    text: str
    comment: str = ""
    column: int = 0
    is_text: bool = False

    @property
    def is_comment(self) -> bool:
        """Return whether the line is blank or a comment of its own."""
        return not self.is_text and not self.comment and self.text.lstrip(" ")[:1] in ("", "#")


def joined(rows: Sequence[Row]) -> str:
    """Return the text of lines.

    Comments that the author put below each other, with no blank line between them, stay so; others stand
    two blanks behind their line.
    """
    columns: dict[int, int] = {}
    run: list[int] = []
    for n, row in enumerate(rows):
        if row.comment:
            if run and rows[run[0]].column != row.column:
                run = []
            run.append(n)
            column = max(len(rows[one].text) for one in run) + SPACES
            columns.update(dict.fromkeys(run, column))
        elif row.is_comment:
            run = []
    lines = (
        f"{row.text.ljust(columns[n])}{row.comment}" if row.comment else row.text
        for n, row in enumerate(rows)
    )
    return "".join(f"{line}\n" for line in lines)


def rows_of(document: Document, lines: Sequence[str]) -> list[Row]:
    """Return the lines of a document; `lines` are those that it was read from."""
    root = document.root
    rows = [Row(line) for line in document.preamble]
    if not root.entries:
        return [*rows, *_own(root.below, 0), Row("{}")]
    return rows + _entries(root, 0, lines)


def _entries(found: Collection, indent: int, lines: Sequence[str]) -> list[Row]:
    """Return the lines of the entries of a collection, and the comments below them."""
    rows: list[Row] = []
    is_on = True
    for entry in found.entries:
        is_on = _is_on(entry.above, is_on)
        if found.flow or (is_on and not _skips(entry)):
            above, own = _entry(entry, indent, lines)
        else:
            above, own = [], _as_written(entry, indent, lines)
        rows += _own(entry.above, indent, bool(rows))
        if entry.blank and rows:
            rows.append(Row(""))
        rows += above[not rows and above[:1] == [Row("")] :]
        rows += own
    return rows + _own(found.below, indent, True)


def _own(comments: Iterable[Comment], indent: int, has_more: bool = False) -> list[Row]:
    """Return comments as lines of their own, blank lines between them kept; the first has none above it
    unless more is above it."""
    rows: list[Row] = []
    for comment in comments:
        if comment.blank and (has_more or rows):
            rows.append(Row(""))
        rows.append(Row(f"{' ' * indent}{comment.text}"))
    return rows


# --- entries that stay as they are ------------------------------------------------------------------


def _is_on(above: Iterable[Comment], is_on: bool) -> bool:
    """Return whether an entry is formatted, by the last `# fmt: off` or `# fmt: on` above it."""
    for comment in above:
        switch = SWITCH.match(comment.text)
        if switch and switch[1] != "skip":
            is_on = switch[1] == "on"
    return is_on


def _skips(entry: Entry) -> bool:
    """Return whether `# fmt: skip` stands behind the key or the value of an entry."""
    beside = [*entry.between, *entry.beside]
    if isinstance(entry.value, Text) and entry.value.beside:
        beside.append(entry.value.beside)
    return any((switch := SWITCH.match(one.text)) and switch[1] == "skip" for one in beside)


def _as_written(entry: Entry, indent: int, lines: Sequence[str]) -> list[Row]:
    """Return the lines of an entry as they are, moved to its indentation."""
    last = max([entry.last_line, *(comment.line for comment in comments_in(entry))])
    first, *rest = lines[entry.line : last + 1]
    column = indent if entry.key is not None else indent + STEP
    start = " " * indent + ("" if entry.key is not None else "- ") + first[entry.column :]
    by = column - entry.column
    return [Row(start.rstrip(BLANKS)), *(Row(_moved(line, by).rstrip(BLANKS)) for line in rest)]


def _moved(line: str, by: int) -> str:
    """Return a line indented by so much more, or less as far as it is indented."""
    if by >= 0:
        return " " * by + line
    return line[min(-by, len(line) - len(line.lstrip(" "))) :]


# --- entries ----------------------------------------------------------------------------------------


def _entry(entry: Entry, indent: int, lines: Sequence[str]) -> tuple[list[Row], list[Row]]:
    """Return the comments to write above an entry, and its lines."""
    head = f"{' ' * indent}-" if entry.key is None else f"{' ' * indent}{entry.key}:"
    value = entry.value
    if isinstance(value, Text) and value.literal is not None:
        return _own(entry.between, indent), _literal(head, value, indent)
    own = _in_brackets(head, entry, indent) if _is_flat(value) else None
    if own is None:
        assert isinstance(value, Collection)
        return _block(head, entry, value, indent, lines)
    beside, above = entry.beside, entry.between
    if len(above) == 1 and not above[0].own and not beside:
        beside, above = above, []
    at = 0 if isinstance(value, Text) else len(own) - 1
    return _own(above, indent), _with_comments(own, at, beside)


def _is_flat(value: Node) -> bool:
    """Return whether a value may stay in brackets."""
    if isinstance(value, Text) or not value.entries:
        return True
    return value.flow and not has_comments(value)


def _in_brackets(head: str, entry: Entry, indent: int) -> list[Row] | None:
    """Return the lines of an entry whose value is a text, or in brackets; None if it needs several
    lines without brackets."""
    value = entry.value
    text = _flow(value)
    line = f"{head} {text}".rstrip(BLANKS)
    if isinstance(value, Text):
        is_doc = entry.key == "doc" and len(line) > WIDTH
        return _long_text(head, value, indent, is_doc)
    is_pair = entry.key is None and not value.is_list and len(value.entries) == 1
    is_bare = any(one.bare for one in value.entries)
    if not value.entries or is_bare or (len(line) <= WIDTH and not is_pair):
        return [Row(line)]
    words = [one.value for one in value.entries]
    if value.is_list and all(isinstance(word, Text) for word in words):
        return [Row(line) for line in filled_list(f"{head} [", [_flow(word) for word in words])]
    return None


def _flow(value: Node) -> str:
    """Return a value on one line."""
    if isinstance(value, Text):
        return value.written
    if value.is_list:
        return f"[{', '.join(_flow(entry.value) for entry in value.entries)}]"
    pairs = (
        entry.key or "" if entry.bare else f"{entry.key}: {_flow(entry.value)}"
        for entry in value.entries
    )
    return f"{{{', '.join(pairs)}}}"


def _block(
    head: str, entry: Entry, value: Collection, indent: int, lines: Sequence[str]
) -> tuple[list[Row], list[Row]]:
    """Return the comments above an entry and its lines, the entries of its value without brackets."""
    between, beside = entry.between, entry.beside
    first = value.entries[0]
    if value.flow and beside:
        if has_comments(value) or between:
            value.below += beside
        elif entry.key is None and len(value.entries) == 1:
            first.beside += beside
        else:
            between = beside
    behind = _behind_key(between)
    first.above[:0] = between[len(behind) :]
    inner = _entries(value, indent + STEP, lines)
    if entry.key is not None:
        return [], [*_with_comments([Row(head)], 0, behind), *inner]
    above = _own(behind, indent)
    comments = [*takewhile(lambda row: row.is_comment, inner)]
    inner = inner[len(comments) :]
    above += (Row(" " * indent + row.text[indent + STEP :]) for row in comments)
    start = inner[0]._replace(text=f"{head} {inner[0].text[indent + STEP :]}")
    return above, [start, *inner[1:]]


def _behind_key(between: Sequence[Comment]) -> list[Comment]:
    """Return the comment on the line of a key, with those right below that continue it."""
    if not between or between[0].own:
        return []
    first, *rest = between
    more = takewhile(
        lambda one: one[1].own and _is_below(one[1], first, one[0]), enumerate(rest, 1)
    )
    return [first, *(comment for _, comment in more)]


def _is_below(comment: Comment, first: Comment, lines: int) -> bool:
    return comment.column == first.column and comment.line == first.line + lines


def _with_comments(rows: list[Row], at: int, beside: Sequence[Comment]) -> list[Row]:
    """Return lines with comments beside the line `at`, the second one below the first."""
    if not beside:
        return rows
    first, *more = (Row("", comment.text, comment.column) for comment in beside)
    rows[at] = first._replace(text=rows[at].text)
    return [*rows[: at + 1], *more, *rows[at + 1 :]]


# --- long texts -------------------------------------------------------------------------------------


def _literal(head: str, value: Text, indent: int) -> list[Row]:
    """Return the lines of a text after `|` or `>`; those after `>` are filled anew if one is too long."""
    lines = value.literal or []
    if value.header == ">-" and any(indent + STEP + len(line) > WIDTH for line in lines):
        lines = filled_text(" ".join(lines), indent + STEP) or lines
    rows = _with_comments(
        [Row(f"{head} {value.header}")], 0, [value.beside] if value.beside else []
    )
    return rows + _indented(lines, indent + STEP)


def _long_text(head: str, value: Text, indent: int, may_fill: bool) -> list[Row]:
    """Return the lines of a text: several if it has several itself, or may be filled."""
    if value.value is not None:
        if is_literal(value.value):
            return [Row(f"{head} |-"), *_indented(value.value.split("\n"), indent + STEP)]
        if may_fill and (lines := filled_text(value.value, indent + STEP)):
            return [Row(f"{head} >-"), *_indented(lines, indent + STEP)]
    return [Row(f"{head} {value.written}".rstrip(BLANKS))]


def _indented(rows: Iterable[str], indent: int) -> list[Row]:
    return [Row(f"{' ' * indent}{row}" if row else "", is_text=True) for row in rows]


# Format the text of a spec.


BOM = "\ufeff"


class Formatted(NamedTuple):
    """The text of a spec in the style; `text` is that of the file if `faults` keep it from being formatted,
    and in JSON."""

    text: str
    faults: tuple[Diagnostic, ...] = ()


class FormatError(Exception):
    """Raised instead of returning a text that means something else; a bug of the formatter."""


@uncollected()
def formatted(file: SourceFile) -> Formatted:
    """Return the text of a spec, correct or wrong, in the style.

    Line ends stay those of the first line, and so does a BOM. What YAML cannot read, and what specs do not
    have (anchors, tags, several documents), is left as it is.
    """
    faults: list[Diagnostic] = []
    tree = compose(file, lambda fault, *_: faults.append(fault))
    if tree is None:
        return Formatted(file.text, tuple(faults))
    body = file.text.removeprefix(BOM)
    text = LINE_END.sub("\n", body)
    if body.lstrip().startswith("{") and is_json(body):
        return Formatted(file.text)
    try:
        document = read_concrete(text)
    except NotOfSpecs:
        return Formatted(file.text, tuple(one for one in faults if one.code == "yaml-subset"))
    put_in_order(document.root)
    found = joined(rows_of(document, text.split("\n")))
    if found != text and not _same(tree, compose(SourceFile(file.name, found), lambda *_: None)):
        raise FormatError(file.name)
    first = LINE_END.search(body)
    if first and first[0] != "\n":
        found = found.replace("\n", first[0])
    return Formatted(BOM * file.text.startswith(BOM) + found)


def _same(one: Tree | None, other: Tree | None) -> bool:
    """Return whether two trees mean the same, whatever the order of keys."""
    match one, other:
        case Scalar(), Scalar():
            return type(one.value) is type(other.value) and (
                one.value == other.value or one.value != one.value
            )
        case SequenceTree(), SequenceTree():
            return len(one.items) == len(other.items) and all(map(_same, one.items, other.items))
        case Mapping(), Mapping():
            entries = {key.text: value for key, value in other.entries}
            return len(one.entries) == len(entries) and all(
                key.text in entries and _same(value, entries[key.text])
                for key, value in one.entries
            )
    return False
