"""The types of options: how an annotation checks, converts and describes a value."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

from mimgraph.diagnostics.text import MAPPING, MOST_PROPOSED, TRUE_OR_FALSE, code, put, unmarked
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import WrittenFloat, WrittenInt

# the value of an option or param
OptionValue: TypeAlias = (
    "bool | int | float | str | Dim | Sequence[OptionValue] | Mapping[str, OptionValue] | None"
)
Check = Callable[[Any], Any]

_NESTED: frozenset[Any] = frozenset({tuple, dict})


class Range(NamedTuple):
    """The bounds of a number, both inclusive; None for no bound."""

    low: float | None = None
    high: float | None = None


Positive = Annotated[int, Range(1)]
NonNegative = Annotated[int, Range(0)]
Depth = Annotated[int, Range(1, 1000)]  # layers of one module, each with weights, which are counted
Probability = Annotated[float, Range(0, 1)]
PositiveFloat = Annotated[float, Range(0)]


class Plain:
    """The annotation of an option that takes any data that a spec can hold."""


def checker(annotation: Any) -> Check:
    """Return a function that converts a value to canonical form, or raises `ValueError`.

    Lists become tuples and ints floats where the annotation says so; bools are no numbers.
    The error has no message: `describe` says what the value should have been.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _ranged(checker(arguments[0]), arguments[1])
    if origin is Literal:
        return _choice(arguments)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is dict:
        return _mapping(arguments)
    return _SIMPLE[annotation]


def understood(annotation: Any) -> Any:
    """Return the annotation of a user's module with `Plain` in place of types that `checker` does
    not know."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return Union[tuple(map(understood, arguments))]  # noqa: UP007 - of a tuple
    if tuple in (annotation, origin):
        each = {understood(one) for one in arguments if one is not Ellipsis}
        one = each.pop() if len(each) == 1 else Plain
        if not arguments or Ellipsis in arguments:
            return tuple[one, ...]  # type: ignore[valid-type]  # mypy takes no variable for a type
        return tuple[(one,) * len(arguments)]  # type: ignore[misc]
    if origin is Literal or annotation in (int, float, bool, str, type(None)):
        return annotation
    return Plain


def describe(annotation: Any) -> str:
    """Return the annotation in words: `an integer of at least 1`."""
    return unmarked(requirement(annotation))


def requirement(annotation: Any) -> str:
    """Return the annotation in words for a text of a diagnostic; a few choices are values to write."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _describe_range(requirement(arguments[0]), arguments[1])
    if origin is Literal:
        shown = put if len(arguments) <= MOST_PROPOSED else str
        return " or ".join(f"'{shown(a)}'" if isinstance(a, str) else repr(a) for a in arguments)
    if origin in (Union, types.UnionType):
        if Dim in arguments:
            arguments = ("a size", *(a for a in arguments if a not in (int, Dim)))
        # next to another type, a flag is only one possibility
        arguments = tuple(TRUE_OR_FALSE if a is bool else a for a in arguments)
        # lists last, so that the words that follow describe their items
        in_order = sorted(arguments, key=lambda one: get_origin(one) in _NESTED)
        return " or ".join(a if isinstance(a, str) else requirement(a) for a in in_order)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return f"a list, each {requirement(arguments[0])}"
        return f"a list of {len(arguments)}, each {requirement(arguments[0])}"
    if origin is dict:
        return f"a {MAPPING} of names, each {requirement(arguments[1])}"
    return _WORDS[annotation]


def _describe_range(base: str, limits: Range) -> str:
    if limits == Range():
        return base
    if limits.high is None:
        return f"{base} of at least {limits.low}"
    return f"{base} from {limits.low} to {limits.high}"


def choices(annotation: Any) -> tuple[str, ...]:
    """Return the strings that an option may be; () if it takes any string."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return tuple(one for one in arguments if isinstance(one, str))
    return tuple(text for one in arguments for text in choices(one))


def _int(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError


def _size(value: Any) -> Any:
    if isinstance(value, Dim) or (type(value) in (int, WrittenInt) and value >= 1):
        return value
    raise ValueError


def _float(value: Any) -> Any:
    if isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            plain = float(value)
        except OverflowError:
            raise ValueError from None
        return WrittenFloat(plain, value.written) if isinstance(value, WrittenInt) else plain
    raise ValueError


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise ValueError


def _exactly(kind: type) -> Check:
    def check(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise ValueError

    return check


def _anything(value: Any) -> Any:
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, bool | int | float | str | None):
        return value
    raise ValueError


_SIMPLE: dict[Any, Check] = {
    int: _int,
    float: _float,
    bool: _exactly(bool),
    str: _text,
    type(None): _exactly(type(None)),
    Any: _anything,
    Plain: _plain,
}
_WORDS: dict[Any, str] = {
    int: "an integer",
    float: "a number",
    bool: f"{put('true')} or {put('false')}",
    str: "a string",
    type(None): code("null"),
    Any: "any value",
    Plain: "a number, text or list",
    Dim: "a size",
}


def _ranged(inner: Check, limits: Range) -> Check:
    low = float("-inf") if limits.low is None else limits.low
    high = float("inf") if limits.high is None else limits.high

    def check(value: Any) -> Any:
        found = inner(value)
        if low <= found <= high:
            return found
        raise ValueError

    return check


def _choice(allowed: tuple[Any, ...]) -> Check:
    def check(value: Any) -> Any:
        if any(type(value) is type(one) and value == one for one in allowed):
            return value
        raise ValueError

    return check


def _union(members: tuple[Any, ...]) -> Check:
    checks: list[Check] = [_size] if Dim in members else [_int] if int in members else []
    for member in members:
        if member not in (Dim, int):
            checks.append(checker(member))
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> Any:
        for one in checks:
            try:
                return one(value)
            except ValueError:
                continue
        raise ValueError

    return check


def _tuple(members: tuple[Any, ...]) -> Check:
    one = checker(members[0])
    length = None if members[-1] is Ellipsis else len(members)

    def check(value: Any) -> Any:
        if isinstance(value, list | tuple) and length in (None, len(value)):
            return tuple(map(one, value))
        raise ValueError

    return check


def _mapping(members: tuple[Any, ...]) -> Check:
    one = checker(members[1])

    def check(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: one(item) for key, item in value.items()}
        raise ValueError

    return check
