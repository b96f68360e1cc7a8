"""Run a module at several sizes, and find how its result depends on them."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from math import gcd
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.dim import Size, substitute, symbol, symbols
from mimgraph.ir.types import BATCH, DTYPES, TensorType
from mimgraph.ops.custom.module_signature import Parts, Probed, first_line
from mimgraph.ops.op import OpFault
from mimgraph.support.offline import refusing_network

Point = Mapping[str, int]
Value = Callable[[Point], int | None]  # None at points where the module fails

# Steps by which a size is raised, multiples of usual strides; the first at which the module runs counts.
STEPS = (3360, 480, 48, 12, 4)
SHORT_STEPS = STEPS[2:]  # for names over which the module loops
LARGEST_DIVISOR = 64  # larger ones are not strides but results of rounding


def fit(
    value: Value, base: Point, steps: Mapping[str, Sequence[int]] = MappingProxyType({})
) -> Size | None:
    """Return a constant, or a sum or product of `(a*T + b)//m`, that gives every value; None if none.

    `value` is not None at `base`; it is called at other points. `steps` has the steps of names for which
    the usual ones are too large.
    """
    start = value(base)
    assert start is not None
    lines = [_Line(value, base, name, steps.get(name, STEPS)) for name in base]
    moving = [line for line in lines if line.moves]
    taken = {line.name: line.step for line in lines}
    for expression in _candidates(start, base, moving):
        if expression is not None and _holds(expression, value, base, taken):
            return expression
    return None


def _candidates(start: int, base: Point, lines: list[_Line]) -> Iterator[Size | None]:
    """Yield a constant, or a sum and a product of the forms of the lines."""
    if not lines:
        yield start
        return
    yield _sum(start, base, [line.form() for line in lines])
    yield _product(start, base, [line.form(line.unit()) for line in lines])


def _sum(start: int, base: Point, forms: list[Size | None]) -> Size | None:
    """Return the sum of the forms, shifted to be `start` at the base; None if one is missing."""
    total: Size = start
    for form in forms:
        if form is None:
            return None
        total += form - substitute(form, base)
    return total


def _product(start: int, base: Point, forms: list[Size | None]) -> Size | None:
    """Return a multiple of the product of the forms that is `start` at the base; None if there is none."""
    total: Size = 1
    for form in forms:
        if form is None:
            return None
        total *= form
    at_base = substitute(total, base)
    if not isinstance(at_base, int) or at_base == 0 or start % at_base:
        return None
    return start // at_base * total


def _holds(expression: Size, value: Value, base: Point, steps: Point) -> bool:
    """Return whether the expression is right where all names change, at one such point at least."""
    seen = [(substitute(expression, point), value(point)) for point in _points(base, steps)]
    known = [(wanted, found) for wanted, found in seen if found is not None]
    return bool(known) and all(wanted == found for wanted, found in known)


def _points(base: Point, steps: Point) -> Iterator[Point]:
    """Yield points where all names change: by their steps, by parts of these, and by a little."""
    for part in (1, 2, 3, 5):
        yield {name: size + steps[name] // part for name, size in base.items()}
    for little in (1, 2, 3):
        yield {name: size + little + number for number, (name, size) in enumerate(base.items())}


class _Line:
    """The values where one name changes and the others stay."""

    def __init__(self, value: Value, base: Point, name: str, steps: Sequence[int]) -> None:
        self.name = name
        self.start = base[name]
        self.at: Callable[[int], int | None] = lambda size: value({**base, name: size})
        self.step = next((s for s in steps if self.at(self.start + s) is not None), 0)

    @property
    def moves(self) -> bool:
        """Return whether the value depends on the name."""
        return self.at(self.start + self.step) != self.at(self.start)

    def unit(self) -> int:
        """Return a common divisor of the values, found from a few of them."""
        sizes = (self.start + move for move in (0, 1, 2, 4, 8, 16, 32, self.step))
        return gcd(*(found for size in sizes if (found := self.at(size)) is not None))

    def form(self, unit: int = 1) -> Size | None:
        """Return `(a*T + b)//m` such that the values are it times `unit`.

        Over a step that m divides, the slope is a/m. Then `a*T` is tried at each remainder k modulo m:
        the smallest k at which the value jumps gives b.
        """
        low, high = self.at(self.start), self.at(self.start + self.step)
        if low is None or high is None:
            return None
        slope = Fraction((high - low) // unit, self.step)
        a, m = slope.numerator, slope.denominator
        if a == 0 or (m > 1 and m > min(self.step // 6, LARGEST_DIVISOR)):
            return None
        inverse = pow(a, -1, m)

        def over(k: int) -> int | None:
            """Return the value where `a*T % m` is k, minus `a*T // m`: one more once k is large enough."""
            size = self.start + (k - a * self.start) * inverse % m
            found = self.at(size)
            return None if found is None else found // unit - a * size // m

        lowest = over(0)
        if lowest is None:
            return None
        jump = bisect_left(range(m), True, key=lambda k: over(k) not in (lowest, None))
        return (a * symbol(self.name) + m * lowest + m - jump) // m


# Say how a user's module is run on a device: on which tensors, and at which sizes.


Fill = Literal["none", "mixed", "ones", "zeros"]  # what whole numbers are: indices, lengths, a mask


class Device(NamedTuple):
    """Where modules run, and the sizes and data that they are tried with.

    Names get primes from each start on, then multiples of each unit, which divide evenly; the batch gets
    primes from `batch_from` on, if that is not 0. `steps` are the steps by which a size is raised to see
    what becomes of the results, and larger ones to take if these do not tell.
    """

    name: Literal["meta", "cpu"]
    primes_from: tuple[int, ...]
    multiples_of: tuple[int, ...]
    steps: tuple[tuple[int, ...], ...]
    fills: tuple[Fill, ...]
    batch_from: int = 0
    batch_steps: tuple[int, ...] = ()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make new tensors there, leave torch's random numbers as they were, and reach for no network."""
        random = torch.random.fork_rng(devices=[])
        with refusing_network(), random, torch.no_grad(), torch.device(self.name):
            yield

    def bases(self, names: Sequence[str], known: Container[int]) -> Iterator[dict[str, int]]:
        """Yield sizes to begin with, different for each name; the batch is none of the known sizes, so
        that it is not mistaken for one."""
        for start in self.primes_from:
            yield self._with_batch(dict(zip(names, _primes(start, known), strict=False)), known)
        for unit in self.multiples_of:
            sizes = {name: unit * number for number, name in enumerate(names, 1)}
            sizes = self._with_batch(sizes, known)
            if sizes.get("N") not in known:
                yield sizes

    def _with_batch(self, sizes: dict[str, int], known: Container[int]) -> dict[str, int]:
        """Return the sizes with a small batch, which is none of the others, if this device needs one."""
        if not self.batch_from or "N" not in sizes:
            return sizes
        others = {size for name, size in sizes.items() if name != "N"}
        small = _primes(self.batch_from, known)
        return {**sizes, "N": next(size for size in small if size not in others)}

    def tensor(self, type_: TensorType, sizes: Mapping[str, int], fill: Fill, seed: int) -> Tensor:
        """Return a tensor of these sizes, without data on the meta device."""
        shape: list[int] = [substitute(dim, sizes) for dim in type_.shape]  # type: ignore[misc]  # no name is left
        dtype: torch.dtype = getattr(torch, type_.dtype)
        if self.name == "meta":
            return torch.empty(shape, dtype=dtype)
        return _filled(shape, dtype, fill, torch.Generator().manual_seed(seed))


