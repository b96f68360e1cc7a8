"""Parse and compute the arithmetic of specs: `$hidden`, `$(2 * hidden + 1)`, and formulas.

`WrittenInt` and `WrittenFloat` are numbers with the expression that they were computed from."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, NoReturn, Self, TypeAlias

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.text import code, put, write
from mimgraph.ir.dim import Dim, DimOverflow

LIMIT = 2**63
MAX_TOKENS = 256
MAX_DEPTH = 32

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>\$?[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|//|<=|>=|==|!=|[-+*/%<>(),])"
    r"|(?P<foreign>\S))",
    re.ASCII,
)
_BINDING = {"or": 1, "and": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4}
_BINDING |= {"+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "**": 8}
_NOT, _SIGN = 3, 7  # how tightly `not` and a sign bind
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
JOINING = frozenset({"and", "or"})


Token: TypeAlias = tuple[str, str, int, int]  # its kind, its text, where it starts and ends


class ExpressionError(Exception):
    """An expression that cannot be read or computed.

    The fault is in the characters `start` to `end`; without them, in the whole expression.
    """

    def __init__(
        self,
        message: str,
        start: int = 0,
        end: int = -1,
        code: DiagnosticCode = "bad-expression",
        help: str = "",
    ) -> None:
        super().__init__(message)
        self.message, self.start, self.end = message, start, end
        self.code, self.help = code, help


class Syntax:
    """A part of an expression or of code, compared and shown by its fields. It is never changed."""

    __match_args__: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Any, ...]:
        """The values of its fields, in the order in which they are printed."""
        return tuple(map(self.__getattribute__, self.__match_args__))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.parts == self.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __repr__(self) -> str:
        fields = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.__match_args__])
        return f"{type(self).__name__}({fields})"


class Expression(Syntax):
    """A parsed expression; equality ignores where it stands in its text."""


@dataclass(eq=False, repr=False)
class Number(Expression):
    """`2` or `0.5`."""

    value: int | float


@dataclass(eq=False, repr=False)
class Variable(Expression):
    """A name; in a formula `$name` is a param and keeps its `$`."""

    name: str
    start: int = 0
    end: int = 0

    @property
    def parts(self) -> tuple[Any, ...]:
        return (self.name,)


@dataclass(eq=False, repr=False)
class Negative(Expression):
    """`-operand`."""

    operand: Expression


@dataclass(eq=False, repr=False)
class Not(Expression):
    """`not operand`, legal in formulas only."""

    operand: Expression


@dataclass(eq=False, repr=False)
class Arithmetic(Expression):
    """`left operator right`; comparisons, `and` and `or` are legal in formulas only."""

    operator: str
    left: Expression
    right: Expression


@dataclass(eq=False, repr=False)
class FunctionCall(Expression):
    """`function(arguments)`, legal in formulas only; `start` and `end` locate its name."""

    function: str
    arguments: tuple[Expression, ...]
    start: int = 0
    end: int = 0

    @property
    def parts(self) -> tuple[Any, ...]:
        return self.function, self.arguments


class _WrittenNumber:
    """The part of `WrittenInt` and `WrittenFloat` that does not depend on the type, which is `plain`."""

    plain: ClassVar[type[Any]]
    written: Expression

    def __new__(cls, value: Any = 0, written: Expression | None = None) -> Self:
        if written is None:  # code that makes a number of the same type, `type(n)(2 * n)`
            return cls.plain(value)  # type: ignore[no-any-return]
        self = super().__new__(cls, value)  # type: ignore[call-arg]
        self.written = written
        return self

    def __reduce__(self) -> tuple[type[Any], tuple[Any]]:
        return self.plain, (self.plain(self),)


class WrittenInt(_WrittenNumber, int):
    """An int that remembers how it was written; arithmetic keeps the expression."""

    plain = int


class WrittenFloat(_WrittenNumber, float):
    """A float that remembers how it was written."""

    plain = float


class WrittenText(str):
    """A text with its `$name` filled in, which remembers the template and the value of each name."""

    template: str
    values: Mapping[str, Any]

    def __new__(cls, value: str, template: str, values: Mapping[str, Any]) -> Self:
        self = super().__new__(cls, value)
        self.template, self.values = template, values
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


PLAIN_TYPES = frozenset(
    {int, float, bool, str, type(None), Dim}
)  # these have no parts and remember no expression


def written(value: Any, expression: Expression) -> Any:
    """Return `value` so that it remembers `expression`, where its type can."""
    if type(value) is int or type(value) is WrittenInt:
        return WrittenInt(value, expression)
    if type(value) is float or type(value) is WrittenFloat:
        return WrittenFloat(value, expression)
    return value


def plain(value: Any) -> Any:
    """Return a value without the expression that gave it, which means nothing in another block."""
    kind = type(value)
    if kind in PLAIN_TYPES:
        return value
    if kind is list or kind is tuple:
        return kind(map(plain, value))
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else value


def identity(value: Any) -> Hashable:
    """Return a key for a value, its type and the expression that gave it; valid while the value lives."""
    kind = type(value)
    if kind is float:
        return kind, repr(value)  # 0.0 is not -0.0
    if kind in PLAIN_TYPES:
        return kind, value
    if kind is WrittenInt:
        return kind, value, id(value.written)
    if kind is WrittenFloat:
        return kind, repr(value), id(value.written)
    if kind is WrittenText:
        return kind, value, value.template, identity(value.values)
    if kind is list or kind is tuple:
        return kind, *map(identity, value)
    if kind is dict:
        return kind, *[(key, identity(item)) for key, item in value.items()]
    return kind, id(value)  # no spec can say it, and it may have no hash


def _written(operator: str, left: Any, right: Any) -> Any:
    """Return the result of Python arithmetic on a written int, with its expression."""
    plain = tuple(int(v) if isinstance(v, int) else v for v in (left, right))
    if not isinstance(left, int) or not isinstance(right, int):
        return _OPERATORS[operator](*plain)
    if operator == "*" and left == 1 and not isinstance(left, WrittenInt):
        return right  # the first factor of math.prod
    sides = tuple(getattr(v, "written", None) or Number(int(v)) for v in (left, right))
    return WrittenInt(_OPERATORS[operator](*plain), Arithmetic(operator, *sides))


def _power(base: Any, exponent: Any) -> Any:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and base.bit_length() * exponent > 128:
        raise OverflowError
    return base**exponent


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": _power,
}


def _keep_expression(name: str, operator: str) -> None:
    """Let an arithmetic operator on a written int keep its expression."""
    setattr(WrittenInt, f"__{name}__", lambda left, right: _written(operator, left, right))
    setattr(WrittenInt, f"__r{name}__", lambda right, left: _written(operator, left, right))


for _name, _operator in (
    ("add", "+"),
    ("sub", "-"),
    ("mul", "*"),
    ("floordiv", "//"),
    ("mod", "%"),
):
    _keep_expression(_name, _operator)


def parse(text: str, start: int = 0, end: int | None = None) -> Expression:
    """Parse `text[start:end]`; positions in errors and variables count from the start of `text`."""
    end = len(text) if end is None else end
    return _Parser(_tokens(text, start, end), start, end).parse()


def parse_formula(text: str) -> Expression:
    """Parse a formula, which may join conditions and have `$(...)`: arithmetic of params."""
    return _Parser(map(_as_operator, _tokens(text, 0, len(text))), 0, len(text)).parse()


def _as_operator(token: Token) -> Token:
    """Return a token of a formula, in which these words and the `$` of `$(` are operators."""
    return ("operator", *token[1:]) if token[1] in ("and", "or", "not", "$") else token


class _Parser:
    """Parses by precedence climbing over a bounded list of tokens."""

    def __init__(self, tokens: Iterable[Token], start: int, end: int) -> None:
        self.tokens = list(tokens)
        self.index = 0
        self.whole = (start, end)

    def parse(self) -> Expression:
        result = self.expression(0, 0)
        if self.kind != "end":
            self.fail(f"unexpected {self.text!r}")
        return result

    @property
    def kind(self) -> str:
        return self.tokens[self.index][0]

    @property
    def text(self) -> str:
        return self.tokens[self.index][1]

    def fail(self, message: str) -> NoReturn:
        kind, _, start, end = self.tokens[self.index]
        raise ExpressionError(message, *((start, end) if kind != "end" else self.whole))

    def take(self) -> Token:
        token = self.tokens[self.index]
        self.index += 1
        return token

    def accept(self, text: str) -> bool:
        found = self.kind == "operator" and self.text == text
        self.index += found
        return found

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail(f"{text!r} is missing" if self.kind == "end" else f"unexpected {self.text!r}")

    def expression(self, minimum: int, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise ExpressionError(
                f"more than {MAX_DEPTH} levels of parentheses", *self.whole, code="too-large"
            )
        if minimum <= _NOT and self.accept("not"):
            left: Expression = Not(self.expression(_NOT, depth + 1))
        else:
            left = self.operand(depth)
        while self.kind == "operator" and (binding := _BINDING.get(self.text, -1)) >= minimum:
            operator = self.text
            self.index += 1
            # ** binds to the right, and a comparison does not chain
            right = self.expression(binding if operator == "**" else binding + 1, depth + 1)
            if operator in COMPARISONS and self.kind == "operator" and self.text in COMPARISONS:
                self.fail("comparisons do not chain")
            left = Arithmetic(operator, left, right)
        return left

    def operand(self, depth: int) -> Expression:
        if self.accept("-"):
            return Negative(self.expression(_SIGN, depth + 1))
        if self.accept("+"):
            return self.expression(_SIGN, depth + 1)
        if self.accept("$"):
            return self.of_params(depth)
        if self.accept("("):
            inner = self.expression(0, depth + 1)
            self.expect(")")
            return inner
        if self.kind == "number":
            return self.number()
        if self.kind == "name":
            _, name, start, end = self.take()
            if self.accept("("):
                return FunctionCall(name, self.arguments(depth), start, end)
            return Variable(name, start, end)
        self.fail("an operand is missing" if self.kind == "end" else f"unexpected {self.text!r}")

    def of_params(self, depth: int) -> Expression:
        """Parse the rest of `$(...)`, in which each name is a param."""
        start = self.tokens[self.index - 1][2]
        if not self.accept("("):
            self.index -= 1
            self.fail("unexpected '$'")
        inner = self.expression(0, depth + 1)
        self.expect(")")
        return _of_params(inner, start, self.tokens[self.index - 1][3])

    def arguments(self, depth: int) -> tuple[Expression, ...]:
        if self.accept(")"):
            return ()
        found = [self.expression(0, depth + 1)]
        while self.accept(","):
            found.append(self.expression(0, depth + 1))
        self.expect(")")
        return tuple(found)

    def number(self) -> Number:
        _, text, start, end = self.take()
        value: int | float = int(text) if text.isdigit() and len(text) < 25 else float(text)
        if not _bounded(value):
            raise ExpressionError("a number of more than 64 bits", start, end, "too-large")
        return Number(value)


def _of_params(expression: Expression, start: int, end: int) -> Expression:
    """Return the expression in `$(...)`, which stands at `start` to `end`, with params for names."""
    match expression:
        case Number():
            return expression
        case Variable(name, first, last) if not name.startswith("$"):
            return Variable(f"${name}", first, last)
        case Variable(_, first, _):
            help = "write the name alone"
            raise ExpressionError(
                f"there is no '$' within {IN_PARENTHESES}", first, first + 1, help=help
            )
        case Negative(operand):
            return Negative(_of_params(operand, start, end))
        case Arithmetic(operator, left, right) if operator not in COMPARISONS | JOINING:
            sides = (_of_params(left, start, end), _of_params(right, start, end))
            return Arithmetic(operator, *sides)
        case FunctionCall(_, _, first, last):
            start, end = first, last
    message = f"{IN_PARENTHESES} has only numbers, names and + - * / // % **"
    raise ExpressionError(message, start, end, help=f"write the rest outside of {IN_PARENTHESES}")


def _tokens(text: str, start: int, end: int) -> Iterator[Token]:
    position, count = start, 0
    while text[position:end].strip():
        match = _TOKEN.match(text, position, end)
        assert match is not None and match.lastgroup is not None  # something stands there
        count += 1
        if count > MAX_TOKENS:
            raise ExpressionError(
                f"an expression of more than {MAX_TOKENS} tokens", start, end, code="too-large"
            )
        kind = match.lastgroup
        yield kind, match[kind], match.start(kind), match.end(kind)
        position = match.end()
    yield "end", "", end, end


def _bounded(value: Any) -> bool:
    if isinstance(value, int):
        return -LIMIT <= value < LIMIT
    return not isinstance(value, float) or math.isfinite(value)


def evaluate(expression: Expression, lookup: Callable[[Variable], Any]) -> Any:
    """Return the value of `expression`; `lookup` returns a variable's value or raises `ExpressionError`."""
    match expression:
        case Variable():
            return lookup(expression)
        case Number(value):
            return value
        case Negative(operand):
            return -_plain(evaluate(operand, lookup))
        case Arithmetic(operator, left, right) if operator not in COMPARISONS:
            return _compute(operator, evaluate(left, lookup), evaluate(right, lookup))
        case Arithmetic():
            help = "an expression has only numbers, names and + - * / // % **"
            raise ExpressionError("an expression cannot compare", help=help)
        case FunctionCall(function, _, start, end):
            message = f"an expression cannot call a function: {function!r}"
            whole = function in ("int", "floor", "round", "ceil")
            help = (
                "for a whole number write a // b"
                if whole
                else "compute it by + - * / // % **, or make it a param"
            )
            raise ExpressionError(message, start, end, help=help)
    raise TypeError(expression)


