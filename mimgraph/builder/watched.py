"""The numbers that a block's function receives: they keep their expressions and record their use.

A param stays a param of the block only if every value would make the same block. So each use that
could decide something in Python (a comparison, `range`, an index, formatting) is recorded in the
trace.

A watched number is not an int, and must pass for one in the user's code: `isinstance(width, int)` has to
be true, and asking is a use to record, as the function may decide by the answer. A subclass of int can
give the answer but cannot record the question, nor the arithmetic, indexing and formatting that C code
does with its value. So the class overrides `__class__` and every operator. This is confined to this
file: others test `type(value) is Watched`, which records nothing.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import (
    Arithmetic,
    Expression,
    Number,
    Variable,
    WrittenFloat,
    WrittenInt,
    written,
)
from mimgraph.ops.layer_call import is_source

if TYPE_CHECKING:
    from mimgraph.builder.trace import Result, Trace


@dataclass(eq=False, repr=False)
class Local(Variable):
    """The name of a param or axis in one run of a block's function, its `owner`."""

    owner: Trace | None = None


# names or results, each with the run of the block's function
Origins = frozenset[tuple["Trace", "str | Result"]]
RESULTS = ""  # in place of a name: all sizes of results of layers in that run


def origins_of(expression: Expression) -> Origins:
    """Return the names in an expression; shared parts are visited once."""
    found: set[tuple[Trace, str | Result]] = set()
    known, stack = {id(expression)}, [expression]
    while stack:
        match stack.pop():
            case Local(name=name, owner=owner) if owner is not None:
                found.add((owner, name))
            case Arithmetic(_, left, right):
                new = [side for side in (left, right) if id(side) not in known]
                known.update(map(id, new))
                stack += new
    return frozenset(found)


def note_use(value: Any) -> None:
    """Record that Python code decided something by each number in the value of an option."""
    if isinstance(value, list | tuple):
        for item in value:
            note_use(item)
    elif isinstance(value, dict):
        note_use(list(value.values()))
    elif isinstance(value, WrittenInt | WrittenFloat):
        _note(origins_of(value.written))


def _note(origins: Origins) -> None:
    for trace, name in origins:
        trace.note(name)


def unwatched(value: Any) -> Any:
    """Return the value of an option; a watched number becomes one with its expression."""
    return value.use() if type(value) is Watched else value


def as_given(value: Any) -> Any:
    """Return a param as the caller gave it, without the expressions of the caller's own block."""
    kind = type(value)
    if kind is Watched:
        return value.plain
    if kind is WrittenInt:
        return int(value)
    if kind is WrittenFloat:
        return float(value)
    if kind is list or kind is tuple:
        return kind(map(as_given, value))
    if kind is dict:
        return {key: as_given(item) for key, item in value.items()}
    return value


class Watched:
    """A number that behaves as its int, float or run-time size, and records its use.

    `expression` says how it was computed from the names of the block; it is None if that is unknown,
    as for the size of a layer's result. `origins` are the names that it depends on.
    """

    __slots__ = ("expression", "origins", "plain")

    def __init__(self, plain: Any, expression: Expression | None, origins: Origins) -> None:
        self.plain = plain
        self.expression = expression
        self.origins = origins

    def look(self) -> Any:
        """Return the plain number; record that Python code decides something by it."""
        _note(self.origins)
        return self.plain

    def use(self) -> Any:
        """Return the number with its expression, for an option."""
        if self.expression is None:
            return self.look()
        for trace, name in self.origins:
            if isinstance(name, str):  # the size of a result has no expression
                trace.used.add(name)
        return written(self.plain, self.expression)

    @property  # type: ignore[misc]  # isinstance reads it, and object has it as an attribute
    def __class__(self) -> Any:
        return type(self.look())

    def __getattr__(self, name: str) -> Any:
        kind = type(self.plain)
        if not hasattr(kind, name):
            raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
        return getattr(self.look(), name)

    def __copy__(self) -> Watched:
        return self

    def __deepcopy__(self, memo: Any) -> Watched:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.look().__reduce_ex__(protocol)


def _looked_at(value: Any) -> Any:
    return value.look() if type(value) is Watched else value


def _computed(symbol: str, left: Any, right: Any) -> Any:
    """Return the result of arithmetic, watched if it is a whole number or a run-time size."""
    sides = (left, right)
    plain = tuple(side.plain if type(side) is Watched else side for side in sides)
    try:
        result = _ARITHMETIC[symbol][1](*plain)
    except Exception:
        tuple(map(_looked_at, sides))
        raise
    watched = [side for side in sides if type(side) is Watched]
    if all(isinstance(value, int) for value in plain):
        origins = frozenset().union(*(side.origins for side in watched))
        one, other = map(_expression, sides)
        known = Arithmetic(symbol, one, other) if one and other else None
        return Watched(result, known, origins)
    sizes = [side for side in watched if type(side.plain) is type(result) is Dim]
    for side in watched:
        if type(side.plain) is not Dim or not sizes:
            side.look()  # the size has its value in it, or the result is not watched
    if not sizes:
        return result
    # a run-time size is written as its own text, not as this expression; one is kept only to say that
    # the size can be declared
    parts = [side.expression for side in sizes]
    origins = frozenset().union(*(side.origins for side in sizes))
    return Watched(result, None if None in parts else parts[0], origins)


def _expression(side: Any) -> Expression | None:
    if type(side) is Watched:
        return side.expression
    return getattr(side, "written", None) or Number(int(side))


# --- the operators ---------------------------------------------------------------------------------

_ARITHMETIC: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {  # with an expression
    "+": ("add", operator.add),
    "-": ("sub", operator.sub),
    "*": ("mul", operator.mul),
    "//": ("floordiv", operator.floordiv),
    "%": ("mod", operator.mod),
}
_OTHERS: dict[str, Callable[[Any, Any], Any]] = {
    "truediv": operator.truediv,
    "pow": operator.pow,
    "divmod": divmod,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "matmul": operator.matmul,
}
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")
}
_CONVERSIONS: dict[str, Callable[..., Any]] = {
    "bool": bool,
    "hash": hash,
    "index": operator.index,
    "int": int,
    "float": float,
    "complex": complex,
    "str": str,
    "repr": repr,
    "format": format,
    "abs": abs,
    "neg": operator.neg,
    "pos": operator.pos,
    "invert": operator.invert,
    "round": round,
    "trunc": math.trunc,
    "floor": math.floor,
    "ceil": math.ceil,
}


def _computing(symbol: str) -> tuple[Any, Any]:
    return (
        lambda self, other: NotImplemented if is_source(other) else _computed(symbol, self, other),
        lambda self, other: _computed(symbol, other, self),
    )


def _looking(compute: Callable[..., Any]) -> tuple[Any, Any]:
    def forward(self: Watched, *others: Any) -> Any:
        if others and is_source(others[0]):  # the handle keeps the expression of the number
            return NotImplemented
        return compute(self.look(), *map(_looked_at, others))

    return (
        forward,
        lambda self, other: compute(_looked_at(other), self.look()),
    )


for _symbol, (_name, _) in _ARITHMETIC.items():
    _forward, _reflected = _computing(_symbol)
    setattr(Watched, f"__{_name}__", _forward)
    setattr(Watched, f"__r{_name}__", _reflected)
for _name, _compute in {**_OTHERS, **_COMPARISONS, **_CONVERSIONS}.items():
    _forward, _reflected = _looking(_compute)
    setattr(Watched, f"__{_name}__", _forward)
    if _name in _OTHERS:
        setattr(Watched, f"__r{_name}__", _reflected)
