"""Values as the user wrote them, each with its span: expressions, texts with params, options."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple, Self

from mimgraph.ir.declared.space import Dimension
from mimgraph.ir.expression import Expression
from mimgraph.source import Span


class Faulty(Enum):
    """The value of a part that could not be read or computed, and whose fault is reported already."""

    FAULTY = "faulty"


FAULTY: Final = Faulty.FAULTY

# OTHERS stands for any number of names, keys or options that could not be read, ANOTHER for exactly one.
# They are halves of characters, so no text of a spec is equal to them.
OTHERS: Final = "\ud800"
ANOTHER: Final = "\ud801"


class Written(NamedTuple):
    """An expression not yet computed; `part` returns the span of characters in its text."""

    expression: Expression
    span: Span
    part: Callable[[int, int], Span]

    def at(self, start: int, end: int) -> Span:
        """Return the span of characters `start` to `end`; (0, -1) is the whole."""
        return self.span if end < start else self.part(start, end)


class Chosen(str):
    """The name of a layer, merge or block that a param gives, as it is written: `$fusion`."""

    __slots__ = ("written",)
    written: Written

    def __new__(cls, text: str, written: Written) -> Self:
        self = super().__new__(cls, text)
        self.written = written
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str, Written]]:
        return type(self), (str(self), self.written)


class Template(NamedTuple):
    """Holds a text in which `$name` stands for a param's value.

    In a `formula`, `$(...)` stands for arithmetic of params, and sizes known only at run time may too.
    """

    text: str
    part: Callable[[int, int], Span]
    formula: bool = False

    def names(self) -> Iterator[re.Match[str]]:
        """Yield where a name stands for a value: the whole match, of which group 1 is the name."""
        behind = 0  # the last `$(...)`
        for match in _PARAM.finditer(self.text):
            if match.start() < behind:
                continue
            if match[1] is not None:
                yield match
            elif self.formula:
                behind = closing(self.text, match.end())
                if behind == match.end():  # the formula cannot be parsed
                    return
                yield from _NAME.finditer(self.text, match.end(), behind)

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text with the value of each of these names in its place."""
        parts, end = list[str](), 0
        for match in self.names():
            if match[1] in values:
                parts += self.text[end : match.start()], values[match[1]]
                end = match.end()
        return "".join((*parts, self.text[end:]))


_PARAM = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\()", re.ASCII)
_NAME = re.compile(r"(?<![\w.$])([A-Za-z_]\w*)(?![\w(])", re.ASCII)  # no function


def closing(text: str, start: int) -> int:
    """Return where the parenthesis closes that opens before `start`; if none does, `start`."""
    depth = 1
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if not depth:
            return index
    return start


class Option(NamedTuple):
    """An option as given: plain data in which `Written` stands for values that are computed later.

    `part` returns the span of characters in a text, `items` are the spans of a list's values. `in_with`
    says that the value comes from a list in `with`, where its faults are reported. A param of a spec
    may have a search `space`, of which `value` is the default.
    """

    value: Any
    span: Span
    key: Span
    part: Callable[[int, int], Span] | None = None
    items: tuple[Span, ...] = ()
    in_with: bool = False
    space: Dimension | None = None

    def item(self, index: int) -> Span:
        """Return the span of a value of the list, if the list is written out."""
        return self.items[index] if self.items else self.span

    def at(self, within: tuple[int, int] | None) -> Span:
        """Return the span of characters in the value, or of the whole if the user wrote it otherwise."""
        if within is None or within[1] < within[0] or self.part is None:
            return self.span
        return self.part(*within) if isinstance(self.value, str | Template) else self.span


def part_of(span: Span, text: str, start: int, end: int) -> Span:
    """Return the span of characters in a text, if the whole span is just that text."""
    width = span.end_column - span.column
    if span.line != span.end_line or width not in (len(text), len(text) + 2):
        return span
    quote = (width - len(text)) // 2
    return span.part(quote + start, quote + end)