# The batch is a prime as all names are: tensors without data take no memory.
META = Device("meta", (37, 11, 211, 2003, 3), (224, 12), (STEPS,), ("none",))
CPU = Device(
    *("cpu", (5, 11, 37, 211, 3), (224, 12)),
    steps=((96, 48, 12, 4), (480, 48), (672, 84)),  # strides up to 16, those of 2 and 5, those of 7
    fills=("mixed", "ones", "zeros"),
    batch_from=2,
    batch_steps=(4, 2, 1),
)


def _primes(start: int, known: Container[int]) -> Iterator[int]:
    """Yield the primes from a number on that are not known sizes."""
    numbers = (n for n in itertools.count(start) if all(n % d for d in range(2, int(n**0.5) + 1)))
    return (prime for prime in numbers if prime > 1 and prime not in known)


def _filled(
    shape: Sequence[int], dtype: torch.dtype, fill: Fill, generator: torch.Generator
) -> Tensor:
    """Return a tensor with data: normal floats, and whole numbers and booleans that are 0 or 1, which are
    indices of any table. In each row the first is 1, so that a mask leaves something."""
    if dtype.is_complex:
        return torch.randn(shape, dtype=torch.complex64, generator=generator).to(dtype)
    if dtype.is_floating_point:
        return torch.randn(shape, generator=generator).to(dtype)
    if fill != "mixed":
        return torch.full(shape, int(fill == "ones"), dtype=dtype)
    made = torch.randint(0, 2, shape, generator=generator)
    if made.dim() and made.shape[-1]:
        made[..., 0] = 1
    return made.to(dtype)


