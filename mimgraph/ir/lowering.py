"""The result of an op's rule: the type, the torch module, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from mimgraph.ir.code import Call, Code, Operand, call
from mimgraph.ir.dim import Size
from mimgraph.ir.types import Constraint, TensorType

# The shapes of a module's tensors and its multiply-accumulates are computed when they are first
# read, as a check does not need them.


class ShapesUnknown(Exception):
    """Nobody can tell the shapes: the library that has the module is not installed, or fails."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message, self.help = message, help


Value = TypeVar("Value")


class Lazy(Generic[Value]):
    """The value that `compute` returns, which runs once and only if it is read.

    It is compared by `key`, which says what it is the value of. It pickles if `compute` does.
    """

    def __init__(self, key: Hashable, compute: Callable[[], Value]) -> None:
        self.key = key
        self.compute = compute

    @cached_property
    def found(self) -> Value:
        """The value; to read it may raise `ShapesUnknown`."""
        return self.compute()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class LazyMapping(Lazy[Mapping[str, Value]], Mapping[str, Value]):
    """The values by name that `compute` returns."""

    def __getitem__(self, name: str) -> Value:
        return self.found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __bool__(self) -> bool:
        """Return True without reading the values: a module without tensors has no need of this class."""
        return True


# A multiplication of matrices, a convolution, ...: the sizes whose product is the number of its
# multiply-accumulates. It is multiplied out only where it is asked for, and may be beyond 64 bits.
Product: TypeAlias = tuple[Size, ...]


# a key that no source has
MODULE = Operand("*self")  # the node's own module
RESULT = Operand("*result")  # the value that its call returned
INPUT = Operand("input")  # the one source of a layer
ANCHOR = Operand("*anchor")  # an input that is always given


# what makes a module of the user's: its class, a function, or a class method
Maker: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True, repr=False)
class Module:
    """A class of `torch.nn`, or of another package, and every argument of its constructor, in torch's order.

    An argument may be a module itself. `weights` gives the shape of each learned tensor, `buffers`
    of each tensor that is kept but not learned, inner modules included. `own` is a class of the user's,
    or a function that makes the module; any other class is in `package`, or imported by its name if that
    is "". The first `positional` arguments are written without their names; None leaves that to the
    options of the op. `layers` has the inner layers that can have adapters by path, each with the name of
    its class in torch; None if they are not known.
    """

    name: str
    arguments: Mapping[str, Any]
    weights: Mapping[str, tuple[int, ...]]
    buffers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    own: Maker | None = None
    package: str = "nn"
    positional: int | None = None
    layers: Mapping[str, str] | None = None

    @property
    def class_name(self) -> str:
        """The class as the emitted file writes it."""
        return f"{self.package}.{self.name}" if self.package else self.name

    @property
    def changed(self) -> Module:
        """The module that a function changes, of `weight_norm(module)`; itself if it is a class."""
        found = self.arguments.get("module")
        return found if isinstance(found, Module) else self

    def argument(self, name: str) -> Any:
        """Return the value of an argument, of this module or of a module among its arguments."""
        if name in self.arguments:
            return self.arguments[name]
        inner = (v.argument(name) for v in self.arguments.values() if isinstance(v, Module))
        return next((found for found in inner if found is not None), None)


def module(
    name: str,
    /,
    weights: Mapping[str, tuple[int, ...]] | None = None,
    buffers: Mapping[str, tuple[int, ...]] | None = None,
    **arguments: Any,
) -> Module:
    """Return the module `nn.name(**arguments)`."""
    return Module(name, arguments, weights or {}, buffers or {})


NOTHING: Mapping[str, Any] = {}


class Port(NamedTuple):
    """One result of an op that has several.

    `code` reads it from RESULT; `alone` is written instead when no other port is used. `needs` are
    arguments that the module must have for it; with them it has no `alone`.
    """

    type: TensorType
    code: Code
    alone: Code | None = None
    needs: Mapping[str, Any] = NOTHING


@dataclass(frozen=True, slots=True, repr=False)
class Lowering:
    """The type of the default result and the code that computes it.

    Without `call`, a module is called on its sources in order. `steps` run before it: each is a
    local variable, which later code reads as the operand of its key. `function` is the op as a
    function without a module, for `activation:`. `requires` are the constraints at run time, beyond
    sizes of at least 1, which inference demands of every result. The first of `ports` is the
    default, unless `type` is None. `fallback` is the result if the first source is missing; it and
    the `call` of an op without sources are made on the device of ANCHOR. `skipping` is the result of
    the sources that are present, which `adds` their sizes along this axis.

    `products` are the multiplications of one run, with the batch among their sizes; None if they
    are unknown. `makes` are the tensors that one run in eval allocates, if these are not the
    results: none for a view, all outputs for a recurrent layer. An op that `scatters` returns a view
    that may have gaps, or an order in memory other than that of its axes; an op that `gathers`
    returns a copy of such a source, and a view of any other.
    """

    type: TensorType | None
    module: Module | None = None
    call: Code | None = None
    ports: Mapping[str, Port] = field(default_factory=dict)
    function: Code | None = None
    requires: tuple[Constraint, ...] = ()
    steps: Mapping[str, Code] = field(default_factory=dict)
    fallback: Code | None = None
    skipping: Code | None = None
    adds: int | None = None
    products: tuple[Product, ...] | Lazy[tuple[Product, ...] | None] | None = ()
    makes: tuple[TensorType, ...] | None = None
    scatters: bool = False
    gathers: bool = False

    @property
    def counted(self) -> tuple[Product, ...] | None:
        """The products, computed if they are not yet known."""
        lazy = self.products
        return lazy.found if isinstance(lazy, Lazy) else lazy

    @property
    def results(self) -> Mapping[str, TensorType]:
        """The type of every port; a single result is the port ""."""
        if self.ports:
            return {name: port.type for name, port in self.ports.items()}
        assert self.type is not None
        return {"": self.type}

    def module_for(self, ports: Iterable[str]) -> Module | None:
        """Return the module with the arguments that the used ports need."""
        if self.module is None or not self.ports:
            return self.module
        needs = {
            name: value
            for port in ports
            if port in self.ports
            for name, value in self.ports[port].needs.items()
        }
        if not needs:
            return self.module
        return replace(self.module, arguments={**self.module.arguments, **needs})

    @property
    def default(self) -> str | None:
        """The port that a source without a port means; None where the port must be named."""
        if not self.ports:
            return ""
        return next(iter(self.ports)) if self.type is not None else None


def module_call(*args: Code, **keywords: Any) -> Call:
    """Return a call of the node's module with these arguments."""
    return call(MODULE, *args, **keywords)
