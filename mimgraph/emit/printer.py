"""Print statements and classes as Python text, exactly as `ruff format` leaves it."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator

from mimgraph.emit.expressions import (
    INDENT,
    WIDTH,
    Bracket,
    Layout,
    TooLong,
    flat_bracket,
    terms,
    unlabelled,
)
from mimgraph.emit.tree import (
    Assign,
    Class,
    Delete,
    Expr,
    For,
    Function,
    If,
    Return,
    Statement,
)
from mimgraph.ir.code import Code, Name, Tuple

GLUE = "\ue000"  # stands for a space at which no line may break; private use in Unicode
_SHAPE = re.compile(r"(?:\w+ )?\([^()]{1,40}\)")


def docstring(doc: str, indent: int) -> list[str]:
    """Return the lines of a docstring, wrapped and escaped; none if there is no text."""
    text = inspect.cleandoc("\n".join(map(str.rstrip, doc.split("\n"))).strip())
    if not text:
        return []
    if "\\" in text or not text.replace("\n", "").isprintable():
        text = "".join(map(escaped, text))
    text = re.sub(r'^"|"(?="|\Z)', r'\\"', text)
    margin = " " * indent
    closing = '"""'
    width = WIDTH - indent - (0 if "\n" in text else len(closing))
    lines: list[str] = []
    for line in f'"""{text}'.split("\n"):
        lines += [line] if len(line) <= width else wrapped(line, width)
    if len(lines) == 1:  # ruff would join the closing quotes to a single line
        return [f"{margin}{lines[0]}{closing}"]
    return [margin + line if line else "" for line in (*lines, closing)]


def escaped(character: str) -> str:
    """Return a character as it is if it prints as itself or ends a line, else its escape."""
    if character == "\n" or (character.isprintable() and character != "\\"):
        return character
    return character.encode("unicode_escape").decode("ascii")


def wrapped(line: str, width: int) -> list[str]:
    """Return a line in pieces, each indented like it, broken at no word or shape."""
    hang = line[: len(line) - len(line.lstrip())]
    whole = _SHAPE.sub(lambda match: match[0].replace(" ", GLUE), line)
    pieces = textwrap.wrap(
        whole, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
    )
    return [piece.replace(GLUE, " ") for piece in pieces] or [""]


# Statements, methods and classes.


LAYOUT = Layout(WIDTH)


def module_text(
    imports: tuple[str, ...], classes: Iterable[Class], helpers: Iterable[str] = ()
) -> str:
    """Return a whole file; the imports are lines ready to print, the helpers functions."""
    head = ["\n".join(imports)] if imports else []
    return "\n\n\n".join((*head, *helpers, *map(class_text, classes))) + "\n"


def class_text(item: Class) -> str:
    """Return the text of a class."""
    margin = " " * INDENT
    line = f"class {item.name}({item.base}):"
    if len(line) > WIDTH:
        line = f"class {item.name}(\n{margin}{item.base}\n):"
    doc = docstring(item.doc, INDENT)
    lines = [line, *doc]
    for position, function in enumerate(item.body):
        if position or doc:
            lines.append("")
        lines += function_lines(function)
    if not doc and not item.body:
        lines.append(f"{margin}pass")
    return "\n".join(lines)


def function_lines(function: Function) -> Iterator[str]:
    """Yield the lines of a method; one parameter a line if they do not fit."""
    margin = " " * INDENT
    items = ["self", "*"] if function.keyword_only and function.parameters else ["self"]
    for parameter in function.parameters:
        text = f"{parameter.name}: {parameter.annotation}"
        if parameter.default is not None:
            column = 2 * INDENT + len(text) + 3
            text += f" = {LAYOUT.inside(terms(parameter.default), 2 * INDENT, column, 1)}"
        items.append(text)
    returns = f" -> {function.returns}:"
    line = f"{margin}def {function.name}({', '.join(items)}){returns}"
    if len(line) > WIDTH:
        body = "".join(f"{margin * 2}{item},\n" for item in items)
        line = f"{margin}def {function.name}(\n{body}{margin}){returns}"
    yield line
    doc = docstring(function.doc, 2 * INDENT) if function.doc else []
    yield from doc
    for statement in function.body:
        yield from statement_lines(statement, 2 * INDENT)
    if not doc and not function.body:
        yield f"{margin * 2}pass"


def statement_lines(statement: Statement, indent: int) -> Iterator[str]:
    """Yield the lines of a statement; each may hold line ends where it is broken."""
    margin = " " * indent
    match statement:
        case Assign(targets, value, comment):
            line = margin + bound("", targets, " = ", value, indent, 0)
            yield commented(line, comment) if comment else line
        case Return(Tuple((_, _, *_) as items)):
            yield f"{margin}return {bare_tuple(items, indent, indent + len('return '))}"
        case Return(value):
            yield f"{margin}return {LAYOUT.value(value, indent, indent + len('return '), 0)}"
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
    """Yield an `if` with its `elif` and `else`."""
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
    """Return names and the value they are bound to: `a, b = value`, `for a in value`.

    Several names are broken into lines if theirs is too long.
    """
    start = f"{keyword}{', '.join(names)}{link}"
    text = start + LAYOUT.value(value, indent, indent + len(start), suffix)
    if len(names) == 1 or len((text + " " * suffix).split("\n")[0]) <= WIDTH - indent:
        return text
    opened = LAYOUT.opened(Bracket("(", tuple(("", Name(name)) for name in names), ")"), indent)
    column = indent + len(f"){link}")
    return f"{keyword}{opened}{link}{LAYOUT.value(value, indent, column, suffix)}"


def commented(line: str, comment: str) -> str:
    """Return a line with its comment, if that fits and is plain: it holds names from the spec."""
    whole = f"{line}  # {comment}"
    plain = comment == comment.strip() and comment.isascii() and comment.isprintable()
    return whole if plain and len(whole) - (whole.rfind("\n") + 1) <= WIDTH else line


def bare_tuple(items: tuple[Code, ...], indent: int, column: int) -> str:
    """Return `a, b`, in parentheses only if it takes several lines."""
    if len(items) == 1:
        return LAYOUT.value(items[0], indent, column, 0)
    try:
        return flat_bracket(Bracket("", unlabelled(items), ""), WIDTH - column)
    except TooLong:
        return LAYOUT.value(Tuple(items), indent, column, 0)
