"""Break expressions into lines that fit the width, exactly as `ruff format` leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from mimgraph.emit.format.fragments import (
    SIGNS,
    Bracket,
    Dot,
    Part,
    Term,
    brief,
    joined,
    parts,
    terms,
)
from mimgraph.ir.code import Code, Constant, Name

WIDTH = 100
INDENT = 4


class TooLong(Exception):
    """The text does not fit on the rest of the line."""


def flat(pieces: list[Part], room: int) -> str:
    """Return the text on one line; raise `TooLong` as soon as it is longer than `room`."""
    text = ""
    for piece in pieces:
        text += flat_bracket(piece, room - len(text)) if isinstance(piece, Bracket) else piece
        if len(text) > room:
            raise TooLong
    return text


def flat_bracket(bracket: Bracket, room: int) -> str:
    """Return a bracket on one line; raise `TooLong` as soon as it is longer than `room`."""
    opening, items, closing, separator = bracket
    text = opening
    between = ""
    room -= len(closing)
    for label, node in items:
        text += between + label
        text += node.id if type(node) is Name else flat(parts(node), room - len(text))
        if len(text) > room:
            raise TooLong
        between = separator
    return text + closing


@dataclass(frozen=True, slots=True)
class Layout:
    """Breaks expressions into lines of at most `width` columns.

    Ruff keeps a bracket broken whose last item has a comma, so several items stand on a line each.
    All else follows ruff's own rules, as it would join or move the lines again.
    """

    width: int

    def value(self, node: Code, indent: int, column: int, suffix: int) -> str:
        """Return the right side of an assignment or the like, where a line may break only in brackets."""
        text = brief(node)
        if text is not None and len(text) <= self.width - column - suffix:
            return text
        pieces = parts(node)
        try:
            return flat(pieces, self.width - column - suffix)
        except TooLong:
            operands = terms(node)
        fits = self.fits_opened(pieces, indent, column, suffix)
        if len(operands) == 1 and not is_fluent(pieces):
            if not (fits or starts_open(pieces)) and column < self.width:
                text = self.parenthesized(operands, indent)
                if max(map(len, text.split("\n"))) <= self.width:
                    return text
            return self.run(pieces, indent, column, suffix)
        if may_stay_bare(operands, pieces):
            if fits:
                return self.run(pieces, indent, column, suffix)
            # Ruff parenthesises late here, and then leaves one space at a `**`.
            operands = [t._replace(operator="** ") if t.operator == "**" else t for t in operands]
        return self.parenthesized(operands, indent)

    def parenthesized(self, operands: list[Term], indent: int) -> str:
        """Return operands in parentheses that open at the end of a line."""
        inner = indent + INDENT
        return f"(\n{' ' * inner}{self.inside(operands, inner, inner, 0)}\n{' ' * indent})"

    def fits_opened(self, pieces: list[Part], indent: int, column: int, suffix: int) -> bool:
        """Return whether what stands outside the brackets fits if every bracket is broken."""
        for piece in pieces:
            if isinstance(piece, Bracket):
                if column + len(piece.opening) > self.width:
                    return False
                column = indent + 1
            else:
                column += len(piece)
        return column + suffix <= self.width

    def run(
        self, pieces: list[Part], indent: int, column: int, suffix: int, fluent: bool = False
    ) -> str:
        """Return the pieces from left to right: a bracket breaks if it does not fit with the text
        up to the next one."""
        lines = [""]
        for position, piece in enumerate(pieces):
            if isinstance(piece, Bracket):
                index = index_behind(pieces, position)
                start = position + 1 + bool(index)
                room = self.width - column - len(index) - ahead(pieces, start, suffix, fluent)
                try:
                    text = flat_bracket(piece, room)
                    column += len(text)
                except TooLong:
                    text = self.opened(piece, indent)
                    column = indent + 1
                lines[-1] += text
            elif fluent and isinstance(piece, Dot):
                lines.append(piece)
                column = indent + len(piece)
            else:
                lines[-1] += piece
                column += len(piece)
        return f"\n{' ' * indent}".join(lines)

    def opened(self, bracket: Bracket, indent: int) -> str:
        """Return a bracket with one item a line."""
        opening, items, closing, separator = bracket
        inner = indent + INDENT
        comma = separator.strip()
        last = closing[:-1] or (comma if len(items) > 1 else "")
        lines = []
        for position, (label, node) in enumerate(items, 1):
            after = comma if position < len(items) else last
            text = self.inside(terms(node), inner, inner + len(label), len(after))
            lines.append(f"{label}{text}{after}")
        if not comma and len(joined_line := " ".join(lines)) <= self.width - inner:
            lines = [joined_line]  # ruff keeps a comprehension on one line where it can
        margin = " " * indent
        body = f"\n{margin}{' ' * INDENT}".join(("", *lines))
        return f"{opening}{body}\n{margin}{closing[-1]}"

    def inside(self, operands: list[Term], indent: int, column: int, suffix: int) -> str:
        """Return an expression in brackets, where a line may begin with an operator or a dot."""
        pieces = joined(operands)
        try:
            return flat(pieces, self.width - column - suffix)
        except TooLong:
            if len(operands) == 1:
                return self.run(pieces, indent, column, suffix, is_fluent(pieces))
        lines = []
        groups = loosest(operands)
        for position, (operator, group) in enumerate(groups):
            after = suffix if position == len(groups) - 1 else 0
            start = indent + len(operator) if operator else column
            lines.append(operator + self.inside(group, indent, start, after))
        return f"\n{' ' * indent}".join(lines)


def index_behind(pieces: list[Part], position: int) -> str:
    """Return the `[0]` behind a call of several arguments, which is broken before `[0]` is; else ""."""
    called, *rest = pieces[position : position + 2]
    match called, rest:
        case Bracket("(", (_, _, *_)), [Bracket("[", ((_, Constant(int(index))),))]:
            return f"[{index}]"
    return ""


def ahead(pieces: list[Part], start: int, suffix: int, fluent: bool) -> int:
    """Return how much text must follow on the same line as the piece before `start`."""
    length = 0
    for piece in islice(pieces, start, None):
        if isinstance(piece, Bracket):
            return length + len(piece.opening)
        if fluent and isinstance(piece, Dot):
            return length
        length += len(piece)
    return length + suffix


def loosest(operands: list[Term]) -> list[tuple[str, list[Term]]]:
    """Return the operands split at the operators that bind least, each group with its operator."""
    lowest = min(term.precedence for term in operands[1:])
    groups: list[tuple[str, list[Term]]] = [("", [])]
    for term in operands:
        if term.precedence == lowest:
            groups.append((f"{term.operator.strip()} ", []))
            term = Term(term.parts)
        groups[-1][1].append(term)
    return groups


def is_fluent(pieces: list[Part]) -> bool:
    """Return whether ruff breaks a chain of calls before its dots."""
    return sum(isinstance(piece, Dot) for piece in pieces) > 1


def starts_open(pieces: list[Part]) -> bool:
    """Return whether the expression begins with a bracket, apart from signs."""
    first = next(piece for piece in pieces if piece not in SIGNS)
    return isinstance(first, Bracket) or first in ("()", "[]", "{}")


def may_stay_bare(operands: list[Term], pieces: list[Part]) -> bool:
    """Return whether ruff breaks a bracket at an end of the expression, and adds no parentheses."""
    first, last = pieces[0], pieces[-1]
    precedences = [term.precedence for term in operands[1:]]
    if precedences and precedences.count(min(precedences)) > 1:
        return False
    if not precedences and first != "~":
        return False
    subject = [part for part in operands[-1].parts[:-1] if part not in SIGNS]
    subscripted = isinstance(last, Bracket) and last.opening == "[" and bool(subject)
    return isinstance(first, Bracket) or (isinstance(last, Bracket) and not subscripted)
