"""Values as the user wrote them, each with its span: expressions, texts with params, options, sizes, and the values that a search may give a param."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple, Self, TypeAlias

from mimgraph.diagnostics.text import put, remove, words
from mimgraph.ir.expression import (
    PLAIN,
    Arithmetic,
    Expression,
    ExpressionError,
    Negative,
    Number,
    Variable,
    evaluate,
    explained,
    parse_formula,
    to_text,
)
from mimgraph.ir.names import name_fault
from mimgraph.source import Span


@dataclass(frozen=True, slots=True)
class Choices:
    """A list of values; `spans` are their places in the spec."""

    values: tuple[Any, ...]
    default: Any
    spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        return f"[{', '.join(map(written, self.values))}]"

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self.values)

    def has(self, value: Any) -> bool:
        """Return whether a value is one of the choices: 1, 1.0 and true differ."""
        return any(is_same(value, one) for one in self.values)


@dataclass(frozen=True, slots=True)
class Integers:
    """The integers from `low` to `high`, both included, each `step` above the last.

    With `log` a sampler draws small ones as often as large ones.
    """

    low: int
    high: int
    default: int
    step: int = 1
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low} to {self.high}{_how(self.step != 1 and self.step, self.log)}"

    @property
    def size(self) -> int:
        """The number of values."""
        return (self.high - self.low) // self.step + 1

    def has(self, value: Any) -> bool:
        """Return whether a value is one of the integers."""
        is_whole = type(value) is int and self.low <= value <= self.high
        return is_whole and (value - self.low) % self.step == 0


@dataclass(frozen=True, slots=True)
class Floats:
    """The numbers from `low` to `high`, both included; with a `step`, some of them.

    With `log` a sampler draws small ones as often as large ones.
    """

    low: float
    high: float
    default: float
    step: float | None = None
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low} to {self.high}{_how(self.step, self.log)}"

    @property
    def size(self) -> float:
        """The number of values, infinite without a step."""
        if self.step is None:
            return 1 if self.low == self.high else math.inf
        return round((self.high - self.low) / self.step) + 1

    def has(self, value: Any) -> bool:
        """Return whether a value is one of the numbers."""
        if type(value) not in (int, float) or not self.low <= value <= self.high:
            return False
        return self.step is None or is_multiple(value - self.low, self.step)


Dimension: TypeAlias = Choices | Integers | Floats
PlainNumber: TypeAlias = int | float


def is_same(one: Any, other: Any) -> bool:
    """Return whether two plain values are equal, also in their types."""
    return type(one) is type(other) and repr(one) == repr(other)


def is_multiple(length: float, step: float) -> bool:
    """Return whether a length is some number of steps, but for rounding."""
    steps = length / step
    return abs(steps - round(steps)) < 1e-6


def _how(step: float | None, log: bool) -> str:
    """Return the words for the step and the scale: `, by 2`."""
    return (f" by {step}" if step else "") + (", log" if log else "")


def written(value: Any) -> str:
    """Return a value as YAML writes it, a text without quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


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


# Sizes of inputs that are linear in one name, `8*H` and `2*T + 1`: parse them and print them.


FORM = "a size must be a name, a multiple of one, or one of these plus a number: T, 8*H, 2*T + 1"
VALUE_IN_SIZE = 'name the axis itself, and put the value of a variable k into the text: f"{k}*H"'
PARAMS = words("write a $ before the name of a param; else name the axis itself", VALUE_IN_SIZE)

_COMPUTED = re.compile(r"[*/%+(^]|-\s*[\d$(]|[\w)]\s+-|^\d(?!.*x\d)", re.ASCII)


class LinearSize(NamedTuple):
    """The size `factor * name + offset`; each number is an `int`, or a `Written` that params give."""

    factor: Any
    name: str
    offset: Any

    def __str__(self) -> str:
        """Return the size as a spec has it: `8*H`, `$patch*H + 1`."""
        product = self.name if self.factor == 1 else f"{_number(self.factor)}*{self.name}"
        if self.offset == 0:
            return product
        if isinstance(self.offset, int) and self.offset < 0:
            return f"{product} - {-self.offset}"
        return f"{product} + {_number(self.offset)}"


def _number(value: Any) -> str:
    """Return a number as it stands in a size: `8`, `$patch`, `$(2 * patch)`."""
    if not isinstance(value, Written):
        return str(value)
    text = to_text(value.expression)
    return f"${text}" if isinstance(value.expression, Variable) else f"$({text})"


