"""Run a user's module at several sizes, and find the types of its results as expressions of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.dim import Size, symbols
from mimgraph.ir.types import BATCH, DTYPES, TensorType
from mimgraph.ops.custom.device import META, Device, Fill
from mimgraph.ops.custom.fit import SHORT_STEPS, fit
from mimgraph.ops.custom.module_signature import Parts, Probed, first_line
from mimgraph.ops.op import OpFault


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
