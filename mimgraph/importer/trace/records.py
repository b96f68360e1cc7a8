"""The records of a forward: values, calls of functions (steps) and calls of modules (calls)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from mimgraph.ir.dim import Size

Kind: TypeAlias = Literal["input", "parameter", "buffer", "constant", "result"]


class Place(NamedTuple):
    """A line of the user's Python."""

    file: str
    line: int


NOWHERE = Place("", 0)


@dataclass(slots=True, eq=False)
class Value:
    """A tensor at one point of the forward; an operation in place makes another value.

    `path` is the name of an input, or the path of a parameter or buffer in the model. A `constant`
    is a tensor that the forward found elsewhere, in an attribute or global. `fixed` says that it
    depends on no input, parameter or persistent buffer but for sizes; its `tensor` is kept then.
    `sizes` are its sizes as expressions of the named sizes of the inputs, once several traces are
    compared, and `N` is the batch; `samples` has the tensor of each trace of a fixed value.
    """

    number: int
    kind: Kind
    shape: tuple[int, ...]
    dtype: torch.dtype
    path: str = ""
    maker: Step | Call | None = None
    fixed: bool = False
    tensor: Tensor | None = None
    sizes: tuple[Size, ...] = ()
    samples: tuple[Tensor, ...] = ()

    def __repr__(self) -> str:
        name = f" {self.path}" if self.path else ""
        return f"%{self.number} {self.kind}{name} {list(self.sizes or self.shape)}"

    @property
    def rank(self) -> int:
        """The number of its axes, the batch counted."""
        return len(self.shape)

    @property
    def is_batched(self) -> bool:
        """Whether its first axis is the batch."""
        return bool(self.sizes) and str(self.sizes[0]) == "N"

    @property
    def is_weight(self) -> bool:
        return self.kind in ("parameter", "buffer")


class Packed(NamedTuple):
    """A `PackedSequence` of values."""

    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


@dataclass(slots=True, eq=False)
class Step:
    """A call of a function of torch: its name, arguments and result with values for tensors."""

    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    place: Place
    in_place: bool = False
    result: Any = None
    callee: Any = None  # the function itself

    @property
    def arguments(self) -> list[Value]:
        """The values among its arguments."""
        return [*values((self.args, self.kwargs))]

    @property
    def results(self) -> list[Value]:
        return [*values(self.result)]


@dataclass(slots=True, eq=False)
class Call:
    """A call of a module, with all that its forward called; a leaf is a layer of torch.nn.

    `path` is the path of the module in the model, "" for the model itself. `opaque` is the reason why
    it stays a module of Python. `returns` is the class of what its forward returned.
    """

    path: str
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    place: Place
    is_leaf: bool = False
    result: Any = None
    items: list[Step | Call] = field(default_factory=list)
    opaque: str = ""
    returns: type | None = None

    @property
    def arguments(self) -> list[Value]:
        """The values among its arguments."""
        return [*values((self.args, self.kwargs))]

    @property
    def results(self) -> list[Value]:
        return [*values(self.result)]

    @property
    def is_closed(self) -> bool:
        """Whether what it calls is of no interest."""
        return self.is_leaf or bool(self.opaque)

    def walk(self) -> Iterator[Step | Call]:
        """Yield every step and call inside in order, a call before those inside it."""
        for item in self.items:
            yield item
            if isinstance(item, Call) and not item.is_closed:
                yield from item.walk()


class Escape(NamedTuple):
    """A tensor that became a Python number or bool, so that code could branch on it.

    `depends` says that it is computed from inputs, and is more than sizes; `path` is the module whose
    forward did it.
    """

    function: str
    result: str
    place: Place
    depends: bool
    path: str


class Note(NamedTuple):
    """An operation in place whose effect a trace cannot follow: what it is, and where."""

    reason: str
    message: str
    place: Place
    path: str


@dataclass(eq=False)
class Trace:
    """What one forward did; `inputs` are the tensors that were given, by name, `weights` by path."""

    root: Call
    inputs: dict[str, Value]
    escapes: list[Escape] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    weights: dict[str, Value] = field(default_factory=dict)


def values(structure: Any) -> Iterator[Value]:
    """Yield the values in nested tuples, lists, dicts and slices, in order."""
    match structure:
        case Value():
            yield structure
        case list() | tuple():
            for item in structure:
                yield from values(item)
        case Mapping():
            for item in structure.values():
                yield from values(item)
        case slice():
            yield from values((structure.start, structure.stop, structure.step))