def is_computed(text: str) -> bool:
    """Return whether a text that is no name was meant as arithmetic: `8*H` and `T-1`, not `max-len`."""
    return _COMPUTED.search(text) is not None


def size_help(sizes: Sequence[object], at: int) -> str:
    """Return the help for an invalid size in a shape; the first may be the batch, as in Keras."""
    size = sizes[at]
    if size is not None and not (type(size) in (int, str) and size in (-1, "None", "N")):
        return ""
    if at > 0 or len(sizes) == 1:
        return 'name an axis of any length, such as "T"'
    help, rest = remove("the batch"), sizes[1:]
    if not all(type(one) is str or (type(one) is int and one > 0) for one in rest):
        return help
    if len(rest) == 3 and rest[2] in (1, 3, 4) and rest[0] not in (1, 3, 4):
        help, rest = f"{help}, and put the channels first", [rest[2], *rest[:2]]
    return f"{help}: [{', '.join(map(str, rest))}]"


def parse_size(text: str, span: Span, part: Callable[[int, int], Span]) -> Any:
    """Return the size in a text: a `LinearSize`, a name, or what stands for a number if there is no
    name in it; raise an `ExpressionError` for any other text."""
    try:
        expression = parse_formula(text)
    except ExpressionError as error:
        of_sizes = (one for one in PLAIN if one.at != r"\$")  # which says where no $ may stand
        raise explained(error, text, of_sizes) from None
    line = _linear(expression)
    name = line.name
    factor, offset = (
        side.value if isinstance(side, Number) else Written(_as_parsed(side), span, part)
        for side in line[::2]
    )
    if not name:
        return offset
    return name if (factor, offset) == (1, 0) else LinearSize(factor, name, offset)


_ZERO, _ONE = Number(0), Number(1)


def _linear(expression: Expression) -> LinearSize:
    """Return the expression as a linear one, whose numbers are expressions; a number has no name."""
    match expression:
        case Number():
            return LinearSize(_ZERO, "", expression)
        case Variable(name, _, end) if name.startswith("$"):
            param = name[1:]
            return LinearSize(_ZERO, "", Variable(param, end - len(param), end))
        case Variable(name, start, end):
            reason = name_fault(name) if name != "N" else "N is the batch size"
            if reason is not None:
                message = f"{name!r} cannot name a size"
                raise ExpressionError(message, start, end, code="bad-name", help=reason)
            return LinearSize(_ONE, name, _ZERO)
        case Negative(operand):
            return _times(_linear(operand), Number(-1))
        case Arithmetic(operator, left, right):
            return _joined(operator, _linear(left), _linear(right))
    raise ExpressionError(FORM)


def _joined(operator: str, left: LinearSize, right: LinearSize) -> LinearSize:
    """Return the result of arithmetic on two sizes."""
    if left.name and right.name and left.name != right.name:
        message = f"a size has one name, and this has two: {left.name} and {right.name}"
        raise ExpressionError(message, help=PARAMS)
    name = left.name or right.name
    if operator in ("+", "-"):
        parts = (_computed(operator, *pair) for pair in zip(left[::2], right[::2], strict=True))
        factor, offset = parts
        return LinearSize(factor, name, offset)
    if operator == "*" and not (left.name and right.name):
        return _times(left, right.offset) if left.name else _times(right, left.offset)
    if name:
        raise ExpressionError(FORM, help=f"name the axis itself: {put(name)}")
    return LinearSize(_ZERO, "", _computed(operator, left.offset, right.offset))


def _times(line: LinearSize, number: Expression) -> LinearSize:
    """Return a linear expression times a number."""
    factor, offset = (_computed("*", number, side) for side in line[::2])
    return LinearSize(factor, line.name, offset)


def _computed(operator: str, left: Expression, right: Expression) -> Expression:
    """Return the arithmetic of two numbers, done where params do not matter."""
    if (operator, left) == ("+", _ZERO) or (operator, left) == ("*", _ONE):
        return right
    if (operator, right) in (("+", _ZERO), ("-", _ZERO), ("*", _ONE)):
        return left
    if operator == "*" and _ZERO in (left, right):
        return _ZERO
    found = Arithmetic(operator, left, right)
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(evaluate(found, _no_value))
    return found


def _as_parsed(expression: Expression) -> Expression:
    """Return an expression as its own text is parsed: with a sign before a number that is negative."""
    match expression:
        case Number(value) if value < 0:
            return Negative(Number(-value))
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, _as_parsed(left), _as_parsed(right))
    return expression


def _no_value(variable: Variable) -> Any:
    raise ExpressionError("a param has no value yet", variable.start, variable.end)
