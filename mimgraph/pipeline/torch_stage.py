"""Prepare the module of a stage for `torch.distributed.pipelining`: contiguous tensors, metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mimgraph.cost.bind_sizes import check_size, checked, filled
from mimgraph.ir.dim import symbols
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.types import TensorType
from mimgraph.runtime.checks import torch_dtype


def receive_dense(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Make the gradients of the inputs contiguous, as only such can be sent: a forward pre-hook.

    The gradient of an input of a `concat`, for one, is a slice of another tensor.
    """
    return tuple(_with_dense_gradient(x) if _learns(x) else x for x in args)


def _learns(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _with_dense_gradient(x: Tensor) -> Tensor:
    view = x.view_as(x)  # the received buffer is reused, so the hook must not be on it
    view.register_hook(Tensor.contiguous)  # type: ignore[no-untyped-call]  # torch's lacks types
    return view


class Promise(NamedTuple):
    """The shapes and dtypes that metadata gave the next stage, and for which sizes."""

    sizes: str
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[torch.dtype, ...]


class Sender:
    """Forward hook of a stage: makes results contiguous, and what `promises` say if there are any.

    The receiver allocated exactly that, and torch does not check: it would read other bytes as if
    they were these. So another dtype, as under autocast, is cast, and another shape is an error.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.promises: list[Promise] = []

    def promise(self, sent: tuple[Tensor, ...], sizes: Mapping[str, int]) -> None:
        """Add the results that metadata gave for these sizes; replaces a promise of the same shapes."""
        given = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        shapes = tuple(tuple(x.shape) for x in sent)
        promise = Promise(given, shapes, tuple(x.dtype for x in sent))
        self.promises = [*(one for one in self.promises if one.shapes != shapes), promise]

    def __call__(self, _: nn.Module, args: tuple[Any, ...], result: Any) -> Any:
        if isinstance(result, tuple):
            return self.sent(result)
        return self.sent((result,))[0]

    def sent(self, results: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the results as they are sent; a `ValueError` says that no promise has the shapes."""
        dense = tuple(x.contiguous() for x in results)
        if not self.promises:
            return dense
        shapes = tuple(tuple(x.shape) for x in dense)
        kept = next((promise for promise in self.promises if promise.shapes == shapes), None)
        if kept is None:
            every = "; or ".join(f"{_listed(one.shapes)} for {one.sizes}" for one in self.promises)
            raise ValueError(f"{self.name} gives {_listed(shapes)}, but metadata promised {every}")
        return tuple(x.to(dtype) for x, dtype in zip(dense, kept.dtypes, strict=True))


def _listed(shapes: tuple[tuple[int, ...], ...]) -> str:
    return ", ".join(map(str, shapes))


def metadata(
    graph: TypedGraph, batch: int, sizes: Mapping[str, int], dtype: torch.dtype | None
) -> dict[str, tuple[Tensor, ...]]:
    """Return the inputs and outputs of a stage as meta tensors, as `PipelineStage` takes them."""
    body = graph.body
    taken = body.required_inputs.values()
    sent = body.output_types.values()
    given = {"N": batch, **sizes}
    return {
        "input_args": tuple(_meta_tensor(type_, given, dtype) for type_ in taken),
        "output_args": tuple(_meta_tensor(type_, given, dtype) for type_ in sent),
    }


def check_metadata_arguments(
    whole: TypedGraph, batch: int, sizes: Mapping[str, int], dtype: torch.dtype | None
) -> None:
    """Raise a `ValueError` for a wrong batch, size or dtype."""
    check_size("the batch", batch)
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise ValueError(
            f"dtype must be a floating-point dtype such as torch.bfloat16, not {dtype!r}"
        )
    checked(whole, sizes)


def _meta_tensor(type_: TensorType, sizes: Mapping[str, int], dtype: torch.dtype | None) -> Tensor:
    names = {name for dim in type_.dims for name in symbols(dim)}
    if missing := sorted(names - sizes.keys()):
        raise ValueError(f"no number is given for the size {missing[0]}")
    shape = [size for size in filled(type_, sizes).dims if isinstance(size, int)]
    found = torch_dtype(type_)
    if dtype is not None and found.is_floating_point:
        found = dtype
    learns = found.is_floating_point or found.is_complex
    return torch.empty(shape, dtype=found, device="meta", requires_grad=learns)
