"""Lay out the page of an op, a key or an option, in lines that fit the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mimgraph.ir.option_types import describe as describe_type
from mimgraph.language.key_refusals import REFUSED
from mimgraph.language.keys import KEYS
from mimgraph.language.reference.entries import (
    EVERY_KEY,
    bare_option,
    default,
    explained,
    inputs,
    places,
    takers,
)
from mimgraph.ops.colloquial import said
from mimgraph.ops.custom.module_signature import Registered
from mimgraph.ops.elsewhere import names_of
from mimgraph.ops.op import Op, dotted
from mimgraph.ops.python_text import python_example
from mimgraph.ops.signature import OptionSpec
from mimgraph.support.columns import GAP, fitting, row_lines, shrunk, wrapped
from mimgraph.support.terminal import BOLD, CYAN, NARROWEST, Paint, painter

INDENT = "  "
PROSE = 100  # characters of a line of text, also on a wider terminal


class Sheet(NamedTuple):
    """What a page is written for: so many characters in a line, with or without color."""

    width: int
    paint: Paint

    @classmethod
    def of(cls, width: int, color: bool) -> Sheet:
        """Return the sheet for a terminal, which may have fewer characters than a page needs."""
        return cls(max(width, NARROWEST), painter(color))

    def prose(self, text: str) -> Iterator[str]:
        """Yield paragraphs in lines; indented lines, as of a list, begin lines of their own."""
        for paragraph in textwrap.dedent(text).split("\n\n"):
            is_list = any(line.startswith((" ", "- ")) for line in paragraph.splitlines())
            for line in paragraph.splitlines() if is_list else [" ".join(paragraph.split())]:
                yield from wrapped(line, min(self.width, PROSE))
            yield ""

    def section(self, title: str, lines: Iterable[str]) -> Iterator[str]:
        """Yield a title, the lines below it, and an empty one; nothing if there are no lines."""
        if below := [f"{INDENT}{line}".rstrip() for line in lines]:
            yield from (self.paint(BOLD, title), *below, "")

    def table(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Yield rows in columns, the names in the first one in color."""
        columns = dict(enumerate(zip(*rows, strict=True)))
        room = self.width - len(INDENT)
        widths = fitting(columns, room, whole=[0]) or shrunk(columns, room)
        for row in rows:
            for name, *rest in row_lines(row, widths):
                bare = name.rstrip()
                yield GAP.join([self.paint(CYAN, bare) + name.removeprefix(bare), *rest]).rstrip()

    def code(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield lines of YAML or Python; what does not fit goes on in an indented line."""
        for line in lines:
            further = line[: len(line) - len(line.lstrip())] + 2 * INDENT
            whole = line.replace(": ", ":\0")  # a key stays with its value
            for part in textwrap.wrap(
                *(whole, self.width - len(INDENT)),
                subsequent_indent=further,
                break_long_words=False,
                break_on_hyphens=False,
            ):
                yield part.replace("\0", " ")


def op_page(op: Op, sheet: Sheet) -> Iterator[str]:
    """Yield the documentation of an op, its sources, options and examples."""
    title = f"{op.kind} {op.name}"
    first, *more = textwrap.wrap(title + elsewhere(op), sheet.width, subsequent_indent=INDENT)
    yield from (sheet.paint(BOLD, title) + first.removeprefix(title), *more, "")
    yield from sheet.prose(op.doc)
    facts = {
        "sources": ", ".join(inputs(op)) or "none",
        "explained in": explained(KEYS[op.name]) if op.kind == "tensor" else "",
        "also called": ", ".join(said(op)),
        "a bare value in a seq": bare_option(op) or "",
        "ports": ", ".join(op.ports),
        "category": op.family.replace("_", " "),
        "plugin": op.plugin if isinstance(op, Registered) else "",
    }
    yield from _facts(facts, sheet)
    rows = [(option.name, default(option), _type(op, option)) for option in op.options.values()]
    yield from sheet.section("options", sheet.table(rows) if rows else ())
    declared, node = op.example
    if node:
        example = ["inputs:", *(f"  {line}" for line in declared), "nodes:", f"  y: {node}"]
        yield from sheet.section("example", sheet.code(example))
        python = python_example(declared, node)
        yield from sheet.section("example in Python", sheet.code(python))
    if op.kind == "tensor":
        yield from _refusal(op.name, sheet)


def elsewhere(op: Op) -> str:
    """Return what torch and Keras call an op: ` (torch: torch.cat; Keras: Concatenate)`."""
    names = names_of(op)
    listed = {"torch": names.torch or "", "Keras": names.keras}
    parts = [f"{where}: {', '.join(text.split())}" for where, text in listed.items() if text]
    return f" ({'; '.join(parts)})" if parts else ""


def _facts(facts: Mapping[str, str], sheet: Sheet) -> Iterator[str]:
    """Yield the facts that apply in two columns."""
    rows = [(title, text) for title, text in facts.items() if text]
    yield from sheet.table(rows)
    yield ""


def _type(op: Op, option: OptionSpec) -> str:
    """Return the type of an option in words, and the release of torch that added it, if it is new."""
    text = describe_type(option.annotation)
    since = op.since.get(option.name)
    return text if since is None else f"{text}; from torch {dotted(since)}"


def key_page(name: str, sheet: Sheet) -> Iterator[str]:
    """Yield what a key means, its type and default, where it is allowed, an example, and a wrong spec."""
    key = EVERY_KEY[name]
    yield from (sheet.paint(BOLD, f"key {name}"), "")
    yield from sheet.prose(key.about)
    facts = {
        "type": key.type.replace("`", ""),
        "default": key.default.replace("`", ""),
        "allowed in": ", ".join(places(name)),
        "an option of": ", ".join(one["name"] for one in takers(name)),
        "explained in": explained(key),
    }
    yield from _facts(facts, sheet)
    yield from sheet.section("example", sheet.code(key.example.splitlines()))
    for path, text in key.files.items():
        yield from sheet.section(f"with {path}", sheet.code(text.splitlines()))
    yield from _refusal(name, sheet)


def _refusal(name: str, sheet: Sheet) -> Iterator[str]:
    """Yield a wrong spec with the key, and its error."""
    refused = REFUSED[name]
    error = wrapped(f"error[{refused.code}]: {refused.message}", sheet.width - len(INDENT))
    yield from sheet.section("refused", (*sheet.code(refused.spec.splitlines()), *error))


def option_page(name: str, of: Sequence[Mapping[str, Any]], sheet: Sheet) -> Iterator[str]:
    """Yield the ops that have an option of this name, with its default and type."""
    yield from (sheet.paint(BOLD, f"option {name}"), "")
    rows = [(one["name"], one["default"], one["type"]) for one in of]
    yield from sheet.section("an option of", sheet.table(rows))
