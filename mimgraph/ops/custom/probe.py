"""Run a user's module on torch's meta device, where tensors have no data, to find its results."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.dims.dim import Size, substitute, symbols
from mimgraph.ir.types import BATCH, DTYPES, TensorType
from mimgraph.ops.custom.fit import SHORT_STEPS, fit
from mimgraph.ops.custom.maker import has_forward, sources_of
from mimgraph.ops.custom.module_signature import Facts, Parts, Probed, Registered, first_line
from mimgraph.ops.op import OpFault

# The sizes that names are first tried with: primes from here on, then multiples, which divide evenly.
PRIMES_FROM = (37, 11, 211, 2003, 3)
MULTIPLES_OF = (224, 12)


def owned(op: Registered, arguments: Mapping[str, Any]) -> Facts:
    """Return the tensors of the module; none if its constructor needs data."""
    try:
        module = _make(op, arguments)
    except _NeedsData:
        return Facts({}, {}, {})
    return tensors(module, {})


def sources(op: Registered, arguments: Mapping[str, Any]) -> Sequence[inspect.Parameter]:
    """Return the parameters of the `forward` of the module."""
    try:
        module = _make(op, arguments)
    except _NeedsData as needs_data:
        raise needs_data.fault(op) from needs_data
    return sources_of(module.forward) if has_forward(module) else ()


def probe(
    op: Registered,
    arguments: Mapping[str, Any],
    positional: Sequence[TensorType],
    keywords: Mapping[str, TensorType],
) -> Facts:
    """Return the results of a call, and the tensors of the module."""
    try:
        module = _make(op, arguments)
    except _NeedsData as needs_data:
        raise needs_data.fault(op) from needs_data
    return facts(op, module, positional, keywords)


def facts(
    op: Probed,
    module: nn.Module,
    positional: Sequence[TensorType],
    keywords: Mapping[str, TensorType],
) -> Facts:
    """Return the results of a call of a module on the meta device, and the tensors of the module."""
    runs = _Runs(op, module, positional, keywords)
    base = runs.base()
    parts = {
        port: (read, _typed(op, port, runs, base, tensor))
        for port, (read, tensor) in runs.parts(base).items()
    }
    return tensors(module, parts)


class _NeedsData(Exception):
    """Raised if a module reads the data of a tensor on the meta device."""

    def fault(self, op: Probed) -> OpFault:
        """Return the fault to report."""
        return OpFault(
            "bad-option",
            f"{op.name} cannot be run without data",
            note=str(self),
            help=op.shape_help,
            at_node=True,
        )


@contextmanager
def on_meta() -> Iterator[None]:
    """Make new tensors without data, and leave torch's random numbers as they were."""
    with torch.random.fork_rng(devices=[]), torch.no_grad(), torch.device("meta"):
        yield


def _make(op: Registered, arguments: Mapping[str, Any]) -> nn.Module:
    """Return the module on the meta device; an error that names one option is reported there."""
    try:
        with on_meta():
            module = op.maker(**arguments)
            if not isinstance(module, nn.Module):
                raise TypeError(f"it returns {type(module).__name__}, not a module")
            return module.to("meta") if _has_data(module) else module
    except Exception as error:
        if _wants_data(error):
            raise _NeedsData(first_line(error)) from error
        named = [name for name in arguments if re.search(rf"\b{name}\b", str(error))]
        raise OpFault(
            "bad-option",
            f"{op.name} cannot be made with these options",
            option=named[0] if len(named) == 1 else None,
            note=first_line(error),
            at_node=True,
        ) from error


def _has_data(module: nn.Module) -> bool:
    """Return whether a tensor of the module is not on the meta device."""
    tensors = itertools.chain(module.parameters(), module.buffers())
    return any(tensor.device.type != "meta" for tensor in tensors)


def _wants_data(error: Exception) -> bool:
    """Return whether an error is due to a tensor without data."""
    return isinstance(error, NotImplementedError) or bool(re.search(r"\bmeta\b", str(error)))


def tensors(module: nn.Module, parts: Parts) -> Facts:
    """Return the results with the tensors of the module."""
    return Facts(parts, _shapes(module.named_parameters()), _shapes(module.named_buffers()))


