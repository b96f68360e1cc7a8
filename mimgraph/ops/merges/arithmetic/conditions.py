"""Translate conditions of Python and C, `0 < x < 1`, `x && y`, `a if c else b`, to a formula."""

from __future__ import annotations

import re

from mimgraph.ir.expression import (
    COMPARISONS,
    JOINING,
    MAX_DEPTH,
    MAX_TOKENS,
    Arithmetic,
    Expression,
    ExpressionError,
    Not,
    parse_formula,
    to_text,
)

LONGEST = 80  # characters of a formula in a help

_TOKEN = re.compile(
    r"\s*((?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?|\$?[A-Za-z_]\w*"
    r"|&&|\|\||\*\*|//|<=|>=|==|!=|[-+*/%<>(),&|!~?:])",
    re.ASCII,
)
_COMPARED = ("<", "<=", ">", ">=", "==", "!=")
_OR, _AND, _NOT = ("or", "||", "|"), ("and", "&&", "&"), ("not", "!", "~")
_LIMITS = ("", ")", ",", "if", "else", "?", ":", *_OR, *_AND, *_COMPARED)


def as_formula(text: str) -> str | None:
    """Return the formula for a condition, or None if it cannot be parsed."""
    if len(text) > 2 * LONGEST:
        return None
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text):
        return None
    if len(tokens) > MAX_TOKENS or tokens.count("(") > MAX_DEPTH:
        return None
    reader = _Reader(tokens)
    try:
        written = to_text(parse_formula(reader.choice()))
    except (ExpressionError, _Unreadable):
        return None
    return written if reader.token == "" and len(written) <= LONGEST else None


def _true(text: str) -> str:
    """Return the text if it is a condition, else a condition that it is not 0."""
    return text if _is_condition(parse_formula(text)) else f"({text}) != 0"


def _is_condition(expression: Expression) -> bool:
    """Return whether the value of an expression is true or false."""
    match expression:
        case Not():
            return True
        case Arithmetic(operator):
            return operator in COMPARISONS | JOINING
    return False


class _Unreadable(Exception):
    """Raised for a text that is not a condition."""


class _Reader:
    """Parses tokens by recursive descent; each method reads a part and returns it as a formula."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [*tokens, ""]
        self.index = 0

    @property
    def token(self) -> str:
        return self.tokens[self.index]

    def take(self) -> str:
        """Return the current token, and go to the next."""
        self.index += 1
        return self.tokens[self.index - 1]

    def expect(self, token: str) -> None:
        """Read this token."""
        if self.take() != token:
            raise _Unreadable

    def choice(self) -> str:
        """Read `a if c else b` or `c ? a : b`."""
        first = self.any()
        if self.token == "if":
            self.take()
            condition = self.any()
            self.expect("else")
            return f"where({_true(condition)}, {first}, {self.choice()})"
        if self.token == "?":
            self.take()
            one = self.choice()
            self.expect(":")
            return f"where({_true(first)}, {one}, {self.choice()})"
        return first

    def any(self) -> str:
        """Read sides joined by `or`."""
        sides = [self.all()]
        while self.token in _OR:
            self.take()
            sides.append(self.all())
        return " or ".join(sides)

    def all(self) -> str:
        """Read sides joined by `and`."""
        sides = [self.negation()]
        while self.token in _AND:
            self.take()
            sides.append(self.negation())
        return " and ".join(sides)

    def negation(self) -> str:
        """Read a comparison, perhaps behind `not`."""
        if self.token == "not":
            self.take()
            return f"not {self.negation()}"
        return self.comparison()

    def comparison(self) -> str:
        """Read a chain of comparisons: each pair becomes one comparison."""
        sides, operators = [self.arithmetic()], list[str]()
        while self.token in _COMPARED:
            operators.append(self.take())
            sides.append(self.arithmetic())
        if not operators:
            return sides[0]
        pairs = zip(sides, operators, sides[1:], strict=False)
        chain = " and ".join(f"{a} {operator} {b}" for a, operator, b in pairs)
        return chain if len(operators) == 1 else f"({chain})"

    def arithmetic(self) -> str:
        """Read one side of a comparison."""
        parts = []
        while self.token not in _LIMITS:
            parts.append(self.operand())
        if not parts:
            raise _Unreadable
        return " ".join(parts)

    def operand(self) -> str:
        """Read a name, a number, an operator, or something in parentheses."""
        token = self.take()
        if token in _LIMITS:
            raise _Unreadable
        if token in _NOT:
            return f"(not {self.operand()})"
        if token != "(":
            return token
        inside = [self.choice()]
        while self.token == ",":
            self.take()
            inside.append(self.choice())
        self.expect(")")
        return f"({', '.join(inside)})"