# Run a user's module at several sizes, and find the types of its results as expressions of them.


class NeedsData(OpFault):
    """Raised if a module reads the data of a tensor on the meta device; a fault if nothing else can run it."""


def results(
    op: Probed,
    module: nn.Module,
    positional: Sequence[TensorType],
    keywords: Mapping[str, TensorType],
    device: Device = META,
) -> Parts:
    """Return the types of the results of a module by port; it is on the device."""
    runs = Runs(op, module, positional, keywords, device)
    base = runs.base()
    return {
        port: (read, _typed(op, port, runs, base, tensor))
        for port, (read, tensor) in runs.parts(base).items()
    }


def needs_data(op: Probed, error: Exception) -> NeedsData:
    """Return the fault of a module that an error says to need data."""
    message = f"{op.name} cannot be run without data"
    return NeedsData(
        "cannot-run", message, note=first_line(error), help=op.shape_help, at_node=True
    )


def check_memory(error: Exception) -> None:
    """Raise a `MemoryError` if an error says that there is no memory, as torch does by a `RuntimeError`."""
    if isinstance(error, MemoryError) or re.search(r"can't allocate memory", str(error)):
        raise MemoryError from error


def wants_data(error: Exception) -> bool:
    """Return whether an error is due to a tensor without data."""
    return isinstance(error, NotImplementedError) or bool(re.search(r"\bmeta\b", str(error)))


class _Seen(NamedTuple):
    """The results of one run, or the error that it raised."""

    parts: Parts
    error: Exception | None = None
    calls: int = 0  # the number of calls of torch's functions
    kernels: int = 0  # the number of operators that these calls ran


# Functions whose arguments must have one dtype, which torch does not check on the meta device.
ONE_DTYPE = frozenset({F.linear, F.conv1d, F.conv2d, F.conv3d, torch.matmul, torch.bmm, torch.mm})


class _Calls(TorchFunctionMode):
    """Counts the calls of torch's functions, and refuses dtypes that they refuse with data."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        dtypes = {str(arg.dtype): None for arg in args if isinstance(arg, Tensor)}
        if func in ONE_DTYPE and len(dtypes) > 1:
            raise RuntimeError(f"{func.__name__} takes one dtype, not {' and '.join(dtypes)}")
        return func(*args, **(kwargs or {}))


class _Kernels(TorchDispatchMode):
    """Counts the operators that torch's functions run: one call of a GRU runs some for each time step."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


