"""Code, statements and classes as Python text, laid out exactly as `ruff format` leaves it."""

from __future__ import annotations

import inspect
import math
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import field
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from mimgraph.data import data
from mimgraph.ir.code import (
    Attribute,
    Binary,
    Call,
    Code,
    Comprehension,
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

WIDTH = 100
INDENT = 4

# Expressions: to parts ---------------------------------------------------------------------------

# How tightly an expression binds. A number binds less than a name: `(1).real` needs parentheses.
UNARY, POWER, NUMBER, POSTFIX, ATOM = 11, 12, 13, 14, 15
PRECEDENCE = (
    dict.fromkeys(("<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not"), 4)
    | {"or": 1, "and": 2, "|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9}
    | dict.fromkeys(("*", "/", "//", "%", "@"), 10)
    | {"**": POWER}
)
COMPARISON = PRECEDENCE["<"]
SIGNS = ("-", "~")


class Bracket(NamedTuple):
    """Items between brackets, each behind its label: where a line may be broken."""

    opening: str
    items: tuple[tuple[str, Code], ...]
    closing: str
    separator: str = ", "


class Dot(str):
    """The attribute of a call, a subscript or a parenthesis: where a line of a chain may begin."""

    __slots__ = ()


Part: TypeAlias = str | Bracket


class Term(NamedTuple):
    """An operand, with the operator in front of it and how tightly that binds."""

    parts: list[Part]
    operator: str = ""
    precedence: int = 0


def terms(node: Code, level: int = 0) -> list[Term]:
    """The operands that stand in `node` without parentheses; `level` is what it must bind to."""
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


def left_level(operator: str) -> int:
    """How tightly the left operand must bind; comparisons would chain."""
    precedence = PRECEDENCE[operator]
    return precedence + (precedence in (COMPARISON, POWER))


def right_level(operator: str) -> int:
    return UNARY if operator == "**" else PRECEDENCE[operator] + 1


def is_tight(binary: Binary) -> bool:
    """Whether ruff writes this power without spaces."""
    if binary.operator != "**" or precedence_of(binary.left) < NUMBER:
        return False
    right = binary.right
    if isinstance(right, Binary) and right.operator == "**":
        right = right.left
    return is_simple(binary.left) and is_simple(right)


def is_simple(node: Code) -> bool:
    """Whether ruff sets no spaces between this operand and a `**`."""
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
    match node:
        case Name() | Call():  # the usual ones first
            return ATOM
        case Binary(operator):
            return PRECEDENCE[operator]
        case Unary():
            return UNARY
        case Constant(bool()):
            return ATOM
        case Constant(int(value)):
            return UNARY if value < 0 else NUMBER
        case Constant(float(value)) if math.isfinite(value):
            return UNARY if math.copysign(1, value) < 0 else NUMBER
        case _:
            return ATOM


def parts(node: Code, level: int = 0) -> list[Part]:
    """`node` as text and brackets; in parentheses if it binds less than `level`."""
    if level and precedence_of(node) < level:
        return [parenthesis(node)]
    write = PARTS.get(type(node))
    if write is None:
        raise TypeError(f"{node!r} has no text")
    return write(node)


def slice_parts(node: Slice) -> list[Part]:
    """`start:stop:step`; ruff sets spaces at the colons unless all parts are names or literals."""
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
    match node:
        case Name(name):
            return "." not in name
        case Unary(_, operand):
            return is_simple_bound(operand)
        case _:
            return isinstance(node, Constant)


def joined(operands: list[Term]) -> list[Part]:
    if len(operands) == 1:
        return operands[0].parts
    found: list[Part] = []
    for term in operands:
        if term.operator:
            found.append(term.operator)
        found += term.parts
    return found


def chain(node: Code) -> list[Part]:
    """Attributes, calls and subscripts, innermost first."""
    links: list[Part] = []
    while True:
        match node:
            case Call(inner, args, keywords):
                items = unlabelled(args)
                if keywords:
                    items += tuple([(f"{name}=", value) for name, value in keywords])
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
    """Infinities and NaN have no literal: they are `float("inf")`."""
    match node:
        case Constant(float(value)) if not math.isfinite(value):
            return Call(Name("float"), (Constant(repr(float(value))),))
    return node


def string(value: str) -> str:
    """A string literal in ASCII, in the quotes that ruff prefers."""
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
    Comprehension: lambda node: [comprehension(node)],
    Unpacked: lambda node: ["*", *parts(node.value)],
}

# Expressions: to text ----------------------------------------------------------------------------


class TooLong(Exception):
    """The text does not fit into the room there is."""


def flat(pieces: list[Part], room: int) -> str:
    """The text on one line; gives up as soon as it is longer than `room`."""
    text = ""
    for piece in pieces:
        text += flat_bracket(piece, room - len(text)) if isinstance(piece, Bracket) else piece
        if len(text) > room:
            raise TooLong
    return text


def flat_bracket(bracket: Bracket, room: int) -> str:
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


@data
class Layout:
    """Breaks into lines what does not fit.

    Ruff keeps a bracket open that ends in a comma, so brackets of several items hold one a line.
    All else follows ruff's own rules, for it would join or move the lines again.
    """

    width: int

    def value(self, node: Code, indent: int, column: int, suffix: int) -> str:
        """The right side of an assignment or the like, where a bare line may not be broken."""
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
        inner = indent + INDENT
        return f"(\n{' ' * inner}{self.inside(operands, inner, inner, 0)}\n{' ' * indent})"

    def fits_opened(self, pieces: list[Part], indent: int, column: int, suffix: int) -> bool:
        """Whether all fits that stands outside of the brackets, if every bracket is opened."""
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
        """From left to right: a bracket opens if it and the text up to the next do not fit."""
        lines = [""]
        for position, piece in enumerate(pieces):
            if isinstance(piece, Bracket):
                room = self.width - column - ahead(pieces, position + 1, suffix, fluent)
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
        """One item a line."""
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
        """An expression in brackets, where a line may begin with an operator or a dot."""
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


def ahead(pieces: list[Part], start: int, suffix: int, fluent: bool) -> int:
    """How much text must follow on the same line as the piece before `start`."""
    length = 0
    for piece in islice(pieces, start, None):
        if isinstance(piece, Bracket):
            return length + len(piece.opening)
        if fluent and isinstance(piece, Dot):
            return length
        length += len(piece)
    return length + suffix


def loosest(operands: list[Term]) -> list[tuple[str, list[Term]]]:
    """The operands split at the operators that bind least, each group behind its operator."""
    lowest = min(term.precedence for term in operands[1:])
    groups: list[tuple[str, list[Term]]] = [("", [])]
    for term in operands:
        if term.precedence == lowest:
            groups.append((f"{term.operator.strip()} ", []))
            term = Term(term.parts)
        groups[-1][1].append(term)
    return groups


def is_fluent(pieces: list[Part]) -> bool:
    """Whether ruff breaks a chain before its dots."""
    return sum(isinstance(piece, Dot) for piece in pieces) > 1


def starts_open(pieces: list[Part]) -> bool:
    """Whether the expression begins with a bracket, its signs aside."""
    first = next(piece for piece in pieces if piece not in SIGNS)
    return isinstance(first, Bracket) or first in ("()", "[]", "{}")


def may_stay_bare(operands: list[Term], pieces: list[Part]) -> bool:
    """Whether ruff opens a bracket at an end of the expression rather than parenthesise it all."""
    first, last = pieces[0], pieces[-1]
    precedences = [term.precedence for term in operands[1:]]
    if precedences and precedences.count(min(precedences)) > 1:
        return False
    if not precedences and first != "~":
        return False
    subject = [part for part in operands[-1].parts[:-1] if part not in SIGNS]
    subscripted = isinstance(last, Bracket) and last.opening == "[" and bool(subject)
    return isinstance(first, Bracket) or (isinstance(last, Bracket) and not subscripted)


def expression(
    node: Code, width: int = WIDTH, indent: int = 0, prefix: int = 0, suffix: int = 0
) -> str:
    """`node` as the value of a statement.

    `indent` is the statement's, `prefix` the columns used before the value, the indent included,
    and `suffix` those that must follow it.
    """
    return Layout(width).value(node, indent, prefix, suffix)


# Statements and files ----------------------------------------------------------------------------


@data
class Assign:
    """`a, b = value  # comment`; a comment that does not fit is left out.

    `node` is the node that is computed, which is not written.
    """

    targets: tuple[str, ...]
    value: Code
    comment: str = ""
    node: str = field(default="", compare=False)


@data
class Return:
    value: Code
    node: str = field(default="", compare=False)


@data
class Delete:
    names: tuple[str, ...]


@data
class Expr:
    value: Code


@data
class For:
    target: tuple[str, ...]
    iterable: Code
    body: tuple[Statement, ...]


@data
class If:
    test: Code
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...] = ()


