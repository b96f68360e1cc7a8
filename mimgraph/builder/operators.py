"""Turn the operators and the indexing of handles into nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from types import EllipsisType
from typing import Any, NoReturn, Self, SupportsFloat, SupportsIndex, TypeAlias, TypeGuard

from mimgraph.builder.record_call import AppliesLayers
from mimgraph.builder.trace import note_refusal
from mimgraph.builder.user_line import spec_error, user_line
from mimgraph.builder.watched import Watched
from mimgraph.diagnostics import SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import LIMIT
from mimgraph.ir.names import free_name
from mimgraph.ops.merges.agreement import broadcasts
from mimgraph.support.arguments import plain, shown
from mimgraph.support.entry_point import entry_points

Number: TypeAlias = SupportsFloat | Dim  # a number of Python, numpy or torch, or a size

_MERGES = {"x + y": "add", "x - y": "subtract", "x * y": "multiply", "x / y": "divide"}
_LETTER = re.compile(r"\b[xy]\b")
_NO_LITERAL = "its numbers are finite, and whole ones have at most 64 bits"
_NO_VALUES = (
    "has no values yet, so it is neither true nor false: combine masks with & | ~, as in"
    " (x > 0) & (x < 1), choose values with merges.where(mask, a, b), and ask whether there is a"
    " handle with `is not None`"
)


@entry_points
class Operators(AppliesLayers):
    """The operators of a handle, with another handle or with a number; shapes broadcast as in torch.

    Only the batch does not: two tensors with a batch must have as many axes as each other.
    """

    __slots__ = ()
    __array_ufunc__ = None  # numpy must not apply its own operators

    def __add__(self, other: Self | Number) -> Self:
        return self._with("x + y", other)

    def __radd__(self, other: Number) -> Self:
        is_start = type(other) is int and other == 0  # of sum([a, b])
        if is_start and self.typed().dtype != "bool":  # masks are added as the numbers 0 and 1
            return self
        return self._with("y + x", other)

    def __sub__(self, other: Self | Number) -> Self:
        return self._with("x - y", other)

    def __rsub__(self, other: Number) -> Self:
        return self._with("y - x", other)

    def __mul__(self, other: Self | Number) -> Self:
        return self._with("x * y", other)

    def __rmul__(self, other: Number) -> Self:
        return self._with("y * x", other)

    def __truediv__(self, other: Self | Number) -> Self:
        return self._with("x / y", other)

    def __rtruediv__(self, other: Number) -> Self:
        return self._with("y / x", other)

    def __floordiv__(self, other: Self | Number) -> Self:
        return self._with("x // y", other)

    def __rfloordiv__(self, other: Number) -> Self:
        return self._with("y // x", other)

    def __mod__(self, other: Self | Number) -> Self:
        return self._with("x % y", other)

    def __rmod__(self, other: Number) -> Self:
        return self._with("y % x", other)

    def __pow__(self, other: Self | Number) -> Self:
        return self._with("x ** y", other)

    def __rpow__(self, other: Number) -> Self:
        return self._with("y ** x", other)

    def __neg__(self) -> Self:
        return self._alone("-x")

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._alone("abs(x)")

    # --- comparisons, and masks -----------------------------------------------------------------

    def __lt__(self, other: Self | Number) -> Self:
        return self._with("x < y", other)

    def __le__(self, other: Self | Number) -> Self:
        return self._with("x <= y", other)

    def __gt__(self, other: Self | Number) -> Self:
        return self._with("x > y", other)

    def __ge__(self, other: Self | Number) -> Self:
        return self._with("x >= y", other)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self!r} {_NO_VALUES}")

    def __invert__(self) -> Self:
        _check_masks("~", self)
        return self._applied("layer", "LogicalNot")

    def __and__(self, other: Self) -> Self:
        return self._joined("&", "logical_and", other) if _is_handle(other) else NotImplemented

    def __or__(self, other: Self) -> Self:
        return self._joined("|", "logical_or", other) if _is_handle(other) else NotImplemented

    def __xor__(self, other: Self) -> Self:
        if not _is_handle(other):
            return NotImplemented
        _check_masks("^", self, other)
        return self._with_handle("x != y", other)

    def _joined(self, symbol: str, merge: str, other: Operators) -> Self:
        """Return the merge of two masks."""
        _check_masks(symbol, self, other)
        return self._merged(merge, other)

    # --- matrices ---------------------------------------------------------------------------------

    def __matmul__(self, other: Self) -> Self:
        return self._applied("merge", "matmul", other) if _is_handle(other) else NotImplemented

    # --- merges and formulas --------------------------------------------------------------------

    def _with(self, formula: str, other: object) -> Self:
        """Return a formula of this handle, its `x`, and of another or a number, its `y`."""
        if not _is_handle(other):
            number = _number(self, other)
            return NotImplemented if number is None else self._with_number(formula, number)
        if formula in _MERGES:
            return self._merged(_MERGES[formula], other)
        return self._with_handle(formula, other)

    def _merged(self, merge: str, other: Operators) -> Self:
        return self._applied("merge", merge, other, options=_broadcast(self, other))

    def _with_handle(self, formula: str, other: Operators) -> Self:
        x = _variable(self, "x")
        y = x if other == self else free_name(_variable(other, "y"), (x,))
        return self._formula(_spelled(formula, x, y), {x: self, y: other}, _broadcast(self, other))

    def _with_number(self, formula: str, number: object) -> Self:
        x = _variable(self, "x")
        n = free_name("n", (x,))
        return self._formula(_spelled(formula, x, n), {x: self}, {n: number})

    def _alone(self, formula: str) -> Self:
        x = _variable(self, "x")
        return self._formula(_spelled(formula, x), {x: self}, {})

    def _formula(
        self, text: str, named: Mapping[str, object], options: Mapping[str, object]
    ) -> Self:
        return self._applied("merge", "formula", args=(text,), options=options, named=named)


def _is_handle(operand: object) -> TypeGuard[Operators]:
    """Return whether an operand is a handle; a watched number is not looked at."""
    return type(operand) is not Watched and isinstance(operand, Operators)


def _check_masks(symbol: str, *handles: Operators) -> None:
    """Refuse operands that are not bool: torch would combine the bits of integers."""
    for handle in handles:
        dtype = handle.typed().dtype
        if dtype != "bool":
            note_refusal()
            message = f"{symbol} takes masks of dtype bool, and {handle.record.label} is {dtype}"
            help = "compare first, as in x > 0"
            raise spec_error("dtype-mismatch", message, user_line(), help)


def _variable(handle: Operators, letter: str) -> str:
    """Return the name of a handle in a formula: that of its node if the user gave one, else a letter."""
    name = handle.record.name
    return letter if name is None or handle.port is not None else name


def _spelled(formula: str, x: str, y: str = "") -> str:
    """Return a formula with these names in place of its letters."""
    words = {"x": x, "y": y}
    return _LETTER.sub(lambda letter: words[letter[0]], formula)


def _broadcast(one: Operators, other: Operators) -> dict[str, bool]:
    """Return the option of a merge that broadcasts, if the shapes differ and torch would."""
    x, y = one.typed(), other.typed()
    return {"broadcast": True} if x.shape != y.shape and broadcasts({"0": x, "1": y}) else {}


def _number(handle: Operators, operand: Any) -> object:
    """Return an operand as a number or size of ours; None if it is neither.

    A number that no formula can hold is refused.
    """
    if type(operand) is Watched or isinstance(operand, Dim):
        return operand
    is_array = hasattr(operand, "tolist")
    number = plain(operand) if is_array else operand
    if isinstance(number, bool):
        raise TypeError(f"{number} is not a number to compute {handle!r} with: write {int(number)}")
    if isinstance(number, int | float):
        is_literal = isfinite(number) if isinstance(number, float) else -LIMIT <= number < LIMIT
        if not is_literal:
            raise TypeError(f"a formula of {handle!r} has no {shown(number)}: {_NO_LITERAL}")
        return number
    if is_array or isinstance(operand, list | tuple):
        raise TypeError(
            f"{handle!r} computes with numbers and other handles, not with {shown(operand)}: declare"
            ' it as mg.Buffer("name", shape, init=values)'
        )
    return None


# Turn indexing of handles into nodes: `x[:, 0]` is a Select, `x[:, 2:5]` a Slice, `x[..., None]`
# an Unsqueeze.


Item: TypeAlias = SupportsIndex | slice | EllipsisType | None
ALL = slice(None)


@entry_points
class Indexing(AppliesLayers):
    """The indexing of a handle: as in torch, but for the batch."""

    __slots__ = ()

    def __getitem__(self, key: str | Item | tuple[Item, ...]) -> Self:
        """Return one of several results by the name of its port, or the part that torch would index.

        `lstm["last"]` is a port; so is `chunk[0]`, as a Chunk has several results and no default
        one. `x[:, 0]`, `x[:, 2:5]`, `x[..., None]` and their combinations are layers: the first axis
        is the batch, and stays whole.
        """
        if isinstance(key, str) or self._is_port(key):
            return self._port(str(key))
        items = list(key) if isinstance(key, tuple) else [key]
        before, after = _around_ellipsis(self, [_checked(self, item) for item in items])
        self._check_axes(before, after)
        found = self
        for position, item in _placed(before):
            found = found._at(position, item)
        for position, item in _placed(reversed(after)):
            found = found._at(-1 - position, item)
        return found

    def _is_port(self, key: object) -> bool:
        """Return whether a key is the number of a port, of a call that has no default result."""
        is_number = type(key) is not Watched and isinstance(key, int) and not isinstance(key, bool)
        return is_number and self.port is None and self.record.default is None

    def _port(self, port: str) -> Self:
        """Return one of several results."""
        if self.port is not None:
            raise TypeError(f"{self!r} is one tensor and has no ports")
        found = type(self)(self.record, port)
        found.typed()  # raises if there is no such port
        return found

    def _check_axes(self, before: list[Any], after: list[Any]) -> None:
        """Refuse an index of too many axes, or of the batch."""
        type_ = self.typed()
        count = sum(item is not None for item in (*before, *after))
        if count > type_.rank:
            message = f"{self!r} has {type_.rank} axes, and is indexed with {count}"
            raise _fault("rank-mismatch", message, "remove the last ones")
        reaches_batch = type_.batched and (before or count == type_.rank)
        first = next(iter((*before, *after)), None) if reaches_batch else ALL
        if not _is_whole(first):
            raise _batch_fault(self, first)

    def _at(self, dim: int, item: Any) -> Self:
        """Return the result of the layer that one item of an index stands for."""
        if item is None:
            return self._applied("layer", "Unsqueeze", options={"dim": dim})
        if not isinstance(item, slice):
            return self._applied("layer", "Select", options={"dim": dim, "index": item})
        bounds = {"start": item.start, "end": item.stop, "step": item.step}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        return self._applied("layer", "Slice", options={"dim": dim, **given}) if given else self


def _around_ellipsis(handle: Indexing, items: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the items that count axes from the first, and those that count from the last."""
    places = [place for place, item in enumerate(items) if item is ...]
    if len(places) > 1:
        message = f"{handle!r} is indexed with more than one ..."
        raise _fault("wrong-type", message, "write one, for the axes left")
    place = places[0] if places else len(items)
    return items[:place], items[place + 1 :]


