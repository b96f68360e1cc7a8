"""The inputs of a model that is imported, and the arguments of forward that have them inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mimgraph.ir.declared_values import LinearSize, parse_size
from mimgraph.source import SourceFile

if TYPE_CHECKING:
    from torch import Tensor

Size: TypeAlias = int | str
_NOWHERE = SourceFile("", "").start


class InputError(ValueError):
    """Raised for inputs that forward does not have or that cannot be; the message says what to write."""

    @property
    def for_command(self) -> str:
        """Return the message for the command line."""
        return str(self)


class ModelInput(NamedTuple):
    """An input of a model: its name in the spec, and its type without the batch."""

    name: str
    shape: tuple[Size, ...]  # numbers, names, and multiples of names such as `8*H`
    dtype: str
    vocab: int | None
    example: Tensor | None


class Slot(NamedTuple):
    """The place of an input inside the arguments of forward."""

    name: str


class Arguments(NamedTuple):
    """The arguments of a call of forward."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class ForwardInputs(NamedTuple):
    """The inputs of a model, and the arguments of its forward with a `Slot` for each input.

    `omitted` has the parameters of forward that have a default and were not given.
    """

    inputs: tuple[ModelInput, ...]
    arguments: Arguments
    omitted: tuple[str, ...]

    def call(self, values: Mapping[str, Tensor]) -> Arguments:
        """Return the arguments of forward with tensors, by the names of the inputs, in their places."""
        return Arguments(*(_filled(part, values) for part in self.arguments))


def _filled(part: Any, values: Mapping[str, Tensor]) -> Any:
    if isinstance(part, Slot):
        return values[part.name]
    if isinstance(part, dict):
        return {key: _filled(item, values) for key, item in part.items()}
    if isinstance(part, list | tuple):
        return type(part)(_filled(item, values) for item in part)
    return part


def size_names(inputs: Sequence[ModelInput]) -> tuple[str, ...]:
    """Return the names in the sizes of inputs, in order: `T` and `H` of `("T",)` and `(3, "8*H")`."""
    sizes = (parsed(size) for one in inputs for size in one.shape)
    names = (size.name if isinstance(size, LinearSize) else size for size in sizes)
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def size_value(size: Size, sizes: Mapping[str, int]) -> int:
    """Return the number of a size: 64 for `8*H` where H is 8."""
    match parsed(size):
        case int(number):
            return number
        case LinearSize(factor, name, offset):
            return int(factor) * sizes[name] + int(offset)
        case name:
            return sizes[name]


def parsed(size: Size) -> int | str | LinearSize:
    """Return a size as a number, a name or a `LinearSize`; raise an `ExpressionError` for other texts."""
    if isinstance(size, int):
        return size
    found: int | str | LinearSize = parse_size(size, _NOWHERE, lambda start, end: _NOWHERE)
    return found