def _shapes(tensors: Iterable[tuple[str, Tensor]]) -> dict[str, tuple[int, ...]]:
    """Return the shapes by name; the shapes of a lazy module are known after it has run."""
    return {name: tuple(tensor.shape) for name, tensor in tensors if not is_lazy(tensor)}


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


class _Runs:
    """Runs the `forward` of a module at any sizes, once for each."""

    def __init__(
        self,
        op: Probed,
        module: nn.Module,
        positional: Sequence[TensorType],
        keywords: Mapping[str, TensorType],
    ) -> None:
        self.op = op
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

    def _run(self, sizes: Mapping[str, int]) -> _Seen:
        """Run the module on tensors of these sizes without data."""
        try:
            with on_meta(), _Kernels() as kernels, _Calls() as calls:
                by_position = [_empty(type_, sizes) for type_ in self.positional]
                by_name = {key: _empty(type_, sizes) for key, type_ in self.keywords.items()}
                result = self.module(*by_position, **by_name)
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            return _Seen({}, error)
        return _Seen(self.op.parts(result), calls=calls.count, kernels=kernels.count)

    def loops(self, base: Mapping[str, int]) -> set[str]:
        """Return the names of the sizes that the module loops over, in Python or inside a call of torch."""
        first, more = self.at(base), SHORT_STEPS[0]
        longer = {name: self.at({**base, name: base[name] + more}) for name in self.names}
        return {
            name
            for name, seen in longer.items()
            if seen.calls > first.calls or seen.kernels >= first.kernels + more
        }

    def base(self) -> dict[str, int]:
        """Return the first sizes that the module takes; raise the fault if it takes none."""
        known = {dim for type_ in self.types for dim in type_.dims if isinstance(dim, int)}
        tried = list(_bases(self.names, known))
        for sizes in tried:
            if self.at(sizes).error is None:
                return sizes
        error = self.at(tried[0]).error
        assert error is not None
        if _wants_data(error):
            raise _NeedsData(first_line(error)).fault(self.op) from error
        raise self.refusal(error, tried[0]) from error

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

    def size(self, port: str, axis: int, sizes: Mapping[str, int]) -> int | None:
        """Return the size of one axis of a result; None if the module does not take these sizes."""
        part = self.at(sizes).parts.get(port)
        if part is None or not isinstance(part[1], Tensor) or part[1].dim() <= axis:
            return None
        return part[1].shape[axis]


def _bases(names: Sequence[str], known: Container[int]) -> Iterator[dict[str, int]]:
    """Yield sizes to begin with, different for each name; the batch is none of the known sizes, so that
    it is not mistaken for one."""
    for start in PRIMES_FROM:
        primes = (prime for prime in _primes(start) if prime not in known)
        yield dict(zip(names, primes, strict=False))
    for unit in MULTIPLES_OF:
        sizes = {name: unit * number for number, name in enumerate(names, 1)}
        if sizes.get("N") not in known:
            yield sizes


def _primes(start: int) -> Iterator[int]:
    return (n for n in itertools.count(start) if all(n % d for d in range(2, int(n**0.5) + 1)))


def _empty(type_: TensorType, sizes: Mapping[str, int]) -> Tensor:
    shape = [substitute(dim, sizes) for dim in type_.shape]
    return torch.empty(shape, dtype=getattr(torch, type_.dtype))  # type: ignore[arg-type]  # no name is left


def _typed(op: Probed, port: str, runs: _Runs, base: Mapping[str, int], result: Any) -> TensorType:
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


def _size(
    op: Probed, what: str, runs: _Runs, base: Mapping[str, int], port: str, axis: int
) -> Size:
    """Return the size of one axis as an expression over the names."""
    found = fit(lambda sizes: runs.size(port, axis, sizes), base, runs.loops(base))
    if found is None:
        names = " and ".join(runs.names)
        raise OpFault(
            "symbolic-size",
            f"axis {axis} of {what} depends on {names} in an unknown way",
            help=op.shape_help,
            at_node=True,
        )
    return found