def _placed(items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Yield each item of an index with the number of axes that those before it leave."""
    position = 0
    for item in items:
        yield position, item
        if item is None or isinstance(item, slice):
            position += 1


def _is_whole(item: object) -> bool:
    """Return whether an item takes a whole axis, as `:` does."""
    return isinstance(item, slice) and item.start is item.stop is item.step is None


def _checked(handle: Indexing, item: Any) -> Any:
    """Return one item of an index, a number as Python's; refuse an item of another kind."""
    if type(item) is Watched or isinstance(item, Dim | slice) or item is None or item is ...:
        return item
    is_array = hasattr(item, "tolist")
    number = plain(item) if is_array else item
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    what, help = shown(item), "write numbers, slices, None or ..."
    if isinstance(item, Indexing):
        help = "write merges.gather(x, index) or merges.take(x, index), and for a mask"
        help += " merges.masked_fill or merges.where"
    elif is_array or isinstance(item, list | tuple):
        help = "write merges.take(x, indices), where mg.Buffer declares the indices"
    raise _fault("wrong-type", f"{handle!r} cannot be indexed with {what}", help)


def _batch_fault(handle: Indexing, item: object) -> SpecError:
    """Return the error for an index of the first axis, the batch."""
    if item is None:
        message = f"the new axis would precede the batch of {handle!r}"
        return _fault("bad-option", message, "write x[:, None]")
    help = "write x[:, 0], where : is the batch; a model takes samples, and the caller indexes them"
    message = f"the first axis of {handle!r} is the batch, which is not indexed"
    return _fault("bad-option", message, help)


def _fault(code: DiagnosticCode, message: str, help: str) -> SpecError:
    note_refusal()
    return spec_error(code, message, user_line(), help)