Statement: TypeAlias = Assign | Return | Delete | Expr | For | If


@data
class Parameter:
    name: str
    annotation: str
    default: Code | None = None


@data
class Function:
    """A method; `self` is not among its parameters."""

    name: str
    parameters: tuple[Parameter, ...]
    keyword_only: bool
    returns: str
    body: tuple[Statement, ...]
    doc: str = ""


@data
class Class:
    name: str
    base: str
    doc: str
    body: tuple[Function, ...]


LAYOUT = Layout(WIDTH)


def module_text(
    imports: tuple[str, ...], classes: tuple[Class, ...], helpers: tuple[str, ...] = ()
) -> str:
    """A whole file; the imports are lines ready to print, the helpers functions."""
    head = ["\n".join(imports)] if imports else []
    return (
        "\n\n\n".join((*head, *helpers, *("\n".join(class_lines(item)) for item in classes))) + "\n"
    )


def class_lines(item: Class) -> Iterator[str]:
    start = f"class {item.name}"
    yield LAYOUT.run([start, parenthesis(Name(item.base))], 0, 0, 1) + ":"
    doc = docstring(item.doc, INDENT)
    yield from doc
    for position, function in enumerate(item.body):
        if position or doc:
            yield ""
        yield from function_lines(function)
    if not doc and not item.body:
        yield f"{' ' * INDENT}pass"