class Runs:
    """Runs the `forward` of a module at any sizes, once for each."""

    def __init__(
        self,
        op: Probed,
        module: nn.Module,
        positional: Sequence[TensorType],
        keywords: Mapping[str, TensorType],
        device: Device,
    ) -> None:
        self.op = op
        self.device = device
        self.fill: Fill = device.fills[0]
        self.module = module
        self.positional = positional
        self.keywords = keywords
        self.types = (*positional, *keywords.values())
        dims = (dim for type_ in self.types for dim in type_.shape)
        self.names = sorted({name for dim in dims for name in symbols(dim)})
        self.seen: dict[tuple[int, ...], _Seen] = {}

    def at(self, sizes: Mapping[str, int]) -> _Seen:
        """Return the results at these sizes."""
        key = tuple(sizes[name] for name in self.names)
        if key not in self.seen:
            self.seen[key] = self._run(sizes)
        return self.seen[key]

    def parts(self, sizes: Mapping[str, int]) -> Parts:
        """Return the results by port, none if there was an error."""
        return self.at(sizes).parts

    def _run(self, sizes: Mapping[str, int], seed: int = 0) -> _Seen:
        """Run the module on tensors of these sizes."""
        try:
            with self.device.active(), _Kernels() as kernels, _Calls() as calls:
                by_position = [self._tensor(type_, sizes, seed) for type_ in self.positional]
                by_name = {
                    k: self._tensor(type_, sizes, seed) for k, type_ in self.keywords.items()
                }
                result = self.module(*by_position, **by_name)
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            return _Seen({}, error)
        return _Seen(self.op.parts(result), None, calls.count, kernels.count)

    def _tensor(self, type_: TensorType, sizes: Mapping[str, int], seed: int) -> Tensor:
        return self.device.tensor(type_, sizes, self.fill, seed)

    def size(self, port: str, axis: int, base: Mapping[str, int]) -> Size | None:
        """Return the size of one axis of a result as an expression over the names; None if none fits."""
        loops = self._loops(base)
        for steps in self.device.steps:
            taken = {name: SHORT_STEPS if name in loops else steps for name in self.names}
            if self.device.batch_steps:
                taken["N"] = self.device.batch_steps
            found = fit(lambda sizes: self._value(port, axis, sizes), base, taken)
            if found is not None:
                return found
        return None

    def _loops(self, base: Mapping[str, int]) -> set[str]:
        """Return the names of the sizes that the module loops over, in Python or inside a call of torch."""
        first, more = self.at(base), SHORT_STEPS[0]
        names = [name for name in self.names if name != "N" or not self.device.batch_steps]
        longer = {name: self.at({**base, name: base[name] + more}) for name in names}
        return {
            name
            for name, seen in longer.items()
            if seen.calls > first.calls or seen.kernels >= first.kernels + more
        }

    def base(self) -> dict[str, int]:
        """Return the first sizes that the module takes; raise the fault if it takes none."""
        known = {dim for type_ in self.types for dim in type_.dims if isinstance(dim, int)}
        tried = [*self.device.bases(self.names, known)]
        error: Exception | None = None
        for fill in self.device.fills:
            self.fill = fill
            self.seen.clear()
            for sizes in tried:
                if self.at(sizes).error is None:
                    self._check_data_is_ignored(sizes)
                    return sizes
            error = error or self.at(tried[0]).error
        assert error is not None
        check_memory(error)
        if self.device is META and wants_data(error):
            raise needs_data(self.op, error) from error
        raise self.refusal(error, tried[0]) from error

    def _check_data_is_ignored(self, sizes: Mapping[str, int]) -> None:
        """Refuse results whose shapes differ with other numbers in the same tensors."""
        if self.device is META:
            return
        shapes = [_shapes(self._run(sizes, seed).parts) for seed in (0, 1, 2)]
        if shapes[1:] != shapes[:-1]:
            message = (
                f"the shapes of the results of {self.op.name} depend on the numbers in its sources"
            )
            raise OpFault("symbolic-size", message, help=self.op.shape_help, at_node=True)

    def refusal(self, error: Exception, sizes: Mapping[str, int]) -> OpFault:
        """Return the fault of an error in `forward`: at the only source, or at the node."""
        is_dtype = re.search(r"\bdtype\b|scalar type", str(error))
        code: DiagnosticCode = "dtype-mismatch" if is_dtype else "shape-mismatch"
        tried = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        return OpFault(
            code,
            f"{self.op.name} refuses {' and '.join(str(type_) for type_ in self.types)}",
            note=first_line(error),
            help=f"it was tried with {tried}" if self.names not in ([], ["N"]) else "",
            at_node=len(self.types) != 1,
        )

    def _value(self, port: str, axis: int, sizes: Mapping[str, int]) -> int | None:
        """Return the size of one axis of a result; None if the module does not take these sizes."""
        part = self.at(sizes).parts.get(port)
        if part is None or not isinstance(part[1], Tensor) or part[1].dim() <= axis:
            return None
        return part[1].shape[axis]


def _typed(op: Probed, port: str, runs: Runs, base: Mapping[str, int], result: Any) -> TensorType:
    """Return the type of a result, its sizes fitted from several runs."""
    what = f"{port} of {op.name}" if port else op.name
    if not isinstance(result, Tensor):
        message = f"{what} is {type(result).__name__}, not a tensor"
        help = "a layer returns a tensor, or a tuple or dict of tensors"
        raise OpFault("wrong-type", message, help=help, at_node=True)
    dtype = str(result.dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        raise OpFault("dtype-mismatch", f"{what} is {dtype}", at_node=True)
    found = [_size(op, what, runs, base, port, axis) for axis in range(result.dim())]
    if found and found[0] == BATCH:
        return TensorType(tuple(found[1:]), dtype)
    if any("N" in symbols(size) for size in found):
        shape = f"({', '.join(map(str, found))})"
        message = f"{what} is {shape}, whose first axis is not the batch"
        raise OpFault("shape-mismatch", message, at_node=True)
    return TensorType(tuple(found), dtype, batched=False)


def _size(op: Probed, what: str, runs: Runs, base: Mapping[str, int], port: str, axis: int) -> Size:
    """Return the size of one axis as an expression over the names."""
    found = runs.size(port, axis, base)
    if found is None:
        names = " and ".join(runs.names)
        raise OpFault(
            "symbolic-size",
            f"axis {axis} of {what} depends on {names} in an unknown way",
            help=op.shape_help,
            at_node=True,
        )
    return found


def _shapes(parts: Parts) -> dict[str, object]:
    """Return the shape of each result by port, and the type of a result that is no tensor."""
    return {
        port: tuple(value.shape) if isinstance(value, Tensor) else type(value)
        for port, (_, value) in parts.items()
    }
