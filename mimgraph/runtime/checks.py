"""Find the faults of the inputs of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch._subclasses import FakeTensor

from mimgraph.ir.dims.dim import Dim, substitute, symbols
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.runtime.input_ranges import limits

Takes = Callable[
    [torch.dtype, torch.dtype], bool
]  # whether a given dtype is accepted for a declared one


def call_faults(
    graph: TypedGraph, args: tuple[Any, ...], inputs: Mapping[str, Any], takes: Takes
) -> Iterator[str]:
    """Yield the faults of the arguments of a call: of their names, then of their values."""
    expected = graph.body.inputs
    if graph.is_stage:
        inputs = {**dict(zip(expected, args, strict=False)), **inputs}
    elif args:
        yield by_position(graph, args)
    yield from (f"there is no input {name!r}" for name in inputs if name not in expected)
    if graph.is_stage or not args:  # else they are missing because they were given by position
        yield from (
            f"{name} is missing" for name in graph.body.required_inputs if inputs.get(name) is None
        )
    known = {name: x for name, x in inputs.items() if name in expected}
    yield from tensor_faults(graph, known, takes)


def by_position(graph: TypedGraph, args: tuple[Any, ...]) -> str:
    """Return the fault of a call with positional arguments: which calls work."""
    given = ", ".join(f"{name}=..." for name in graph.body.required_inputs)
    calls = [f"model({given})", "mg.positional(model)(...)"]
    if len(args) == 1 and isinstance(args[0], Mapping):
        calls.insert(0, "model(**batch)")
    names = ", ".join(graph.body.inputs)
    return f"inputs are given by name: {names}; write {', '.join(calls[:-1])} or {calls[-1]}"


def tensor_faults(graph: TypedGraph, inputs: Mapping[str, Any], takes: Takes) -> Iterator[str]:
    """Yield which inputs are not tensors, then the faults of the tensors; None is skipped."""
    given = {name: x for name, x in inputs.items() if x is not None}
    tensors = {name: x for name, x in given.items() if isinstance(x, Tensor)}
    for name, x in given.items():
        if name not in tensors:
            yield f"{name} must be a tensor, not {type(x).__name__}"
    yield from misfits(graph, tensors, takes)


def same_kind(given: torch.dtype, wanted: torch.dtype) -> bool:
    """Return whether both are floats, complex, integers or booleans, of any precision."""
    return _kind(given) == _kind(wanted)


def _kind(dtype: torch.dtype) -> tuple[bool, ...]:
    return dtype.is_floating_point, dtype.is_complex, dtype is torch.bool


def misfits(graph: TypedGraph, given: Mapping[str, Tensor], takes: Takes) -> Iterator[str]:
    """Yield how each tensor differs from its declaration, then which sizes disagree or are illegal."""
    categories = dict(limits(graph.body))
    sizes: dict[Dim, tuple[int, str]] = {}
    for name, tensor in given.items():
        type_ = graph.body.inputs[name]
        yield from _tensor_misfits(name, type_, tensor, takes, categories.get(name))
        if tensor.dim() == type_.rank:
            yield from _named_sizes(name, type_, tensor, sizes)
    numbers = {str(dim): extent for dim, (extent, _) in sizes.items()}
    for constraint in graph.constraints:
        names = sorted(symbols(constraint.dim))
        if all(name in numbers for name in names) and not holds(constraint, numbers):
            values = ", ".join(f"{name} is {numbers[name]}" for name in names)
            yield f"{constraint} does not hold: {values}"


def _tensor_misfits(
    name: str, type_: TensorType, tensor: Tensor, takes: Takes, limit: int | None
) -> Iterator[str]:
    """Yield how one tensor differs from its declaration in shape, dtype and range of values."""
    shape, wanted = tuple(tensor.shape), torch_dtype(type_)
    known = zip(type_.shape, shape, strict=False)
    if len(shape) != type_.rank or any(isinstance(d, int) and d != e for d, e in known):
        yield f"{name} has shape {shape}, not {type_}"
    if not takes(tensor.dtype, wanted):
        yield f"{name} has dtype {dtype_name(tensor)}, not {type_.dtype}"
    elif limit is None or not tensor.numel() or not _has_values(tensor):
        return
    elif not 0 <= tensor.min() <= tensor.max() < limit:
        yield f"{name} has values outside 0 to {limit - 1}"


def _has_values(tensor: Tensor) -> bool:
    """Return whether a tensor's values can be read: not on the meta device, in a fake tensor or in `vmap`."""
    has_none = tensor.is_meta or isinstance(tensor, FakeTensor)
    return not (has_none or torch._C._functorch.is_batchedtensor(tensor))


def _named_sizes(
    name: str, type_: TensorType, tensor: Tensor, sizes: dict[Dim, tuple[int, str]]
) -> Iterator[str]:
    """Yield each named size that is 0, or differs from the first tensor that has it."""
    for dim, extent in zip(type_.shape, tensor.shape, strict=True):
        if not isinstance(dim, Dim):
            continue
        first, other = sizes.setdefault(dim, (extent, name))
        if first != extent:
            yield f"{dim} of {other} is {first} but {dim} of {name} is {extent}"
        elif extent == 0:
            yield f"{dim} of {name} is 0"


def holds(constraint: Constraint, sizes: Mapping[str, int]) -> bool:
    """Return whether a constraint holds for these sizes."""
    try:
        return constraint.holds(substitute(constraint.dim, sizes)) is True
    except ArithmeticError:  # beyond 64 bits, or a division by 0
        return False


def torch_dtype(type_: TensorType) -> torch.dtype:
    """Return torch's dtype for a type."""
    dtype: torch.dtype = getattr(torch, type_.dtype)
    return dtype


def dtype_name(tensor: Tensor) -> str:
    """Return the name of a tensor's dtype in a spec."""
    return str(tensor.dtype).removeprefix("torch.")