def _compute(operator: str, left: Any, right: Any) -> Any:
    """Return `left operator right` within 64 bits; errors are about the whole expression."""
    try:
        result = _OPERATORS[operator](_plain(left), _plain(right))
    except ZeroDivisionError:
        raise ExpressionError("division by zero") from None
    except (OverflowError, DimOverflow):
        raise ExpressionError("a result of more than 64 bits", code="too-large") from None
    except TypeError:
        help = "for a whole number write a // b" if operator == "/" else ""
        message = f"{operator!r} does not work on a size known only at run time"
        raise ExpressionError(message, help=help) from None
    if isinstance(result, complex):
        raise ExpressionError("a negative number has no fractional power")
    if not _bounded(result):
        raise ExpressionError("a result of more than 64 bits", code="too-large")
    return result


def _plain(value: Any) -> Any:
    """Return a number without the expression that gave it; raise an error for any other value."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Dim)):
        raise ExpressionError(f"{value!r} is not a number")
    return plain(value)


def variables(expression: Expression) -> list[Variable]:
    """Return every variable, in the order in which they stand."""
    if isinstance(expression, Variable):
        return [expression]
    parts = expression.arguments if isinstance(expression, FunctionCall) else expression.parts
    inner = (part for part in parts if isinstance(part, Expression))
    return [name for part in inner for name in variables(part)]


def to_text(expression: Expression, outer: int = 0) -> str:
    """Return the text of an expression."""
    match expression:
        case Number(value):
            return repr(value) if value >= 0 else f"({value!r})"
        case Variable(name):
            return name
        case Negative(operand):
            text = f"-{to_text(operand, _SIGN)}"
            return f"({text})" if outer > _BINDING["**"] else text  # the base of a power
        case Not(operand):
            text = f"not {to_text(operand, _NOT)}"
            return f"({text})" if outer > _NOT else text
        case Arithmetic(operator, left, right):
            binding = _BINDING[operator]
            # ** binds to the right, a comparison does not chain, the others bind to the left
            first = binding + (operator == "**" or operator in COMPARISONS)
            second = binding + (operator != "**")
            text = f"{to_text(left, first)} {operator} {to_text(right, second)}"
            return f"({text})" if binding < outer else text
        case FunctionCall(function, arguments):
            return f"{function}({', '.join(map(to_text, arguments))})"
    raise TypeError(expression)


# Explain notation of other languages in expressions, with the help: `x ^ 2`, `1_000`, `2x`.


IN_PARENTHESES = code("$(...)")
NEAR = 200  # characters before a fault that are examined


class Place(NamedTuple):
    """The place of a fault in an expression: the text at the fault, and the text before it."""

    text: str
    at: re.Match[str]
    before: re.Match[str]
    names: Collection[str]  # of the sources, in a formula

    @property
    def start(self) -> int:
        return self.at.start()


class Foreign(NamedTuple):
    """Describes notation of other languages by a pattern for the text at the fault and one for the
    text before it, with the message and help, in which `{at}` and `{before}` are these texts.

    With an empty pattern `at`, the fault is the text before.
    """

    at: str
    message: str
    help: str | Callable[[Place], str] = ""
    before: str = ""


def explained(
    error: ExpressionError, text: str, table: Iterable[Foreign], names: Collection[str] = ()
) -> ExpressionError:
    """Return the error with the message and help of the first entry that fits, at the same
    characters."""
    if error.end < error.start or error.code != "bad-expression" or error.help:
        return error
    first = max(0, error.start - NEAR)
    front = text[first : error.start].rstrip()
    for foreign in table:
        at = re.compile(foreign.at, re.ASCII).match(text, error.start)
        before = re.search(f"(?:{foreign.before})$", front, re.ASCII)
        if at is not None and before is not None:
            place = Place(text, at, before, names)
            help = foreign.help if isinstance(foreign.help, str) else foreign.help(place)
            words = {"at": at[0], "before": before[0]}
            message, help = (_filled(part, words) for part in (foreign.message, help))
            start, end = error.start, max(error.end, at.end())
            if not foreign.at:
                start, end = first + before.start(), first + before.end()
            return ExpressionError(message, start, end, help=help)
    return error


def _filled(text: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def _decimal(place: Place) -> str:
    try:
        return write(int("0" + place.at[0].replace("_", ""), 0))
    except ValueError:
        return ""


def _joined(place: Place) -> str:
    return write(place.before[0] + place.at[0].replace("_", ""))


def _product(place: Place) -> str:
    one, other = place.before[0], place.at[0]
    if ")" in one or "(" in other:
        return "write * between them, if they are multiplied"
    return f"write {put(f'{one} * {other}')}, if they are multiplied"


NUMBER = r"\d+(?:\.\d*)?|\.\d+"
NAME = r"\$?[A-Za-z_]\w*"
ENDED = rf"{NUMBER}|{NAME}|\)"

# notation that neither formulas nor the expressions of options have; numbers first
NUMBERS = (
    Foreign(r"_[\d_]+", "a number has no _", _joined, before=r"\b\d+"),
    Foreign(r"[xXoObB][0-9a-fA-F_]+", "numbers are decimal", _decimal, before=r"\b0"),
    Foreign(r"\.\d+", "a number has one point", before=NUMBER),
    Foreign(r"[jJ]\b", "there are no complex numbers", before=NUMBER),
)

SYMBOLS = (
    Foreign(r"\^", "there is no '^'", "a power is **"),
    Foreign(r"√", "there is no '√'", "a root is x ** 0.5"),
    Foreign(r"[×·∗⋅]", "'{at}' is not an operator", write("*")),
    Foreign(r"÷", "'{at}' is not an operator", write("/")),
    Foreign(r"[−–—]", "'{at}' is not a minus sign", write("-")),
    Foreign(r"²", "'{at}' is not an operator", write("** 2")),
    Foreign(r"³", "'{at}' is not an operator", write("** 3")),
    Foreign(r"[\u00a0\u2000-\u200b\u202f\u3000\ufeff]", "a blank of another kind", "write a space"),
    Foreign(r"\*\*|//|[-+*/%]", "a number or name is missing before '{at}'"),
    Foreign(r"\)", "a number or name is missing before ')'", before=r"[-+*/%<>=(,]"),
    Foreign(r"\)", "this ')' closes nothing"),
    Foreign(r";", "there is no ';'", "write one expression"),
    Foreign(r"#", "there are no comments in it", "write the comment behind the value"),
    Foreign(r"is\b", "there is no '{at}' in an expression", write("==")),
    Foreign(r"(?:in|lambda|for|while|as)\b", "there is no '{at}' in an expression"),
    Foreign(rf"{NUMBER}|{NAME}|\(", "an operator is missing before '{at}'", _product, before=ENDED),
)

_ARITHMETIC = "an expression has only numbers, names and + - * / // % **"

# notation that the expressions of options do not have
PLAIN = (
    *NUMBERS,
    Foreign(
        r"[<>!=]=?|and\b|or\b|&+|\|+|if\b|else\b|\?|~",
        "there is no '{at}' in an expression",
        _ARITHMETIC,
    ),
    Foreign(r"", "there is no 'not' in an expression", _ARITHMETIC, before=r"\bnot"),
    Foreign(r"\.", "there is no '.' in an expression", _ARITHMETIC),
    Foreign(r"\[", "there is no '[' in an expression", _ARITHMETIC),
    Foreign(r"['\"]", "text has no place in an expression", "write names and numbers as they are"),
    Foreign(r"\$", f"there is no '$' within {IN_PARENTHESES}", "write the name alone"),
    Foreign(r"\{", "there is no '{' in an expression", "write the name alone"),
    Foreign(r",", "there is no ',' in an expression", _ARITHMETIC),
    Foreign(r"@", "there is no '@' in an expression", _ARITHMETIC),
    *SYMBOLS,
)