def function_lines(function: Function) -> Iterator[str]:
    margin = " " * INDENT
    items = ["self", *(["*"] if function.keyword_only and function.parameters else [])]
    items += map(parameter, function.parameters)
    returns = f" -> {function.returns}:"
    line = f"{margin}def {function.name}({', '.join(items)}){returns}"
    if len(line) > WIDTH:
        body = "".join(f"{margin * 2}{item},\n" for item in items)
        line = f"{margin}def {function.name}(\n{body}{margin}){returns}"
    yield line
    doc = docstring(function.doc, 2 * INDENT)
    yield from doc
    for statement in function.body:
        yield from statement_lines(statement, 2 * INDENT)
    if not doc and not function.body:
        yield f"{margin * 2}pass"


def parameter(item: Parameter) -> str:
    text = f"{item.name}: {item.annotation}"
    if item.default is None:
        return text
    column = 2 * INDENT + len(text) + 3
    return f"{text} = {LAYOUT.inside(terms(item.default), 2 * INDENT, column, 1)}"


def statement_lines(statement: Statement, indent: int) -> Iterator[str]:
    margin = " " * indent
    match statement:
        case Assign(targets, value, comment):
            yield commented(margin + bound("", targets, " = ", value, indent, 0), comment)
        case Return(value):
            yield f"{margin}return {returned(value, indent)}"
        case Expr(value):
            yield margin + LAYOUT.value(value, indent, indent, 0)
        case Delete(names):
            yield f"{margin}del {bare_tuple(tuple(map(Name, names)), indent, indent + 4)}"
        case For(target, iterable, body):
            yield f"{margin}{bound('for ', target, ' in ', iterable, indent, 1)}:"
            for inner in body:
                yield from statement_lines(inner, indent + INDENT)
        case If():
            yield from if_lines(statement, indent, "if ")


