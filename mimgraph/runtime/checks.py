"""Find the faults of the inputs of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._subclasses import FakeTensor

from mimgraph.cost.choose_sizes import holds
from mimgraph.ir.dim import Dim, substitute, symbol, symbols
from mimgraph.ir.sizes import line_of
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.types import TensorType
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


class _Known(NamedTuple):
    """The `extent` of a named size, as an axis of the tensor `name` gives it, whose size is `of`."""

    extent: int
    name: str
    of: Dim
    axis_extent: int

    def text(self, size: Dim) -> str:
        """Return where the size is known from: `T of x is 5`, `8*H of x is 16 (H is 2)`."""
        given = f"{self.of} of {self.name} is {self.axis_extent}"
        return given if self.of == size else f"{given} ({size} is {self.extent})"


def misfits(graph: TypedGraph, given: Mapping[str, Tensor], takes: Takes) -> Iterator[str]:
    """Yield how each tensor differs from its declaration, then which sizes disagree or are illegal."""
    categories = dict(limits(graph.body))
    sizes: dict[Dim, _Known] = {}
    for name, tensor in given.items():
        type_ = graph.body.inputs[name]
        yield from _tensor_misfits(name, type_, tensor, takes, categories.get(name))
        if tensor.dim() == type_.rank:
            yield from _named_sizes(name, type_, tensor, sizes)
    numbers = {str(dim): known.extent for dim, known in sizes.items()}
    for constraint in graph.constraints:
        names = sorted(symbols(constraint.dim))
        if all(name in numbers for name in names) and not holds(constraint, numbers):
            values = ", ".join(f"{name} is {numbers[name]}" for name in names)
            yield f"{constraint} does not hold: {values}"


def _tensor_misfits(
    name: str, type_: TensorType, tensor: Tensor, takes: Takes, limit: int | None
) -> Iterator[str]:
    """Yield how one tensor differs from its declaration in shape, dtype and range of values."""
    wanted = torch_dtype(type_)
    if not has_shape(tensor, type_, {}):
        yield f"{name} has shape {tuple(tensor.shape)}, not {type_}"
    if not takes(tensor.dtype, wanted):
        yield f"{name} has dtype {dtype_name(tensor)}, not {type_.dtype}"
    elif limit is None or not tensor.numel() or not _has_values(tensor):
        return
    elif not 0 <= tensor.min() <= tensor.max() < limit:
        yield f"{name} has values outside 0 to {limit - 1}"


def output_faults(
    graph: TypedGraph, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor]
) -> Iterator[str]:
    """Yield which outputs of a call have another shape than the graph's types say."""
    sizes = sizes_of(graph, inputs)
    for name, tensor in outputs.items():
        if not has_shape(tensor, (type_ := graph.body.output_types[name]), sizes):
            yield f"output {name} has shape {tuple(tensor.shape)}, not {type_}"


def has_shape(tensor: Tensor, type_: TensorType, sizes: Mapping[str, int]) -> bool:
    """Return whether a tensor has the shape of a type, where these sizes make that a number."""
    wanted = (substitute(size, sizes) for size in type_.shape)
    return tensor.dim() == type_.rank and all(
        isinstance(size, Dim) or size == extent
        for size, extent in zip(wanted, tensor.shape, strict=True)
    )


def sizes_of(graph: TypedGraph, inputs: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the named sizes, `N` included, that inputs have."""
    return {
        str(found[0]): found[1].extent
        for name, tensor in inputs.items()
        for dim, extent in zip(graph.body.inputs[name].shape, tensor.shape, strict=True)
        if isinstance(dim, Dim) and (found := _known(dim, extent, name)) is not None
    }


def _has_values(tensor: Tensor) -> bool:
    """Return whether a tensor's values can be read: not on the meta device, in a fake tensor or in `vmap`."""
    has_none = tensor.is_meta or isinstance(tensor, FakeTensor)
    return not (has_none or torch._C._functorch.is_batchedtensor(tensor))


def _named_sizes(
    name: str, type_: TensorType, tensor: Tensor, sizes: dict[Dim, _Known]
) -> Iterator[str]:
    """Yield each named size that is 0, differs from the first tensor that has it, or does not give a
    whole number for its name, as 30 does not for `8*H`."""
    for axis, (dim, extent) in enumerate(zip(type_.shape, tensor.shape, strict=True)):
        if not isinstance(dim, Dim):
            continue
        found = _known(dim, extent, name)
        if found is None:
            yield f"{name} axis {axis} is {extent}, which is {_no_solution(dim)}"
            continue
        size, known = found
        first = sizes.setdefault(size, known)
        if first.extent != known.extent:
            yield f"{first.text(size)} but {known.text(size)}"
        elif min(known.extent, extent) < 1:
            yield known.text(size)


def _known(dim: Dim, extent: int, name: str) -> tuple[Dim, _Known] | None:
    """Return the size that an axis gives, the name in it if it is linear in one; None if no whole
    number gives the extent."""
    found = line_of(dim)
    if found is None:
        return dim, _Known(extent, name, dim, extent)
    value = found.line.solve(extent)
    if found.line.at(value) != extent:
        return None
    return symbol(found.name), _Known(value, name, dim, extent)


def _no_solution(dim: Dim) -> str:
    """Return what an extent is that no whole number gives."""
    found = line_of(dim)
    assert found is not None
    if found.line.offset:
        return f"not {dim} for any {found.name}"
    return f"no multiple of {found.line.factor} ({dim})"


def torch_dtype(type_: TensorType) -> torch.dtype:
    """Return torch's dtype for a type."""
    dtype: torch.dtype = getattr(torch, type_.dtype)
    return dtype


def dtype_name(tensor: Tensor) -> str:
    """Return the name of a tensor's dtype in a spec."""
    return str(tensor.dtype).removeprefix("torch.")
