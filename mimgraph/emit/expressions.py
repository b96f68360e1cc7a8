"""Turn expressions into lines that fit the width, exactly as `ruff format` leaves them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from mimgraph.ir.code import (
    Attribute,
    Binary,
    Call,
    Code,
    Comprehension,
    Conditional,
    Constant,
    Dict,
    List,
    Name,
    Slice,
    Subscript,
    Tuple,
    Unary,
    Unpacked,
)

# How tightly an expression binds. A number binds less than a name: `(1).real` needs parentheses.
CONDITIONAL, UNARY, POWER, NUMBER, POSTFIX, ATOM = 0, 11, 12, 13, 14, 15
PRECEDENCE = (
    dict.fromkeys(("<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not"), 4)
    | {"or": 1, "and": 2, "|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9}
    | dict.fromkeys(("*", "/", "//", "%", "@"), 10)
    | {"**": POWER}
)
COMPARISON = PRECEDENCE["<"]
SIGNS = ("-", "~")
BRIEF = frozenset([bool, int, type(None)])  # the types of constants that `repr` writes as ruff does


class Bracket(NamedTuple):
    """Items between brackets, each behind its label: `(a, key=b)`."""

    opening: str
    items: tuple[tuple[str, Code], ...]
    closing: str
    separator: str = ", "


class Dot(str):
    """The attribute of a call, subscript or parenthesis: a line of a chain of calls may begin here."""

    __slots__ = ()


Part: TypeAlias = str | Bracket


class Term(NamedTuple):
    """An operand, with the operator in front of it and how tightly that binds."""

    parts: list[Part]
    operator: str = ""
    precedence: int = ATOM


def terms(node: Code, level: int = 0) -> list[Term]:
    """Return the operands in `node` that need no parentheses; `level` is how tightly it must bind."""
    if isinstance(node, Conditional) and level <= CONDITIONAL:
        value, test, otherwise = (terms(part, CONDITIONAL + 1) for part in node.parts)
        return [*value, *_after(" if ", test), *_after(" else ", otherwise)]
    spine: list[Binary] = []
    while isinstance(node, Binary) and PRECEDENCE[node.operator] >= level:
        spine.append(node)
        level = left_level(node.operator)
        node = node.left
    found = [Term(parts(node, level))]
    for binary in reversed(spine):
        first, *rest = terms(binary.right, right_level(binary.operator))
        operator = "**" if is_tight(binary) else f" {binary.operator} "
        found.append(Term(first.parts, operator, PRECEDENCE[binary.operator]))
        found += rest
    return found


def _after(word: str, operands: list[Term]) -> list[Term]:
    """Return the operands of a part of a conditional, behind its word."""
    return [Term(operands[0].parts, word, CONDITIONAL), *operands[1:]]


def left_level(operator: str) -> int:
    """Return how tightly the left operand must bind; a comparison of a comparison would chain."""
    precedence = PRECEDENCE[operator]
    return precedence + (precedence in (COMPARISON, POWER))


def right_level(operator: str) -> int:
    """Return how tightly the right operand must bind."""
    return UNARY if operator == "**" else PRECEDENCE[operator] + 1


def is_tight(binary: Binary) -> bool:
    """Return whether ruff writes this power without spaces."""
    if binary.operator != "**" or precedence_of(binary.left) < NUMBER:
        return False
    right = binary.right
    if isinstance(right, Binary) and right.operator == "**":
        right = right.left
    return is_simple(binary.left) and is_simple(right)


def is_simple(node: Code) -> bool:
    """Return whether ruff sets no spaces between this operand and a `**`."""
    match node:
        case Name():
            return True
        case Attribute(value) | Unary(_, value):
            return is_simple(value)
        case Constant(value):
            return value is None or isinstance(value, int) or precedence_of(node) < POSTFIX
        case _:
            return False


def precedence_of(node: Code) -> int:
    """Return how tightly an expression binds."""
    match node:
        case Name() | Call():  # the usual ones first
            return ATOM
        case Binary(operator):
            return PRECEDENCE[operator]
        case Unary():
            return UNARY
        case Conditional():
            return CONDITIONAL
        case Constant(bool()):
            return ATOM
        case Constant(int(value)):
            return UNARY if value < 0 else NUMBER
        case Constant(float(value)) if math.isfinite(value):
            return UNARY if math.copysign(1, value) < 0 else NUMBER
        case _:
            return ATOM


def parts(node: Code, level: int = 0) -> list[Part]:
    """Return `node` as text and brackets; in parentheses if it binds less than `level`."""
    if level and precedence_of(node) < level:
        return [parenthesis(node)]
    write = PARTS.get(type(node))
    if write is None:
        raise TypeError(f"{node!r} has no text")
    return write(node)


def brief(node: Code) -> str | None:
    """Return the text of a name, a whole number, a word or a call of these, which most lines are.

    It is on one line; for all else there is None.
    """
    if isinstance(node, Name):
        return node.id
    if isinstance(node, Constant):
        return repr(node.value) if type(node.value) in BRIEF else None
    if not isinstance(node, Call) or not isinstance(node.function, Name):
        return None
    texts = []
    for arg in node.args:
        texts.append(brief(arg))
    for name, value in node.keywords:
        text = brief(value)
        texts.append(text and f"{name}={text}")
    found = [*filter(None, texts)]
    return f"{node.function.id}({', '.join(found)})" if len(found) == len(texts) else None


def slice_parts(node: Slice) -> list[Part]:
    """Return `start:stop:step`; ruff sets spaces at the colons unless all are names or literals."""
    given = [part for part in (node.start, node.stop, node.step) if part is not None]
    space = "" if all(map(is_simple_bound, given)) else " "
    found: list[Part] = [] if node.start is None else [*parts(node.start), space]
    found.append(":")
    if node.stop is not None:
        found += [space, *parts(node.stop)]
    if node.step is not None:
        found += ["" if node.stop is None else space, ":", space, *parts(node.step)]
    return found


def is_simple_bound(node: Code) -> bool:
    """Return whether a bound of a slice is a name or literal to ruff."""
    match node:
        case Name(name):
            return "." not in name
        case Unary(_, operand):
            return is_simple_bound(operand)
        case _:
            return isinstance(node, Constant)


def joined(operands: list[Term]) -> list[Part]:
    """Return the operands and operators in a row."""
    if len(operands) == 1:
        return operands[0].parts
    found: list[Part] = []
    for term in operands:
        if term.operator:
            found.append(term.operator)
        found += term.parts
    return found


def chain(node: Code) -> list[Part]:
    """Return attributes, calls and subscripts in a row, innermost first: `a.b(c)[d]`."""
    links: list[Part] = []
    while True:
        match node:
            case Call(inner, args, keywords):
                items = unlabelled(args) + labelled(keywords)
                links.append(bracket("(", items, ")"))
            case Attribute(inner, name):
                inner = spelled(inner)
                breaks = isinstance(inner, Call | Subscript) or precedence_of(inner) < POSTFIX
                links.append(Dot(f".{name}") if breaks else f".{name}")
            case Subscript(inner, index):
                links.append(subscript(index))
            case _:
                return parts(node, POSTFIX) + links[::-1]
        node = inner


def bracket(opening: str, items: tuple[tuple[str, Code], ...], closing: str) -> Part:
    return Bracket(opening, items, closing) if items else opening + closing


def unlabelled(items: tuple[Code, ...]) -> tuple[tuple[str, Code], ...]:
    return tuple([("", item) for item in items])


def labelled(keywords: tuple[tuple[str, Code], ...]) -> tuple[tuple[str, Code], ...]:
    return tuple([(f"{name}=", value) for name, value in keywords]) if keywords else ()


def constant(node: Constant) -> list[Part]:
    finite = spelled(node)
    return [literal(node.value)] if finite is node else chain(finite)


def comprehension(node: Comprehension) -> Bracket:
    loop = f"for {', '.join(node.targets)} in "
    return Bracket("[", (("", node.element), (loop, node.iterable)), "]", " ")


def dictionary(node: Dict) -> Part:
    return bracket("{", tuple((f"{string(key)}: ", item) for key, item in node.items), "}")


def parenthesis(node: Code) -> Bracket:
    return Bracket("(", (("", node),), ")")


def subscript(index: Code) -> Part:
    items = tuple_items(index)
    several = items if len(items) > 1 else (index,)
    return Bracket("[", unlabelled(several), "]")


def tuple_items(node: Code) -> tuple[Code, ...]:
    match node:
        case Tuple(items):
            return items
        case Constant(tuple(values)):
            return tuple(map(Constant, values))
        case _:
            return ()


def tuple_bracket(items: tuple[Code, ...]) -> Part:
    return bracket("(", unlabelled(items), ",)" if len(items) == 1 else ")")


def literal(value: object) -> Part:
    match value:
        case None | bool():
            return repr(value)
        case int():
            return int.__repr__(value)
        case float():
            return float.__repr__(value).replace("e+", "e")
        case str():
            return string(value)
        case tuple():
            return tuple_bracket(tuple(map(Constant, value)))
        case _:
            raise TypeError(f"{value!r} is no literal")


def spelled(node: Code) -> Code:
    """Return `float("inf")` for infinities and NaN, which have no literal."""
    match node:
        case Constant(float(value)) if not math.isfinite(value):
            return Call(Name("float"), (Constant(repr(float(value))),))
    return node


def string(value: str) -> str:
    """Return a string literal in ASCII, in the quotes that ruff prefers."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    text = value.encode("unicode_escape").decode("ascii").replace(quote, f"\\{quote}")
    return f"{quote}{text}{quote}"


PARTS: dict[type[Code], Callable[[Any], list[Part]]] = {
    Name: lambda node: [node.id],
    Constant: constant,
    Call: chain,
    Attribute: chain,
    Subscript: chain,
    Slice: slice_parts,
    Tuple: lambda node: [tuple_bracket(node.items)],
    List: lambda node: [bracket("[", unlabelled(node.items), "]")],
    Dict: lambda node: [dictionary(node)],
    Unary: lambda node: [node.operator, *parts(node.operand, NUMBER)],
    Binary: lambda node: joined(terms(node)),
    Conditional: lambda node: joined(terms(node)),
    Comprehension: lambda node: [comprehension(node)],
    Unpacked: lambda node: ["*", *parts(node.value)],
}


# A line may be broken only inside a bracket.


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
