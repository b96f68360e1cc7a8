"""Lay out plain data as YAML: an entry a line, comments above it, quotes only where they are needed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from mimgraph.declare.tree import BREAKS, NOT_PRINTABLE, resolve
from mimgraph.ir.declared_values import Template, Written
from mimgraph.ir.expression import Variable, to_text

WIDTH = 100  # a longer mapping is written on several lines


class Tall(dict[str, Any]):
    """A mapping whose keys each begin a line."""


class Rows(list[Any]):
    """A list whose items each are a line."""


Path: TypeAlias = tuple[str | int, ...]
"""The keys and positions that lead to a value: `("nodes", "tower", "seq", 0)`."""


class Line(NamedTuple):
    """A line, and the path of the value that begins in it or that it belongs to."""

    path: Path
    text: str


def yaml_text(mapping: Mapping[str, Any], comments: Mapping[Path, str] | None = None) -> str:
    """Return the text of a mapping, which may hold a `Written` or a `Template`.

    A comment stands above the line of its path, or of what encloses that in one line; `()` is the
    top of the file.
    """
    lines = list(_lines(mapping))
    above = _comment_lines(lines, comments or {})
    rows = (row for n, line in enumerate(lines) for row in (*above.get(n, ()), line.text))
    return "".join(f"{row}\n" for row in rows)


def entry_lines(key: str, value: Any, indent: str = "") -> list[str]:
    """Return the lines of one entry of a mapping: one line if it fits there, else several."""
    return [line.text for line in _lines({key: value}, indent=indent)]


def _comment_lines(lines: list[Line], comments: Mapping[Path, str]) -> dict[int, list[str]]:
    """Return the lines of comments by the index of the line that they stand above."""
    first: dict[Path, int] = {(): 0}
    for n, line in enumerate(lines):
        first.setdefault(line.path, n)
    above: dict[int, list[str]] = {}
    for path, comment in comments.items():
        at = next(first[path[:n]] for n in range(len(path), -1, -1) if path[:n] in first)
        text = lines[at].text
        indent = text[: len(text) - len(text.lstrip(" "))]
        above.setdefault(at, []).extend(_comment(row, indent) for row in comment.splitlines())
    return above


def _comment(text: str, indent: str) -> str:
    """Return a line with a comment; a character that YAML does not allow becomes an escape."""
    safe = _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return f"{indent}# {safe}".rstrip()


def _lines(mapping: Mapping[str, Any], path: Path = (), indent: str = "") -> Iterator[Line]:
    """Yield the lines of a mapping: an entry on one line if it fits there, else on several."""
    inner = indent + "  "
    for key, value in mapping.items():
        here = (*path, key)
        head = f"{indent}{plain_or_quoted(key)}:"
        line = f"{head} {flow(value)}"
        long = len(line) > WIDTH
        if value and isinstance(value, dict) and (long or isinstance(value, Tall)):
            yield Line(here, head)
            yield from _lines(value, here, inner)
        elif value and isinstance(value, Rows):
            yield Line(here, head)
            yield from _rows(value, here, inner)
        elif value and isinstance(value, list) and long:
            if any(isinstance(item, dict | list) for item in value):
                yield Line(here, head)
                yield from _rows(value, here, inner)
            else:
                words = [flow(item) for item in value]
                yield from (Line(here, row) for row in filled_list(f"{head} [", words))
        elif isinstance(value, str) and is_literal(value):
            yield Line(here, f"{head} |-")
            yield from (Line(here, f"{inner}{row}" if row else "") for row in value.split("\n"))
        elif (
            long
            and key == "doc"
            and isinstance(value, str)
            and (rows := filled_text(value, len(inner)))
        ):
            yield Line(here, f"{head} >-")
            yield from (Line(here, f"{inner}{row}") for row in rows)
        else:
            yield Line(here, line)


def _rows(items: Sequence[Any], path: Path, indent: str) -> Iterator[Line]:
    """Yield the lines of a list, an item on one line if it fits there."""
    for n, item in enumerate(items):
        here = (*path, n)
        line = f"{indent}- {_row(item)}"
        if len(line) <= WIDTH or not isinstance(item, dict) or not item:
            yield Line(here, line)
            continue
        first, *more = _lines(item, here, f"{indent}  ")
        yield Line(here, f"{indent}- {first.text.lstrip(' ')}")
        yield from more


def filled_list(start: str, words: Sequence[str]) -> list[str]:
    """Return a list of words on as many lines as it needs; `start` ends with its bracket."""
    lines = [start]
    for n, word in enumerate(words):
        piece = f"{word}{']' if n == len(words) - 1 else ','}"
        if n == 0:
            lines[-1] += piece
        elif len(lines[-1]) + 1 + len(piece) <= WIDTH:
            lines[-1] += f" {piece}"
        else:
            lines.append(" " * len(start) + piece)
    return lines


def filled_text(text: str, indent: int) -> list[str]:
    """Return the lines of a text after `>-`, without their indentation; none if its blanks do not allow that."""
    if " " not in text or _UNFOLDED.search(text) or _UNSAFE.search(text):
        return []
    lines: list[str] = []
    for word in text.split(" "):
        if lines and indent + len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _row(item: Any) -> str:
    """Return an item of a list on one line; a mapping of one key needs no braces there."""
    text = flow(item)
    return text[1:-1] if isinstance(item, dict) and len(item) == 1 else text


def flow(value: Any) -> str:
    """Return a value on one line."""
    match value:
        case Written():
            return written_text(value)
        case Template(text) | str(text):
            return plain_or_quoted(text)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return _number(float(value))
        case dict():
            entries = (f"{plain_or_quoted(key)}: {flow(item)}" for key, item in value.items())
            return f"{{{', '.join(entries)}}}"
        case list() | tuple():
            return f"[{', '.join(map(flow, value))}]"
    raise TypeError(f"a spec cannot hold {value!r}")


def written_text(value: Written) -> str:
    """Return an expression as a spec writes it: `$width` or `$(2 * width)`."""
    text = to_text(value.expression)
    return f"${text}" if isinstance(value.expression, Variable) else f"$({text})"


def _number(value: float) -> str:
    """Return a float as YAML 1.2 spells it."""
    if math.isfinite(value):
        return repr(value)
    return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"


_UNSAFE = re.compile(f"{NOT_PRINTABLE}|[{''.join(BREAKS)}]")
_UNFOLDED = re.compile(r"[\n\r\t]|  |^ | $")
_QUOTED = re.compile(
    r"""[-?:,\[\]{}\#&*!|>'"%@`\s] | .*(?: :(?!\w) | \s\# | [,\[\]{}\n\r\t] | \s$ )""",
    re.VERBOSE | re.DOTALL,
)


def plain_or_quoted(text: str) -> str:
    """Return a text, in quotes if YAML would read it as something else."""
    plain = not _QUOTED.match(text) and not _UNSAFE.search(text)
    if plain and text and text != "<<" and resolve(text) == text:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def is_literal(text: str) -> bool:
    """Return whether a text can be written as a literal block (`|-`): several lines, none of them with
    blanks at its end or tabs."""
    rows = text.split("\n")
    return (
        len(rows) > 1
        and bool(rows[0] and rows[-1])
        and not any(row != row.rstrip() or "\t" in row for row in rows)
        and not rows[0].startswith(" ")
        and "\r" not in text
        and not _UNSAFE.search(text)
    )