def if_lines(statement: If, indent: int, keyword: str) -> Iterator[str]:
    margin = " " * indent
    yield f"{margin}{keyword}{LAYOUT.value(statement.test, indent, indent + len(keyword), 1)}:"
    for inner in statement.body:
        yield from statement_lines(inner, indent + INDENT)
    match statement.orelse:
        case (If() as other,):
            yield from if_lines(other, indent, "elif ")
        case (_, *_):
            yield f"{margin}else:"
            for inner in statement.orelse:
                yield from statement_lines(inner, indent + INDENT)


def bound(
    keyword: str, names: tuple[str, ...], link: str, value: Code, indent: int, suffix: int
) -> str:
    """Names and the value they are bound to; several names open up if their line is too long."""
    start = f"{keyword}{', '.join(names)}{link}"
    text = start + LAYOUT.value(value, indent, indent + len(start), suffix)
    if len(names) == 1 or len((text + " " * suffix).split("\n")[0]) <= WIDTH - indent:
        return text
    opened = LAYOUT.opened(Bracket("(", tuple(("", Name(name)) for name in names), ")"), indent)
    column = indent + len(f"){link}")
    return f"{keyword}{opened}{link}{LAYOUT.value(value, indent, column, suffix)}"


def commented(line: str, comment: str) -> str:
    """The comment is text of strangers: only what is plain goes behind the line."""
    whole = f"{line}  # {comment}"
    plain = comment and comment == comment.strip() and comment.isascii() and comment.isprintable()
    return whole if plain and "\n" not in line and len(whole) <= WIDTH else line


def returned(value: Code, indent: int) -> str:
    column = indent + len("return ")
    if isinstance(value, Tuple) and len(value.items) > 1:
        return bare_tuple(value.items, indent, column)
    return LAYOUT.value(value, indent, column, 0)


def bare_tuple(items: tuple[Code, ...], indent: int, column: int) -> str:
    """`a, b`, in parentheses only where it takes several lines."""
    if len(items) == 1:
        return LAYOUT.value(items[0], indent, column, 0)
    try:
        return flat_bracket(Bracket("", unlabelled(items), ""), WIDTH - column)
    except TooLong:
        return LAYOUT.value(Tuple(items), indent, column, 0)


def docstring(doc: str, indent: int) -> list[str]:
    """The lines of a docstring of free text, wrapped; nothing in the text can end it."""
    text = inspect.cleandoc("\n".join(map(str.rstrip, doc.split("\n"))).strip())
    if not text:
        return []
    text = re.sub(r'^"|"(?="|\Z)', r'\\"', "".join(map(escaped, text)))
    margin = " " * indent
    closing = '"""'
    width = WIDTH - indent - (0 if "\n" in text else len(closing))
    lines = [piece for line in f'"""{text}'.split("\n") for piece in wrapped(line, width)]
    if len(lines) == 1:  # ruff would join the closing quotes to a single line
        return [f"{margin}{lines[0]}{closing}"]
    return [margin + line if line else "" for line in (*lines, closing)]


def escaped(character: str) -> str:
    """What shows as itself stays, and so do the ends of lines."""
    if character == "\n" or (character.isprintable() and character != "\\"):
        return character
    return character.encode("unicode_escape").decode("ascii")


def wrapped(line: str, width: int) -> list[str]:
    """The line in pieces, each indented as it is; never in the midst of a word or a shape."""
    hang = line[: len(line) - len(line.lstrip())]
    whole = _SHAPE.sub(lambda match: match[0].replace(" ", GLUE), line)
    pieces = textwrap.wrap(
        whole, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
    )
    return [piece.replace(GLUE, " ") for piece in pieces] or [""]


GLUE = "\ue000"  # a space that no line ends at; of Unicode's private use
_SHAPE = re.compile(r"(?:\w+ )?\([^()]{1,40}\)")
